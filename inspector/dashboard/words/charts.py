"""What the words on charts and drawings are called; in English they are the keys.

Must not know: which chart says them.
"""

from inspector.dashboard.words import library
from inspector.views.bertviz import NOTES, TITLES
from inspector.views.matrix import CORNER
from inspector.views.thumbnails import LEGEND

_STAGES = ("query", "key", "value", "probabilities", "context", "output")
_CHINESE = {
    **{stage: library.WORDS["zh"][stage] for stage in _STAGES},
    "layer": "层",
    "head": "头",
    "module": "模块",
    "stage": "阶段",
    "error in u": "误差（u）",
    "passed": "成立",
    "probability": "概率",
    "matrix": "矩阵",
    "index": "序号",
    "singular value": "奇异值",
    "real part": "实部",
    "imaginary part": "虚部",
    "series": "系列",
    "pieces": "词片数",
    "seconds": "秒",
    "attention": "注意力",
    "n² line": "n² 线",
    "importance": "重要性",
    "random": "随机",
    "order": "次序",
    "seed": "种子",
    "heads kept in each layer": "每层保留的头数",
    "drift of the last state": "最后状态的漂移",
    "loss beyond the whole model's": "超出完整模型的损失",
    "claim": "论断",
    "verdict": "结论",
    "lift": "提升",
    "ci low": "区间下限",
    "ci high": "区间上限",
    "accuracy": "准确率",
    "baseline accuracy": "基线准确率",
    "n": "n",
    "q value": "q 值",
    "roles": "角色",
    "evidence": "依据",
    "piece": "词片",
    "row": "行",
    CORNER: "，只显示前 {rows} × {columns}",
    LEGEND: "纵向为查询，横向为键；深浅：概率从 0.1、0.3、0.6 起",
    "Attention of every head": "每个头的注意力",
    TITLES["head"]: "{title}（头视图）",
    TITLES["model"]: "{title}（模型视图）",
    NOTES["head"]: (
        "连线从左边的词片指向它所看的词片；线越浓，概率越高。指向一个词片，只显示它的连线。"
        "点击头的方块可隐藏或显示该头，双击则只看该头。"
    ),
    NOTES["model"]: (
        "每个头一幅图。连线从左边的词片指向它所看的词片。点击一幅图可放大，再点击则收起。"
    ),
    "Layer:": "层：",
    "Layers": "层",
    "Heads": "头",
}

WORDS = {"en": {word: word for word in _CHINESE}, "zh": _CHINESE}
