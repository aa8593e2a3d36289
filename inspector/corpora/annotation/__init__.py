"""What is added to sentences that were read: relations of every kind, mentions, windows, pairs.

Must not know: how a file is read; models.
"""
