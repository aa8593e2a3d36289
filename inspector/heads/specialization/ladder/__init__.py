"""The ladder of simpler explanations: what else finds the words that a head finds.

Computed from the word that each head predicts for each word, without a second pass.
Must not know: models, attention maps, files.
"""
