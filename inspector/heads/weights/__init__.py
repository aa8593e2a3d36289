"""What the weights alone say of a head: norms, ranks and spectra of W_Q W_Kᵀ and W_V W_O.

Must not know: texts, files, how a model is loaded.
"""
