"""The decoder battery: texts drawn from a model's own vocabulary, each probe with its control.

What they ask stands with the texts as relations, so that all that is asked of treebanks is asked of
them. Must not know: models, tokenizers; they are told which words they may use.
"""
