"""What lies where a model should: its real cause, and the next step, in a sentence.

Each function gets what was found and returns a sentence, or None where nothing is known of it.
Must not know: torch, transformers; how a model is loaded.
"""
