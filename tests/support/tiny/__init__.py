"""Tiny random networks, where only the architecture is the point."""
