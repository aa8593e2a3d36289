"""Where each family keeps W_Q, W_K, W_V and W_O: the table, and how one row of it is checked.

Must not know: how a model is loaded or run.
"""
