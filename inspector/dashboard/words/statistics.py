"""One line on each weight statistic, and its formula in LaTeX (the same in both languages).

Must not know: how a statistic is computed.
"""

_QK, _OV = r"M_{QK}", r"M_{OV}"


def _of(matrix: str) -> list[str]:
    return [
        rf"\sigma_1({matrix})",
        rf"\lVert {matrix} \rVert_F",
        r"e^{-\sum_i \hat\sigma_i \ln \hat\sigma_i},\ \hat\sigma_i = \sigma_i / \sum_j \sigma_j",
        rf"\lVert {matrix} \rVert_F^2 / \lVert {matrix} \rVert_2^2",
        rf"(\lVert S \rVert_F^2 - \lVert A \rVert_F^2) / \lVert {matrix} \rVert_F^2",
        r"\sum_i \mathrm{Re}\,\lambda_i / \sum_i \lvert\lambda_i\rvert",
    ]


_MATRIX_STATISTICS = (
    "spectral_norm",
    "frobenius_norm",
    "effective_rank",
    "stable_rank",
    "symmetry",
    "eigenvalue_positivity",
)

FORMULAS: dict[str, str] = {
    **{f"{letter}_norm": rf"\lVert W_{letter.upper()} \rVert_F" for letter in "qkvo"},
    **{f"{letter}_bias_norm": rf"\lVert b_{letter.upper()} \rVert_2" for letter in "qkv"},
    **{f"qk_{name}": formula for name, formula in zip(_MATRIX_STATISTICS, _of(_QK), strict=True)},
    **{f"ov_{name}": formula for name, formula in zip(_MATRIX_STATISTICS, _of(_OV), strict=True)},
}
"""Statistic → LaTeX."""

WORDS = {
    "en": {
        "q_norm": "Size of the query projection.",
        "k_norm": "Size of the key projection.",
        "v_norm": "Size of the value projection.",
        "o_norm": "Size of the output projection, this head's columns of $W_O$.",
        "q_bias_norm": "Size of the query bias: what each query holds whatever the piece.",
        "k_bias_norm": (
            "Size of the key bias: it shifts a query's scores all alike, so softmax drops it."
        ),
        "v_bias_norm": "Size of the value bias: written to the output whatever is looked at.",
        "qk_spectral_norm": "The strongest match of any two unit vectors.",
        "qk_frobenius_norm": "Strength of matching over all directions.",
        "qk_effective_rank": "How many directions take part in matching, by entropy.",
        "qk_stable_rank": "How many directions take part in matching, by energy.",
        "qk_symmetry": (
            "1: if x matches y, y matches x; −1: y repels x. S, A: symmetric and skew part."
        ),
        "qk_eigenvalue_positivity": "1: pieces match their like; −1: they match their opposite.",
        "ov_spectral_norm": "The most that a unit vector is amplified when looked at.",
        "ov_frobenius_norm": "Strength of what is written over all directions.",
        "ov_effective_rank": "How many directions are written, by entropy.",
        "ov_stable_rank": "How many directions are written, by energy.",
        "ov_symmetry": (
            "1: directions are only stretched; −1: only turned. S, A: symmetric and skew part."
        ),
        "ov_eigenvalue_positivity": "Copying: 1 keeps what is looked at, −1 writes its opposite.",
    },
    "zh": {
        "q_norm": "查询投影的大小。",
        "k_norm": "键投影的大小。",
        "v_norm": "值投影的大小。",
        "o_norm": "输出投影的大小，即 $W_O$ 中属于该头的列。",
        "q_bias_norm": "查询偏置的大小：不论什么词片，查询中都有的部分。",
        "k_bias_norm": "键偏置的大小：它使同一查询的各分数同步平移，softmax 后消失。",
        "v_bias_norm": "值偏置的大小：不论看向哪里，都会写入输出。",
        "qk_spectral_norm": "任意两个单位向量之间最强的匹配。",
        "qk_frobenius_norm": "所有方向上匹配的总强度。",
        "qk_effective_rank": "参与匹配的方向数，按熵计。",
        "qk_stable_rank": "参与匹配的方向数，按能量计。",
        "qk_symmetry": "1：x 匹配 y 则 y 匹配 x；−1：则 y 排斥 x。S、A 为对称与反对称部分。",
        "qk_eigenvalue_positivity": "1：词片与同类匹配；−1：与相反者匹配。",
        "ov_spectral_norm": "被查看的单位向量最多放大多少。",
        "ov_frobenius_norm": "所有方向上写入的总强度。",
        "ov_effective_rank": "写入的方向数，按熵计。",
        "ov_stable_rank": "写入的方向数，按能量计。",
        "ov_symmetry": "1：方向只被拉伸；−1：只被旋转。S、A 为对称与反对称部分。",
        "ov_eigenvalue_positivity": "复制：1 保留所看的内容，−1 写入其相反。",
    },
}
