"""What the library's own terms are called where they stand as data in tables.

Stages, cases and mistakes of a verification, ends of a relation, verdicts; in English they are
the keys, and whatever is not named here is shown as the library has it.
Must not know: which table shows them.
"""

_CHINESE = {
    "query": "查询",
    "key": "键",
    "value": "值",
    "probabilities": "概率",
    "context": "上下文",
    "output": "输出",
    "one sentence": "一个句子",
    "padded batch": "带填充的批次",
    "single piece": "单个词片",
    "longest text": "最长的文本",
    "training, same seed": "训练模式，同一种子",
    "ours - eager": "我们 – eager",
    "ours - sdpa": "我们 – sdpa",
    "sdpa - eager": "sdpa – eager",
    "scale omitted": "漏掉缩放",
    "scale of d_model": "按 d_model 缩放",
    "scale off by 0.01 %": "缩放偏差 0.01 %",
    "mask dropped": "丢掉掩码",
    "mask transposed": "掩码转置",
    "softmax over queries": "对查询做 softmax",
    "heads reversed": "头的顺序颠倒",
    "heads interleaved": "各头交错排列",
    "key/value heads tiled, not repeated": "键值头平铺，而非逐个重复",
    "query bias dropped": "丢掉查询偏置",
    "key bias dropped": "丢掉键偏置",
    "value bias dropped": "丢掉值偏置",
    "output bias dropped": "丢掉输出偏置",
    "W_O transposed": "W_O 转置",
    "query and key swapped": "查询与键对调",
    "value taken from key": "以键代值",
    "bias ignored": "忽略分数的附加项",
    "softcap ignored": "忽略分数上限",
    "sinks ignored": "忽略汇点",
    "dependent": "从属词",
    "head": "中心词",
    "supported": "成立",
    "not supported": "不成立",
    "underpowered": "数据不足",
    "survives": "经得起",
    "explained by the same word or a direct dependency": "可由同词或直接依存解释",
    "explained by distance and part of speech": "可由距离和词性解释",
    "explained by the nearest mention": "可由最近提及解释",
    "explained by the nearest mention with the same head word": "可由最近的同词提及解释",
    "gold": "人工标注",
    "silver": "自动标注",
    "generated": "生成",
    "gold and generated": "人工标注与生成",
}

WORDS = {"en": {word: word for word in _CHINESE}, "zh": _CHINESE}
