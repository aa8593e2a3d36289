"""One module per page; each has `show(visit)`.

Must not know: how a number is computed.
"""
