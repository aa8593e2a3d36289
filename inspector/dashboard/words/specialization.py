"""Words of the Specialization page, and of the offer to compute what it shows.

Must not know: where they stand.
"""

WORDS = {
    "en": {
        "title": "Specialization",
        "purpose": "What each head does on annotated text, beside what a fixed offset does.",
        "no_run": (
            "No profile of this model has been made yet. The standard one reads inspector's own "
            "corpus once, with the model and with three copies of it that have random weights: "
            "a minute or a few. It is computed once and shared by everyone who is here."
        ),
        "compute": "Compute the profile",
        "computing": "Reading the corpus: {percent} %",
        "concluding": "Testing the claims …",
        "totals": (
            "{corpus} ({annotation}): **{sentences}** sentences, **{words}** words in "
            "**{documents}** documents. Left out: {malformed} malformed sentences, {long} longer "
            "than the model takes, {pieceless} relations with a word that has no piece."
        ),
        "unsure": "Too many of its pairs have an unknown word, so nothing is claimed of: {names}.",
        "outcome": (
            "**{supported} of {all} claims are supported**, {negative} are not, {open} are "
            "underpowered; {with_role} of {heads} heads have a role."
        ),
        "how_to": (
            "A claim says that one head, chosen on half of the documents, finds the other word of "
            "a relation; accuracy is of the other half, and lift is what it has over the best "
            "fixed offset. Supported means: lift of at least 10 points, an interval above 0, "
            "q < 0.05 over all claims of its kind, and better than every copy with random weights."
        ),
        "relation": "Relation",
        "kind": "Kind of relation",
        "kind_syntax": "Syntax",
        "kind_semantic": "Meaning",
        "kind_logical": "Logic",
        "controls": "Controls for meaning and logic",
        "controls_note": (
            "A head is called semantic or logical only if its lift survives. Nearest mention, same "
            "word: what these rules get right. Matched: pairs of the same distance and parts of "
            "speech that stand in no relation. Apart: the lift on pairs that are neither the same "
            "word nor a direct dependency."
        ),
        "nearest_mention": "Nearest mention",
        "nearest_same_head": "Same word",
        "matched": "Matched pairs",
        "apart": "Lift apart",
        "needed": "Needed",
        "needed_yes": "yes",
        "needed_no": "no",
        "needed_unclear": "unclear",
        "needed_not asked": "–",
        "verdict": "Verdict",
        "every": "all",
        "grid": "Roles",
        "grid_alt": "roles of every head: layers downwards, heads across",
        "grid_note": (
            "Click a cell, or set layer and head. A cell with two colours has roles of two kinds; "
            "grey heads have none."
        ),
        "marked_note": (
            "{relation}: ● follows it; ○ was the best on the selection half, and that did not "
            "hold up."
        ),
        "head_title": "Head {head_name}",
        "no_role": "No role was found for this head. That is no proof that it has none.",
        "more": "The Head page shows the evidence, and everything else that is known of it.",
        "role": "Role",
        "evidence": "Evidence",
        "effect": "Share or lift",
        "claims": "Claims",
        "claims_note": "n, accuracy, baseline, lift and interval are of the report half.",
        "none_left": "No claim has this verdict for this relation.",
        "direction": "Direction",
        "head": "Head",
        "pairs": "n",
        "accuracy": "Accuracy",
        "baseline": "Baseline",
        "lift": "Lift",
        "interval": "95 % interval",
        "random": "Random weights",
        "forest": "Lift over the fixed offset",
        "forest_note": (
            "Lines: 95 % intervals. The solid line is no lift, the dashed one the 10 points that "
            "a supported claim needs. On the right: accuracy | baseline."
        ),
        "dependent_to_head": "dependent → head",
        "head_to_dependent": "head → dependent",
        "attended_by_head": "most attended by head",
        "supported": "supported",
        "not supported": "not supported",
        "underpowered": "underpowered",
        "syntactic": "syntactic",
        "positional": "positional",
        "special-token": "special token",
        "broad": "broad",
        "duplicate-token": "duplicate token",
        "semantic": "semantic",
        "logical": "logical",
        "none": "none",
    },
    "zh": {
        "title": "分工",
        "purpose": "每个头在带标注的文本上做什么，并与固定偏移对照。",
        "no_run": (
            "尚未为该模型做过剖析。标准剖析把 inspector 自带的语料读一遍，模型本身之外还有三个随机"
            "权重的副本，需一分钟到几分钟。只计算一次，在场的人共用结果。"
        ),
        "compute": "计算剖析",
        "computing": "正在读语料：{percent} %",
        "concluding": "正在检验各项论断……",
        "totals": (
            "{corpus}（{annotation}）：**{sentences}** 个句子，**{documents}** 篇文档，共 "
            "**{words}** 个词。未计入：{malformed} 个格式有误的句子，{long} 个超出模型长度的句子，"
            "{pieceless} 个含有无词片之词的关系。"
        ),
        "unsure": "含不认识的词的词对过多，因此不作论断的关系：{names}。",
        "outcome": (
            "**{all} 项论断中 {supported} 项成立**，{negative} 项不成立，{open} 项数据不足；"
            "{heads} 个头中 {with_role} 个有角色。"
        ),
        "how_to": (
            "一项论断说：在一半文档上选出的某个头能找到关系的另一个词；准确率取自另一半文档，提升是"
            "它超出最佳固定偏移的部分。成立是指：提升至少 10 个百分点，区间在 0 以上，对同类论断"
            "校正后 q < 0.05，且胜过每个随机权重的副本。"
        ),
        "relation": "关系",
        "kind": "关系类别",
        "kind_syntax": "句法",
        "kind_semantic": "语义",
        "kind_logical": "逻辑",
        "controls": "语义与逻辑的对照",
        "controls_note": (
            "只有提升经得起对照，头才称为语义头或逻辑头。最近提及、同词：这两条规则的准确率。匹配："
            "距离和词性相同而无此关系的词对。分离：去掉同词和直接依存之后的提升。"
        ),
        "nearest_mention": "最近提及",
        "nearest_same_head": "同词",
        "matched": "匹配词对",
        "apart": "分离提升",
        "needed": "是否需要",
        "needed_yes": "是",
        "needed_no": "否",
        "needed_unclear": "不明",
        "needed_not asked": "–",
        "verdict": "结论",
        "every": "全部",
        "grid": "角色",
        "grid_alt": "每个头的角色：纵向为层，横向为头",
        "grid_note": "点击一格，或设定层和头。有两种颜色的格子有两类角色；灰色的头没有角色。",
        "marked_note": "{relation}：● 遵循该关系；○ 在选择的一半上最好，但未能得到证实。",
        "head_title": "头 {head_name}",
        "no_role": "未发现该头的角色。这并不证明它没有。",
        "more": "“头”页面给出依据，以及关于它的其余一切。",
        "role": "角色",
        "evidence": "依据",
        "effect": "占比或提升",
        "claims": "论断",
        "claims_note": "n、准确率、基线、提升和区间都取自报告的一半文档。",
        "none_left": "该关系没有这种结论的论断。",
        "direction": "方向",
        "head": "头",
        "pairs": "n",
        "accuracy": "准确率",
        "baseline": "基线",
        "lift": "提升",
        "interval": "95 % 区间",
        "random": "随机权重",
        "forest": "相对固定偏移的提升",
        "forest_note": (
            "横线：95 % 区间。实线为无提升，虚线为成立所需的 10 个百分点。右侧：准确率 | 基线。"
        ),
        "dependent_to_head": "从属词 → 中心词",
        "head_to_dependent": "中心词 → 从属词",
        "attended_by_head": "中心词看得最多",
        "supported": "成立",
        "not supported": "不成立",
        "underpowered": "数据不足",
        "syntactic": "句法",
        "positional": "位置",
        "special-token": "特殊词元",
        "broad": "分散",
        "duplicate-token": "重复词元",
        "semantic": "语义",
        "logical": "逻辑",
        "none": "无",
    },
}
