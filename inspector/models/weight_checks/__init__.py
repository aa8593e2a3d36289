"""A whole network's rows of the layout table, checked on its own forward pass.

Must not know: how a model is loaded; verification's finer rule.
"""
