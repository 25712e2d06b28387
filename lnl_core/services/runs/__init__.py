"""Runs as a person starts them, and probabilities of one's own model."""
