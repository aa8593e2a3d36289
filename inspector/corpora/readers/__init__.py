"""Readers of annotation beyond the tree: logic, meaning, roles, names, a user's own relations.

`inspector.corpora.annotation.registry` lists them. Must not know: models, what relations are
scored for.
"""
