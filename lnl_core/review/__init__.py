"""Many rankings combined into one, which image a person sees next, and how well that went."""
