"""What the words on charts are called; a chart's own words are the keys.

Must not know: which chart says them.
"""

_CHINESE = {
    "layer": "层",
    "head": "头",
    "module": "模块",
    "stage": "阶段",
    "query": "查询",
    "key": "键",
    "value": "值",
    "probabilities": "概率",
    "context": "上下文",
    "output": "输出",
    "error in u": "误差（u）",
    "passed": "成立",
}

WORDS = {"en": {word: word for word in _CHINESE}, "zh": _CHINESE}
