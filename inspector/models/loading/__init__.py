"""From a name to a model in memory: files found, bounded, checked, loaded, accounted for.

Must not know: what the model is run for.
"""
