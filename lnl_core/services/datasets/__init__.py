"""Data sets as a person sees them: cards, imports, settings."""
