"""Corrections that were made in other tools, read as decisions: a file for each tool."""
