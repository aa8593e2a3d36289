"""Runs and texts that a reader brings or chooses: which there are, and whether they can be used."""
