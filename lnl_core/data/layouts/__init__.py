"""Layouts that other tools read: what leaves the desk as files, beside the tables of `export`."""
