"""Runs as a person starts them, and opinions of one's own."""
