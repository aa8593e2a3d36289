"""The grammar that wrote inspector/corpora/probes/; `python -m tools.probes` writes them again.

Must not know: models, scores.
"""
