"""Runs in the background: a table is the queue, a process of its own does the work."""
