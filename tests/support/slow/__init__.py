"""Slow references: the same figures by plain loops, in float64; and checkers of data."""
