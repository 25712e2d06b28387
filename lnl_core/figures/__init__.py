"""Plotly figures: data in, a figure out; one palette."""
