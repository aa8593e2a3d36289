"""Attention computed by a module's own code: watched through hooks, read as calls of ours.

Must not know: what is done with the calls.
"""
