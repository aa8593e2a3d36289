"""The lines of the equations, as they should be.

Source: Vaswani et al. (2017), arXiv:1706.03762, sec. 3.2; in the layout of `torch.nn.Linear`.
Must not know: anything.
"""

QUERY = "Q = X W_Qᵀ + b_Q"
KEY = "K = X W_Kᵀ + b_K"
VALUE = "V = X W_Vᵀ + b_V"
HEADS = "Q_h, K_h, V_h = columns h·d_head … (h+1)·d_head − 1 of Q, K, V"
GROUPS = "head h looks at K_g, V_g with g = h // (n_heads / n_kv_heads)"
ROTARY = "q_i ← q_i·cos(iθ) + rotate_half(q_i)·sin(iθ), and k_j in the same way"
SCORES = "S = Q Kᵀ · scaling"
BIAS = "S ← S + B, B the relative bias of each head"
MASK = "S_ij ← −∞ where key j is not allowed"
SOFTMAX = "P_ij = exp(S_ij) / Σ_j exp(S_ij), the sum over the keys of one query"
CONTEXT = "C = [P_1 V_1 | … | P_n V_n], the heads side by side, first head first"
OUTPUT = "O = C W_Oᵀ + b_O = Σ_h C_h W_O,hᵀ + b_O"
