"""What Explore shows: the map of the images, its filters, which class is given as which."""
