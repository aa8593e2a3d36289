"""Words of the table that compares attention, self-attention and multi-head self-attention.

Must not know: where they stand.
"""

WORDS = {
    "en": {
        "intro": "From the general mechanism to its special case, and to several of them at once.",
        "line": (
            "attention → self-attention (one sequence) → multi-head self-attention (many at once)"
        ),
        "attention": "Attention",
        "self": "Self-attention",
        "multi": "Multi-head self-attention",
        "definition": "Definition",
        "definition_attention": (
            "A state of the target (query) is compared with all states of the source (keys). The "
            "softmax of the matches weights a sum of the values."
        ),
        "definition_self": (
            "Attention whose queries, keys and values are learnt projections of one sequence X."
        ),
        "definition_multi": (
            "h attentions side by side, each with its own projections into a subspace; their "
            "results are concatenated and mapped by $W^O$."
        ),
        "formula": "Formula",
        "inputs": "Inputs",
        "inputs_attention": (
            "As a rule two sequences, or two modalities: Q from one, K and V from the other."
        ),
        "inputs_self": "One sequence for all three.",
        "inputs_multi": "One sequence, seen by h heads.",
        "aim": "Aim",
        "aim_attention": "Align two sequences, as in translation.",
        "aim_self": "Relate the positions of one sequence, near and far.",
        "aim_multi": "Relate them in several ways at once: each subspace can see another relation.",
        "structure": "Structure",
        "structure_attention": (
            "A general scheme with a choice of score: dot product, general, additive."
        ),
        "structure_self": "One set of $W_Q$, $W_K$, $W_V$.",
        "structure_multi": "h sets in parallel, a concatenation, one $W^O$.",
        "cost": "Cost",
        "cost_attention": "Length of the target × length of the source.",
        "cost_self": "Square of the length, O(n²).",
        "cost_multi": (
            "O(n²) for each head; with $d_{head} = d_{model} / h$ about that of one wide head."
        ),
        "use": "Typical use",
        "use_attention": (
            "Early translation models (decoder to encoder), image captions (words to regions)."
        ),
        "use_self": "Encoder and decoder layers of a Transformer.",
        "use_multi": "The Transformer as it is built: BERT has nothing else between its positions.",
    },
    "zh": {
        "intro": "从一般机制，到它的特例，再到多个特例并行。",
        "line": "注意力 → 自注意力（同一序列）→ 多头自注意力（多个并行）",
        "attention": "注意力",
        "self": "自注意力",
        "multi": "多头自注意力",
        "definition": "定义",
        "definition_attention": (
            "目标处的状态（查询）与源的所有状态（键）比较，匹配程度经 softmax 成为权重，对值加权"
            "求和。"
        ),
        "definition_self": "查询、键、值都是同一序列 X 的可学习投影的注意力。",
        "definition_multi": "h 个注意力并排进行，各自投影到一个子空间；结果拼接后由 $W^O$ 映射。",
        "formula": "公式",
        "inputs": "输入",
        "inputs_attention": "通常是两个序列或两种模态：Q 来自一方，K 和 V 来自另一方。",
        "inputs_self": "三者同出一个序列。",
        "inputs_multi": "一个序列，由 h 个头来看。",
        "aim": "目的",
        "aim_attention": "对齐两个序列，例如翻译。",
        "aim_self": "建立序列内部各位置的联系，不论远近。",
        "aim_multi": "同时以多种方式建立联系：每个子空间可以看到不同的关系。",
        "structure": "结构",
        "structure_attention": "一般框架，打分函数可选：点积、双线性、加性。",
        "structure_self": "一组 $W_Q$、$W_K$、$W_V$。",
        "structure_multi": "h 组并行，拼接，再加一个 $W^O$。",
        "cost": "计算量",
        "cost_attention": "目标长度 × 源长度。",
        "cost_self": "长度的平方，O(n²)。",
        "cost_multi": "每个头 O(n²)；取 $d_{head} = d_{model} / h$ 时，总量约等于一个宽头。",
        "use": "典型应用",
        "use_attention": "早期翻译模型（解码器看编码器）、图像描述（词看图像区域）。",
        "use_self": "Transformer 的编码器层和解码器层。",
        "use_multi": "Transformer 的实际构造：BERT 各位置之间只靠它联系。",
    },
}
