"""What leaves the desk, and decisions made elsewhere that come in."""
