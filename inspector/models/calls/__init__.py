"""One attention call inside a model, as our attention takes it.

Must not know: which model, which layer; what is done with the call.
"""
