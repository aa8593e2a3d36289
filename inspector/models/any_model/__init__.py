"""Any model of transformers, with or without known weights or a tokenizer: run and watched.

Must not know: what is done with the calls.
"""
