"""Words of the Cause page.

Must not know: where they stand.
"""

WORDS = {
    "en": {
        "title": "Cause",
        "purpose": (
            "Where a head looks is not yet what it does. Here heads are silenced, and what the "
            "model loses is measured."
        ),
        "offer": (
            "Heads are silenced on **{sentences}** sentences of the corpus that inspector brings "
            "with it. No weight is touched. This takes about a minute on one core."
        ),
        "compute": "Silence heads",
        "computing": "Silencing heads: {what}",
        "importance": "How much each head matters",
        "importance_note": (
            "Every head's importance, from one backward pass: how far the last state would move "
            "without the head, were the model linear. Click a cell, or set layer and head."
        ),
        "importance_alt": "importance of every head: layers downwards, heads across",
        "ablation": "What changes without head {head_name}",
        "ablation_note": (
            "Drift of the last state, ‖z′ − z‖ / ‖z‖: at the words that take part in a relation, "
            "beside words of the same sentence and class that do not. Only a difference whose "
            "interval lies above 0 says that the head matters there more than elsewhere."
        ),
        "average": "Over all words the drift is **{effect}**, the cosine **{cosine}**.",
        "relation": "Relation",
        "word": "Word",
        "words": "Words",
        "effect": "Drift",
        "matched": "Matched words",
        "difference": "Difference",
        "interval": "95 % interval",
        "curve": "Many heads or one?",
        "curve_note": (
            "Heads kept in each layer, all others silenced: the most important ones, or those of "
            "five random orders. Bands are 95 % intervals over documents. With every head kept "
            "the drift is 0."
        ),
        "curve_alt": "drift of the last state against the heads kept in each layer",
        "loss": "Loss, more than at matched words",
        "loss_note": (
            "The same for the model's loss, −log p of the right piece in nats: how much it grows "
            "over the whole model's **{loss:.2f}**, a mean over {n} words."
        ),
        "loss_alt": "growth of the loss against the heads kept in each layer",
        "no_loss": (
            "How much the model's loss grows is measured too where it was saved with its "
            "language-modelling head. This one was not."
        ),
    },
    "zh": {
        "title": "因果",
        "purpose": "一个头看向哪里，还不等于它起什么作用。这里让头静默，并测量模型失去了什么。",
        "offer": (
            "在 inspector 自带语料的 **{sentences}** 个句子上让头静默。不改动任何权重。"
            "单核约需一分钟。"
        ),
        "compute": "让头静默",
        "computing": "正在让头静默：{what}",
        "importance": "每个头有多重要",
        "importance_note": (
            "每个头的重要性，来自一次反向传播：假如模型是线性的，没有这个头，最后的状态会移动多远。"
            "点击一格，或设定层和头。"
        ),
        "importance_alt": "每个头的重要性：纵向为层，横向为头",
        "ablation": "没有头 {head_name} 时的变化",
        "ablation_note": (
            "最后状态的漂移 ‖z′ − z‖ / ‖z‖：在参与某关系的词上，与同句同类而不参与的词相对照。"
            "只有区间全在 0 之上的差值，才说明这个头在该处比别处更重要。"
        ),
        "average": "所有词上的漂移为 **{effect}**，余弦为 **{cosine}**。",
        "relation": "关系",
        "word": "词",
        "words": "词数",
        "effect": "漂移",
        "matched": "对照词",
        "difference": "差值",
        "interval": "95 % 区间",
        "curve": "多头还是单头？",
        "curve_note": (
            "每层只保留若干个头，其余静默：保留最重要的，或按五种随机次序保留。"
            "带状区域是按文档计算的 95 % 区间。保留全部头时漂移为 0。"
        ),
        "curve_alt": "最后状态的漂移与每层保留的头数",
        "loss": "损失，比对照词多出",
        "loss_note": (
            "模型损失（正确词片的 −log p，单位奈特）的同一曲线："
            "比完整模型的 **{loss:.2f}** 增加多少，对 {n} 个词取平均。"
        ),
        "loss_alt": "损失的增加与每层保留的头数",
        "no_loss": "若模型保存时带有语言模型头，也会测量损失增加多少。这个模型没有。",
    },
}
