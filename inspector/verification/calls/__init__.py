"""Models whose weights need not be known: each attention call against the model's own.

Must not know: how a report is shown.
"""
