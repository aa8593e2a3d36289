"""Heads, words and counts of which the answer is known beforehand."""
