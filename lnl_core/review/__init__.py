"""What many opinions say together, which image a person sees next, and how well that went."""
