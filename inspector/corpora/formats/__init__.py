"""Files of text and trees, read as sentences: CoNLL-U, plain text, pronoun tests, downloads.

Must not know: relations beyond the tree's; models.
"""
