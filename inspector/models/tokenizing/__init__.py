"""A folder's tokenizer: its files bounded, the one that runs the folder's own, its failures said.

Must not know: what is done with the tokens; models.
"""
