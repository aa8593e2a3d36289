"""Words of the Verification page.

Must not know: where they stand.
"""

WORDS = {
    "en": {
        "title": "Verification",
        "purpose": "The equations against the model's own layers, stage by stage.",
        "passed": (
            "**All {stages} stages of {layers} layers agree** to within rounding: at most "
            "{worst} u. {reached} of {total} attention modules were reached, and {caught} of "
            "{controls} deliberate mistakes were caught."
        ),
        "passed_in_shadow": (
            "**All {layers} attention modules agree** to within rounding: {stages} stages, at most "
            "{worst} u apart. {reached} of {total} attention modules were reached, and {caught} of "
            "{controls} deliberate mistakes were caught."
        ),
        "failed": "**The verification did not pass.**",
        "what": "**{model}**, {dtype}. {route}",
        "route_weights": (
            "Checked from its weights: every layer is computed anew by the equations, from query "
            "to output."
        ),
        "route_backend": (
            "Checked in shadow: the model computes with its own attention, and at each call ours "
            "is computed beside it on the same queries, keys, values and mask."
        ),
        "route_own score term": (
            "Checked in shadow: the scores have a term of this architecture's own. Ours is given "
            "that term and computed beside the model's attention at each call."
        ),
        "route_backend and own score term": (
            "Checked in shadow: at each call ours is computed beside the model's own attention; "
            "where the scores have a term of this architecture's own, ours is given that term."
        ),
        "projections": (
            "Where the module's weights are known, its queries, keys, values and output are "
            "computed anew from them."
        ),
        "route_none": "Ours could not be put beside any of this model's attention calls.",
        "not_run": "**Some inputs could not be run.** What the model said:",
        "grid": "Error of each stage",
        "grid_note": (
            "Largest |ours − theirs| over all cases, in units of u times the stage's largest "
            "number. {allowed} is allowed; a wrong formula is off by thousands."
        ),
        "rule": "What counts as agreement",
        "rule_note": (
            "The truth is the same stage in float64, on the same inputs. With $u$ the unit "
            "roundoff of {dtype} and $s$ the largest number of the stage, three conditions must "
            "hold: we are as near to the model's own numbers as rounding explains, and neither our "
            "typical nor our largest error exceeds the model's own by more than rounding explains."
        ),
        "rule_cases": (
            "Inputs are real texts (one sentence, padded batches, a single token, the longest "
            "text) and random tokens: padded on the left, on the right, inside and throughout, of "
            "nine lengths, and of six sizes that are drawn anew; with gradients, too. A row of the "
            "table is the worst of them."
        ),
        "rule_cases_in_shadow": (
            "Inputs are random and such as the model takes: of one length, of several lengths with "
            "padding, and a single piece after a cache, where there is one. A row of the table is "
            "the worst of them."
        ),
        "noise": "How far the library differs from itself",
        "noise_note": (
            "transformers has two paths for the same attention, eager and sdpa. The distance "
            "between them is the noise that any third implementation must be seen against. "
            "(–: sdpa has no such stage of its own.)"
        ),
        "stage": "Stage",
        "ours": "ours – eager",
        "theirs": "sdpa – eager",
        "no_noise": "–",
        "whole": "The whole model",
        "whole_note": "Last hidden state with our attention swapped into every layer at once.",
        "case": "Case",
        "comparison": "Comparison",
        "largest": "Largest difference",
        "in_u": "in u",
        "holds": "Holds",
        "not_judged": "noise, not judged",
        "controls": "Deliberate mistakes",
        "controls_note": (
            "A check that cannot fail proves nothing. Each of these mistakes was put into our own "
            "function; the check must notice."
        ),
        "mistake": "Mistake",
        "caught": "Caught",
        "where": "First noticed",
        "yes": "✓ caught",
        "no": "✗ missed",
        "below": "below rounding",
        "where_value": "layer {layer}, {stage}",
        "coverage": "Coverage",
        "coverage_note": "{reached} of {total} attention modules were reached.",
        "not_from_weights": (
            "Of {count} of them query, key, value and output are not judged, since their weights "
            "are not known for certain:"
        ),
        "why": "Why",
        "layer": "Layer",
        "module": "Module reached",
        "stages": "Stages",
        "largest_in_u": "Largest difference, u",
        "not_reached": "Not reached ({count}):",
        "all_rows": "All figures",
    },
    "zh": {
        "title": "验证",
        "purpose": "公式与模型自己的各层，逐阶段对照。",
        "passed": (
            "**{layers} 层共 {stages} 个阶段全部一致**，误差都在舍入之内：最多 {worst} u。"
            "{total} 个注意力模块中检查到 {reached} 个，{controls} 个故意制造的错误中发现 "
            "{caught} 个。"
        ),
        "passed_in_shadow": (
            "**{layers} 个注意力模块全部一致**，误差都在舍入之内：共 {stages} 个阶段，最多相差 "
            "{worst} u。{total} 个注意力模块中检查到 {reached} 个，{controls} 个故意制造的错误中"
            "发现 {caught} 个。"
        ),
        "failed": "**验证未通过。**",
        "what": "**{model}**，{dtype}。{route}",
        "route_weights": "从权重检查：按公式重新计算每一层，从查询直到输出。",
        "route_backend": (
            "旁路检查：模型用自己的注意力计算；每次调用时，我们的函数在同样的查询、键、值和掩码上"
            "并行计算。"
        ),
        "route_own score term": (
            "旁路检查：该架构的分数含有自己的一项。我们的函数带上这一项，在每次调用时与模型自己的"
            "注意力并行计算。"
        ),
        "route_backend and own score term": (
            "旁路检查：每次调用时，我们的函数与模型自己的注意力并行计算；分数含有该架构自己的一项"
            "之处，我们的函数也带上这一项。"
        ),
        "projections": "模块的权重已知之处，查询、键、值和输出也据以重新计算。",
        "route_none": "该模型的注意力调用都无法与我们的函数对照。",
        "not_run": "**有些输入无法运行。**模型的说明：",
        "grid": "各阶段的误差",
        "grid_note": (
            "所有情形中 |我们 − 原库| 的最大值，单位为 u 乘以该阶段最大的数。允许 "
            "{allowed}；公式写错时会差几千。"
        ),
        "rule": "怎样才算一致",
        "rule_note": (
            "真值是同样输入下用 float64 计算的同一阶段。设 $u$ 为 {dtype} 的单位舍入误差，$s$ "
            "为该阶段最大的数，"
            "须同时满足三条：与模型自己的数之差可由舍入解释；我们的典型误差和最大误差超出模型误差的"
            "部分，"
            "也都可由舍入解释。"
        ),
        "rule_cases": (
            "输入是真实文本（一个句子、带填充的批次、单个词片、最长的文本）和随机词片：左侧、右侧、"
            "中间和整行填充，九种长度，六种每次重新抽取的大小；也比较梯度。表中每行取最差的一种。"
        ),
        "rule_cases_in_shadow": (
            "输入是随机的，符合模型的要求：同一长度；长度不一、带填充；有缓存的，缓存之后再输入"
            "单个词片。表中每行取最差的一种。"
        ),
        "noise": "原库与自身相差多少",
        "noise_note": (
            "transformers 对同一注意力有两条路径：eager 与 sdpa。两者之差就是噪声，任何第三种实现都"
            "应以此为参照。（–：sdpa 没有这个单独的阶段。）"
        ),
        "stage": "阶段",
        "ours": "我们 – eager",
        "theirs": "sdpa – eager",
        "no_noise": "–",
        "whole": "整个模型",
        "whole_note": "把每一层的注意力同时换成我们的，比较最后的隐藏状态。",
        "case": "情形",
        "comparison": "比较",
        "largest": "最大差",
        "in_u": "以 u 计",
        "holds": "成立",
        "not_judged": "噪声，不作判定",
        "controls": "故意制造的错误",
        "controls_note": (
            "不可能失败的检查什么也证明不了。以下每个错误都曾放进我们自己的函数，检查必须发现它。"
        ),
        "mistake": "错误",
        "caught": "是否发现",
        "where": "最先发现于",
        "yes": "✓ 已发现",
        "no": "✗ 未发现",
        "below": "小于舍入误差",
        "where_value": "第 {layer} 层，{stage}",
        "coverage": "覆盖",
        "coverage_note": "{total} 个注意力模块中检查到 {reached} 个。",
        "not_from_weights": (
            "其中 {count} 个的权重无法确知，因此它们的查询、键、值和输出未作判定："
        ),
        "why": "原因",
        "layer": "层",
        "module": "检查到的模块",
        "stages": "阶段数",
        "largest_in_u": "最大差（u）",
        "not_reached": "未检查到（{count} 个）：",
        "all_rows": "全部数字",
    },
}
