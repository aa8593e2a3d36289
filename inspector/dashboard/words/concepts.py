"""Words of the Concepts page.

Must not know: where they stand.
"""

WORDS = {
    "en": {
        "title": "Concepts",
        "purpose": "Attention step by step, on your own sentences and this model's real weights.",
        "mode": "Topic",
        "mode:attention": "Attention",
        "mode:self-attention": "Self-attention",
        "mode:multi-head": "Multi-head",
        "mode:comparison": "Comparison",
        "mode:cost": "Cost",
        "mode:claims": "Claims, tested",
        "target": "Target sentence (it looks)",
        "source": "Source sentence (it is looked at)",
        "sentence": "Sentence",
        "score": "Score function",
        "score:scaled": "scaled dot product",
        "score:dot": "dot product",
        "score:general": "general (bilinear)",
        "score:additive": "additive",
        "untrained": (
            "This score function has parameters of its own, which no BERT model holds. Here they "
            "are **random (seeded, untrained)**: the steps are real, the alignment means nothing."
        ),
        "cross_note": (
            "This model was trained on self-attention. Here one of its heads looks from one "
            "sentence into another: the arithmetic of an encoder–decoder, not its training."
        ),
        "attention_intro": (
            "Each position of the target asks a question (its query), compares it with every "
            "position of the source (their keys), and takes home a mixture of what it finds there "
            "(their values)."
        ),
        "self_intro": (
            "The same, with one sentence as both target and source: queries, keys and values are "
            "three projections of one input X."
        ),
        "multi_intro": (
            "Every head of the layer does this in a subspace of its own. The results stand side "
            "by side, and one more matrix, $W^O$, mixes them."
        ),
        "step_hidden": "Hidden states",
        "step_hidden_note": "What layer {layer} of the model is given for each piece.",
        "step_project": "Queries, keys, values",
        "step_project_note": "Projected by the real $W_Q$, $W_K$, $W_V$ of head {head_name}.",
        "step_turn": "Told where they stand",
        "step_turn_note": (
            "Queries and keys as they are compared: normed, or turned by their tokens' angles, or "
            "both."
        ),
        "step_bias": "Bias",
        "step_bias_note": "What this head adds to each score for where query and key stand.",
        "step_mask": "Mask",
        "step_mask_note": (
            "1: this query (row) may look at this key (column); 0: it may not, and the score is "
            "set to −∞."
        ),
        "layer_causal": "This layer is **causal**: a token sees itself and what stands before it.",
        "layer_window": "It sees through a **window**: only what is nearer than {window} tokens.",
        "layer_norm": "Its queries and keys are **normed** before they are compared.",
        "layer_rotary": "Its queries and keys are **turned** by their places (rotary embedding).",
        "layer_bias": "It adds a **bias** of places to its scores.",
        "layer_softcap": "Its scores are **capped** before the softmax.",
        "layer_sinks": "Each head has a **sink**: a share of the weights goes to no token.",
        "cross_places": (
            "This model counts places (a causal mask, a rotation or a bias). Two sentences share "
            "none: between them nothing of that is applied."
        ),
        "more_than_weights": (
            "Layer {layer} of this model computes more than its matrices, mask and places say: "
            "its steps cannot be shown by these equations, and nothing is claimed of it."
        ),
        "step_scores": "Scores",
        "step_scores_note": "How well each query (row) matches each key (column).",
        "step_softmax": "Softmax",
        "step_softmax_note": "Each row becomes weights that sum to 1.",
        "step_output": "Weighted sum",
        "step_output_note": "Each row: the values, mixed by that row's weights.",
        "position": "Position that looks",
        "position_note": "Where this position looks, from most to least.",
        "piece": "piece",
        "weight": "weight",
        "self_check": (
            "The model's own head {head_name} gives the same probabilities: largest difference "
            "**{difference}**."
        ),
        "step_heads": "1 · Each head's probabilities",
        "step_heads_note": (
            "Row: the piece that looks; column: the piece looked at. A stronger colour is more."
        ),
        "step_concat": "2 · Concatenate",
        "step_concat_note": (
            "Head after head, {n_heads} × {d_head} = {width} numbers for each piece."
        ),
        "step_out": "3 · Mix by $W^O$",
        "step_out_note": "The layer's attention output.",
        "step_sum": "4 · The same as a sum over heads",
        "step_sum_note": (
            "Multiplying the concatenation by $W^O$ is adding up what each head writes alone. One "
            "piece at a time:"
        ),
        "sum_difference": "Sum over heads against $W^O$ of the concatenation",
        "real_difference": "Ours against the model's own layer {layer}",
        "differences_note": (
            "Largest absolute difference over all pieces and features, computed just now; the "
            "largest number of the output is {scale}."
        ),
        "row_head": "head {head}",
        "row_bias": "bias b_O",
        "row_sum": "sum",
        "row_model": "the model's output",
        "cost_intro": (
            "Every position looks at every position: twice the length, four times the work. Here "
            "is how long the library's attention takes on this machine, beside the n² line "
            "through the longest length."
        ),
        "cost_note": (
            "{n_heads} heads of width {d_head}, random numbers, float32, fastest of several runs. "
            "Fixed costs flatten the short end, memory traffic steepens the long one; the work "
            "itself grows as n²."
        ),
        "measure": "Measure now",
        "measuring": "Measuring …",
        "cost_columns": "Measured times",
        "claims_intro": "What is often said about attention, and what this model's figures say.",
        "claim_special": "“Self-attention is a special case of attention.”",
        "claim_special_note": (
            "Attention between two sequences, given the same sentence twice, must give what the "
            "model's self-attention gives. Head {head_name}, largest difference of the outputs:"
        ),
        "claim_extension": "“Multi-head attention is an extension of it.”",
        "claim_extension_note": (
            "{n_heads} separate single-head attentions, each with its slice of the weights, "
            "added up, against the model's own multi-head layer {layer}. Largest difference:"
        ),
        "claim_parallel": "“It needs no recurrence: all positions at once.”",
        "claim_parallel_note": (
            "The query of “{piece}” alone, without the others, against its row when all are "
            "computed at once. Largest difference:"
        ),
        "claim_context": "“Self-attention is aware of context.”",
        "claim_context_note": (
            "One word in two sentences: where head {head_name} lets it look. If the weights were "
            "the word's own, both columns would agree."
        ),
        "word": "Word",
        "context": "Sentence {number}",
        "word_missing": "The word must stand in both sentences. Change the word or a sentence.",
        "claim_context_hidden": (
            "The word's own hidden state at the input of layer {layer} differs by up to "
            "**{difference}** between the two."
        ),
        "claim_open": "Not decided by a sentence",
        "claim_open_note": (
            "*Each head attends to another kind of dependency*, *many heads do better than one*, "
            "*a single head catches a single pattern only*, *the model learns syntax, meaning and "
            "logic*: these are claims about a corpus. One sentence can illustrate them, never "
            "decide them; that needs annotated text, a baseline, and heads taken away."
        ),
        "claim_open_cost": "The claim about cost, O(n²), is measured under *Cost*.",
        "holds": "holds, to rounding",
        "fails": "does not hold",
    },
    "zh": {
        "title": "概念",
        "purpose": "用您自己的句子和该模型的真实权重，一步一步看注意力。",
        "mode": "主题",
        "mode:attention": "注意力",
        "mode:self-attention": "自注意力",
        "mode:multi-head": "多头自注意力",
        "mode:comparison": "对比",
        "mode:cost": "计算量",
        "mode:claims": "检验说法",
        "target": "目标句（发出查询）",
        "source": "源句（被查看）",
        "sentence": "句子",
        "score": "打分函数",
        "score:scaled": "缩放点积",
        "score:dot": "点积",
        "score:general": "双线性（general）",
        "score:additive": "加性（additive）",
        "untrained": (
            "这种打分函数有自己的参数，而 BERT 模型里没有。"
            "这里的参数是**随机的（固定种子，未经训练）**：步骤是真实的，对齐结果没有含义。"
        ),
        "cross_note": (
            "该模型只训练过自注意力。这里让它的一个头从一个句子看向另一个句子："
            "算法与编码器–解码器相同，训练则不同。"
        ),
        "attention_intro": (
            "目标句的每个位置提出一个问题（查询 Q），与源句所有位置（键 K）比较，"
            "再按相似程度取回那里的内容（值 V）的加权和。"
        ),
        "self_intro": "同样的计算，目标与源是同一个句子：Q、K、V 是同一输入 X 的三个投影。",
        "multi_intro": (
            "该层的每个头都在自己的子空间里做这件事。各头结果并排拼接，再由矩阵 $W^O$ 混合。"
        ),
        "step_hidden": "隐藏状态",
        "step_hidden_note": "模型第 {layer} 层为每个词片收到的输入。",
        "step_project": "查询、键、值",
        "step_project_note": "由头 {head_name} 的真实 $W_Q$、$W_K$、$W_V$ 投影得到。",
        "step_turn": "加入位置",
        "step_turn_note": "真正用来比较的查询和键：经过归一化，或按词片的角度旋转，或两者都有。",
        "step_bias": "偏置",
        "step_bias_note": "该头因查询与键所在的位置而给每个得分加上的数。",
        "step_mask": "掩码",
        "step_mask_note": ("1：该查询（行）可以看该键（列）；0：不可以，得分设为 −∞。"),
        "layer_causal": "该层是**因果的**：每个词片只能看到自己和前面的内容。",
        "layer_window": "它只能看到一个**窗口**：距离小于 {window} 个词片的内容。",
        "layer_norm": "它的查询和键在比较之前经过**归一化**。",
        "layer_rotary": "它的查询和键按随位置增大的角度**旋转**（旋转位置编码）。",
        "layer_bias": "它在得分上加一个与位置有关的**偏置**。",
        "layer_softcap": "它的得分在 softmax 之前有**上限**。",
        "layer_sinks": ("每个头有一个**汇点**：一部分权重不给任何词片，P 的每一行之和小于 1。"),
        "cross_places": (
            "该模型考虑位置（因果掩码、旋转或偏置）。两个句子没有共同的位置：这里都不使用。"
        ),
        "more_than_weights": (
            "该模型第 {layer} 层的计算不止于其矩阵、掩码和位置所说："
            "这些公式无法展示它的步骤，这里也不对它下任何结论。"
        ),
        "step_scores": "打分",
        "step_scores_note": "每个查询（行）与每个键（列）的匹配程度。",
        "step_softmax": "Softmax",
        "step_softmax_note": "每一行变成总和为 1 的权重。",
        "step_output": "加权求和",
        "step_output_note": "每一行：按该行权重混合的值。",
        "position": "发出查询的位置",
        "position_note": "该位置看向哪里，由多到少。",
        "piece": "词片",
        "weight": "权重",
        "self_check": "模型自己的头 {head_name} 给出相同的概率：最大差 **{difference}**。",
        "step_heads": "1 · 每个头的概率",
        "step_heads_note": "行：发出查询的词片；列：被查看的词片。颜色越浓，权重越大。",
        "step_concat": "2 · 拼接",
        "step_concat_note": "一个头接一个头，每个词片 {n_heads} × {d_head} = {width} 个数。",
        "step_out": "3 · 由 $W^O$ 混合",
        "step_out_note": "该层注意力的输出。",
        "step_sum": "4 · 等价于对各头求和",
        "step_sum_note": "拼接后乘以 $W^O$，就是把每个头单独写入的内容相加。逐个词片来看：",
        "sum_difference": "各头之和，对照拼接后乘 $W^O$",
        "real_difference": "我们的结果，对照模型自己的第 {layer} 层",
        "differences_note": "对所有词片和特征取最大绝对差，刚刚算出；输出中最大的数为 {scale}。",
        "row_head": "头 {head}",
        "row_bias": "偏置 b_O",
        "row_sum": "总和",
        "row_model": "模型的输出",
        "cost_intro": (
            "每个位置都要看每个位置：长度加倍，计算量变为四倍。下面是本库的注意力在这台机器上的用"
            "时，"
            "旁边是经过最长一点的 n² 线。"
        ),
        "cost_note": (
            "{n_heads} 个宽度为 {d_head} 的头，随机数，float32，取多次中最快的一次。"
            "短文本处固定开销使曲线变平，长文本处内存读写使曲线变陡；运算量本身按 n² 增长。"
        ),
        "measure": "现在测量",
        "measuring": "正在测量……",
        "cost_columns": "测得的时间",
        "claims_intro": "关于注意力的常见说法，以及该模型的数字怎么说。",
        "claim_special": "“自注意力是注意力的特例。”",
        "claim_special_note": (
            "把两个序列间的注意力用在同一个句子上，必须得到模型自注意力的结果。"
            "头 {head_name}，输出的最大差："
        ),
        "claim_extension": "“多头注意力是它的扩展。”",
        "claim_extension_note": (
            "{n_heads} 个独立的单头注意力，各用自己的那部分权重，相加后对照模型自己的第 {layer} "
            "层多头注"
            "意力。最大差："
        ),
        "claim_parallel": "“不需要循环：所有位置同时计算。”",
        "claim_parallel_note": "只算“{piece}”一个查询，对照全部同时计算时它那一行。最大差：",
        "claim_context": "“自注意力能感知上下文。”",
        "claim_context_note": (
            "同一个词在两个句子里：头 {head_name} 让它看向哪里。若权重只取决于词本身，两列应当一"
            "致。"
        ),
        "word": "词",
        "context": "句子 {number}",
        "word_missing": "这个词必须在两个句子里都出现。请更换词或句子。",
        "claim_context_hidden": (
            "该词在第 {layer} 层输入处的隐藏状态，两句之间最多相差 **{difference}**。"
        ),
        "claim_open": "一个句子无法判定的说法",
        "claim_open_note": (
            "*每个头关注不同的依存关系*、*多个头胜过一个头*、*单个头只能捕捉单一模式*、"
            "*模型同时学到句法、语义和逻辑*：这些是关于语料的说法。一个句子只能举例，不能判定；"
            "判定需要带标注的文本、基线，以及去掉某些头的实验。"
        ),
        "claim_open_cost": "关于计算量 O(n²) 的说法，见“计算量”一栏的实测。",
        "holds": "成立（舍入误差之内）",
        "fails": "不成立",
    },
}
