"""Words of the Head page.

Must not know: where they stand.
"""

from inspector.heads.description import PHRASES

WORDS = {
    "en": {
        "title": "Head",
        "purpose": "Everything that is known of one head.",
        "roles": "Roles of head {head_name}",
        **{f"said_{name}": phrase for name, phrase in PHRASES.items()},
        "behaviour": "Where it looks",
        "in_words": (
            "Of a piece's attention, **{special}** goes to special pieces, **{previous}** to the "
            "piece before, **{next}** to the piece after, **{own}** to itself and "
            "**{punctuation}** to punctuation. Its strongest look, special pieces set aside, is "
            "most often at offset **{offset}** ({share} of the time)."
        ),
        "behaviour_note": (
            "By weight: the probabilities. By norm: what is really moved, the length of weight × "
            "value in the output (Kobayashi et al. 2020). Means over {queries} pieces."
        ),
        "quantity": "Quantity",
        "by_weight": "By weight",
        "by_norm": "By norm",
        "meaning": "Meaning",
        "entropy_nats": "Spread of the attention, in nats.",
        "entropy_share": "The same, as a share of the most that it can be.",
        "confidence": "The largest weight on a piece that is not special.",
        "first_mass": "To the first piece.",
        "separator_mass": "To separators.",
        "special_mass": "To all special pieces.",
        "self_mass": "To the piece itself.",
        "previous_mass": "To the piece before.",
        "next_mass": "To the piece after.",
        "punctuation_mass": "To punctuation.",
        "duplicate_mass": "To the same piece elsewhere in the sentence, where there is one.",
        "distance_pieces": "Mean distance of what is looked at, in pieces.",
        "offset_mode": "The commonest offset of the strongest look.",
        "offset_share": "How often it is that offset.",
        "relations": "Relations, the largest lead over the baseline first",
        "relations_note": (
            "Over the whole corpus, this head alone, with nothing tested: of so many heads some "
            "lead by luck. What holds up is said by the claims and the roles."
        ),
        "claims_by_name": "Claims that name it",
        "no_claim": "No claim names this head: for each relation another was best.",
        "lead": "Lead",
        "offset": "Baseline's offset",
        "examples": "Examples",
        "examples_note": (
            "The framed word looks (or is looked at: “{attended}”). Shade: weight. "
            "✓ the annotated partner; ✗ what the head chose instead."
        ),
        "sentences_note": "Sentences are taken evenly over the corpus, {count} for this sample.",
        "windows_note": (
            "This relation reaches across sentences: it is asked in windows of a document, as long "
            "as the model reads, taken evenly over the corpus, {count} for this sample. Of "
            "coreference the dependent is a mention, the head an earlier mention of the same "
            "thing; every earlier one is right and has its ✓."
        ),
        "cut": "Cut around these words: {shown} of {all} words are shown.",
        "examples_corpus": (
            "From {corpus}, not from what the run was made of: the settings do not name its files."
        ),
        "pair": "Relation and direction",
        "best": "its best: {name}",
        "sample": "Sample",
        "in_sample": "{hits} of {all} pairs hit in this sample.",
        "hits": "It hits",
        "misses": "It misses",
        "no_hits": "No hit in this sample.",
        "no_misses": "No miss in this sample.",
        "no_sentences": "The corpus has no text with this relation.",
        "example": "{asked} → {predicted}; annotated: {expected} ({sentence}).",
        "weights": "Its weights",
    },
    "zh": {
        "title": "头",
        "purpose": "关于某一个头的全部所知。",
        "roles": "头 {head_name} 的角色",
        "said_nothing": "未发现头 {head} 的角色。",
        "said_head": "头 {head}：{what}。",
        "said_syntactic": "遵循句法关系 {relations}",
        "said_semantic": "遵循语义关系 {relations}",
        "said_logical": "遵循逻辑关系 {relations}",
        "said_relation": "{relation}（相对固定偏移 {points} 个百分点）",
        "said_positional": "多看偏移 {offset} 处（{share}）",
        "said_special-token": "停在特殊词元上（注意力的 {share}）",
        "said_broad": "几乎一视同仁地看一切（熵为最大值的 {share}）",
        "said_duplicate-token": "看别处的相同词片（注意力的 {share}）",
        "said_yes": "就 {relations} 而言模型需要它",
        "said_no": "就 {relations} 而言模型不需要它",
        "said_unclear": "就 {relations} 而言模型是否需要它尚不清楚",
        "said_and": " 和 ",
        "said_comma": "、",
        "said_semicolon": "；",
        "behaviour": "它看向哪里",
        "in_words": (
            "一个词片的注意力中，**{special}** 给特殊词片，**{previous}** 给前一个词片，**{next}** "
            "给后一个词片，**{own}** 给自身，**{punctuation}** 给标点。不计特殊词片，最强的注意力最"
            "常落在偏移 **{offset}**（占 {share}）。"
        ),
        "behaviour_note": (
            "按权重：即概率。按范数：实际搬运的量，即权重 × 值在输出中的长度（Kobayashi 等，"
            "2020）。为 {queries} 个词片的平均。"
        ),
        "quantity": "量",
        "by_weight": "按权重",
        "by_norm": "按范数",
        "meaning": "含义",
        "entropy_nats": "注意力的分散程度，单位 nat。",
        "entropy_share": "同上，占其最大可能值的比例。",
        "confidence": "非特殊词片上的最大权重。",
        "first_mass": "给第一个词片。",
        "separator_mass": "给分隔符。",
        "special_mass": "给全部特殊词片。",
        "self_mass": "给词片自身。",
        "previous_mass": "给前一个词片。",
        "next_mass": "给后一个词片。",
        "punctuation_mass": "给标点。",
        "duplicate_mass": "给句中别处的相同词片（若有）。",
        "distance_pieces": "所看之处的平均距离，以词片计。",
        "offset_mode": "最强注意力最常见的偏移。",
        "offset_share": "落在该偏移的比例。",
        "relations": "各种关系，领先基线最多的在前",
        "relations_note": (
            "整个语料上，只看这个头，未经检验：许多头之中总有一些碰巧领先。经得起检验的见论断与角色"
            "。"
        ),
        "claims_by_name": "提到它的论断",
        "no_claim": "没有论断提到该头：每种关系都另有更好的头。",
        "lead": "领先",
        "offset": "基线的偏移",
        "examples": "例子",
        "examples_note": (
            "加框的词在看（“{attended}”时则为被看）。深浅：权重。✓ 标注的另一个词；✗ 该头选错的词。"
        ),
        "sentences_note": "句子均匀取自整个语料，本样本 {count} 句。",
        "windows_note": (
            "该关系跨越句子，因此在一篇文档的窗口中考察；窗口的长度以模型能读为限，均匀取自整个"
            "语料，本样本 {count} 个。就共指而言，从属词是一个提及，中心词是同一事物更早的提及；"
            "每个更早的提及都算对，都标有 ✓。"
        ),
        "cut": "只截取这些词的前后：显示 {all} 个词中的 {shown} 个。",
        "examples_corpus": "取自 {corpus}，而非该剖析所用的语料：配置未列出其文件。",
        "pair": "关系与方向",
        "best": "它最好的：{name}",
        "sample": "样本",
        "in_sample": "本样本 {all} 对中命中 {hits} 对。",
        "hits": "命中",
        "misses": "未命中",
        "no_hits": "本样本中没有命中。",
        "no_misses": "本样本中没有未命中。",
        "no_sentences": "语料中没有含该关系的文本。",
        "example": "{asked} → {predicted}；标注：{expected}（{sentence}）。",
        "weights": "它的权重",
    },
}
