"""A model's forward pass: on our attention, watched, with heads ablated, run in part.

Must not know: what is measured; how a model is loaded.
"""
