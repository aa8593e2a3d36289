"""Words of the Overview page.

Must not know: where they stand.
"""

WORDS = {
    "en": {
        "title": "Overview",
        "purpose": "What this model is, and whether its attention is what the equations say.",
        "verified": "Verified",
        "not_verified": "Not verified",
        "verified_note": (
            "Computed by the equations, every stage of all {layers} attention modules agrees with "
            "the model's own numbers. The largest difference is **{worst} u** of {allowed} "
            "allowed, where u is one rounding of {dtype}; {caught} of {controls} deliberate "
            "mistakes were caught."
        ),
        "not_verified_note": "What does not hold:",
        "more": "Read the whole report on the page *Verification*.",
        "sizes": "Sizes",
        "n_layers": "Layers",
        "n_heads": "Heads per layer",
        "d_model": "d_model",
        "d_head": "d_head",
        "max_pieces": "Most pieces",
        "dtype": "Numbers",
        "architecture": "Where the weights are",
        "architecture_note": (
            "The row of inspector's table for this model type, proved at load against what the "
            "model computes."
        ),
        "part": "Part",
        "name": "Name in the model",
        "model_type": "model type",
        "class": "class",
        "attention": "attention module",
        "fusion": "W_Q, W_K, W_V",
        "separate": "matrices of their own",
        "concatenated": "in one matrix: all queries, all keys, all values",
        "per head": "in one matrix: query, key, value of each head in turn",
        "grouped": "in one matrix: of each key/value head its queries, its key, its value",
        "files": "Files",
        "files_note": "What was read, so that another machine can be sure to read the same.",
        "file": "File",
        "unused": "Tensors not used",
        "unused_none": "None: the model uses every tensor of its files.",
        "unused_note": "In the files, but not part of the encoder (a task's head, as a rule):",
    },
    "zh": {
        "title": "概览",
        "purpose": "这是什么模型，它的注意力是否与公式一致。",
        "verified": "已验证",
        "not_verified": "未通过验证",
        "verified_note": (
            "按公式计算，全部 {layers} 个注意力模块的每个阶段都与模型自己的数一致。"
            "最大差为 **{worst} u**（允许 {allowed} u），u 是 {dtype} 的一次舍入；"
            "{controls} 个故意制造的错误中，{caught} 个被发现。"
        ),
        "not_verified_note": "不成立之处：",
        "more": "完整报告见“验证”页。",
        "sizes": "规模",
        "n_layers": "层数",
        "n_heads": "每层头数",
        "d_model": "d_model",
        "d_head": "d_head",
        "max_pieces": "最长词片数",
        "dtype": "数值类型",
        "architecture": "权重在哪里",
        "architecture_note": (
            "inspector 的表中该模型类型的一行，加载时已对照模型的实际计算加以证明。"
        ),
        "part": "部分",
        "name": "模型中的名称",
        "model_type": "模型类型",
        "class": "类",
        "attention": "注意力模块",
        "fusion": "W_Q、W_K、W_V",
        "separate": "各自成矩阵",
        "concatenated": "同在一个矩阵：全部查询、全部键、全部值",
        "per head": "同在一个矩阵：逐头依次为查询、键、值",
        "grouped": "同在一个矩阵：每个键值头依次为其各查询、键、值",
        "files": "文件",
        "files_note": "实际读取的文件；据此可在另一台机器上确认读取的是同一份。",
        "file": "文件",
        "unused": "未使用的张量",
        "unused_none": "无：模型使用了文件中的每个张量。",
        "unused_note": "文件中有、但不属于编码器的张量（通常是某个任务的输出头）：",
    },
}
