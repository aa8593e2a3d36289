"""Words of the Weights page.

Must not know: where they stand.
"""

WORDS = {
    "en": {
        "title": "Weights",
        "purpose": "What is in each head's weights, before any text is read.",
        "statistic": "Statistic",
        "grid_note": "Click a cell, or set layer and head, to read about one head.",
        "grid_alt": "{statistic} of every head: layers downwards, heads across",
        "head_title": "Head {head_name}",
        "all": "All its statistics",
        "value": "Value",
        "meaning": "Meaning",
        "spectrum": "Singular values",
        "spectrum_note": (
            "A steep fall: the head works in few directions. At most $d_{head}$ are not zero."
        ),
        "eigenvalues": "Eigenvalues",
        "eigenvalues_note": (
            "Right of the axis: the direction is kept or matched with itself; left: reversed. "
            "Away from the real line: rotated."
        ),
        "notation": (
            "For column vectors $x$ of width $d_{model}$: $M_{QK} = W_Q^\\top W_K$ says which "
            "pieces "
            "match, $M_{OV} = W_O W_V$ what is written when one is looked at. Both have rank at "
            "most $d_{head}$. Layers and heads count from 0."
        ),
    },
    "zh": {
        "title": "权重",
        "purpose": "尚未读入任何文本时，每个头的权重里有什么。",
        "statistic": "统计量",
        "grid_note": "点击一格，或设定层和头，查看某一个头。",
        "grid_alt": "每个头的 {statistic}：纵向为层，横向为头",
        "head_title": "头 {head_name}",
        "all": "它的全部统计量",
        "value": "数值",
        "meaning": "含义",
        "spectrum": "奇异值",
        "spectrum_note": "下降得陡：该头只在少数方向上工作。非零的至多 $d_{head}$ 个。",
        "eigenvalues": "特征值",
        "eigenvalues_note": "轴的右侧：方向被保留，或与自身匹配；左侧：被反转。偏离实轴：被旋转。",
        "notation": (
            "对宽度为 $d_{model}$ 的列向量 $x$：$M_{QK} = W_Q^\\top W_K$ 决定哪些词片相互匹配，"
            "$M_{OV} = W_O W_V$ 决定看到某个词片时写入什么。两者的秩至多为 $d_{head}$。层和头都从"
            " 0 "
            "数起。"
        ),
    },
}
