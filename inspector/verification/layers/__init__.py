"""Layers whose weights are known: each stage against the model's own, with controls.

Must not know: how a report is shown.
"""
