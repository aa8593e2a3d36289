"""Claims about heads that people make: read, asked of a corpus, judged.

Must not know: user interfaces.
"""
