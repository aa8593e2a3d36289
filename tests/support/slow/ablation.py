"""Ablation measured again with plain loops: whole passes, one word at a time, in Python floats.

Must not know: how inspector counts; only how it ablates a head, which has tests of its own.
"""

import torch

from inspector.models.forward.head_ablation import ablated
from inspector.models.forward.sentence_batches import word_batches

CONTENT = {"NOUN", "PROPN", "VERB", "ADJ", "ADV", "NUM"}
NO_CLASS = {"PUNCT", "SYM", "X"}


def class_of(sentence, word):
    if sentence.upos is None:
        return "word"
    tag = sentence.upos[word]
    return None if tag in NO_CLASS else tag in CONTENT


def word_states(model, sentence):
    """Return the states of each word's tokens, of one sentence by itself."""
    batch = word_batches(model, [sentence.surface], 1).batches[0]
    with torch.no_grad():
        state = model.model(**batch.batch.inputs()).last_hidden_state[0].double()
    words = batch.word_of_token[0].tolist()
    return [
        [state[i] for i, of in enumerate(words) if of == word]
        for word in range(len(sentence.words))
    ]


def state_changes(model, sentence, heads, how, means):
    """Return (relative change, cosine) of each word, None where it has no token."""
    before = word_states(model, sentence)
    with ablated(model, heads, how, means):
        after = word_states(model, sentence)
    found = []
    for old, new in zip(before, after, strict=True):
        if not old:
            found.append(None)
            continue
        moved = [float((b - a).norm() / a.norm()) for a, b in zip(old, new, strict=True)]
        cosine = [float(a @ b / a.norm() / b.norm()) for a, b in zip(old, new, strict=True)]
        found.append((sum(moved) / len(moved), sum(cosine) / len(cosine)))
    return found


def mean(values):
    return sum(values) / len(values) if values else float("nan")


def slow_ablation(model, sentences, heads, how="zero", means=None):
    """Return (relation, word) → n, effect, matched effect, cosine, matched cosine."""
    return grouped(sentences, [state_changes(model, one, heads, how, means) for one in sentences])


def grouped(sentences, figures):
    """Return (relation, word) → n, then of each figure its mean at measured and at matched words.

    Args:
        sentences: With their relations.
        figures: Of each sentence, of each word, a pair of figures; None where it has none.
    """
    found = {}
    for sentence, of_word in zip(sentences, figures, strict=True):
        every = [one for one in of_word if one is not None]
        found.setdefault(("(all)", "(any)"), []).extend((one, None) for one in every)
        for label in {relation.label for relation in sentence.relations}:
            pairs = [one for one in sentence.relations if one.label == label]
            part = {word for one in pairs for word in (one.source, one.target)}
            for end in ("dependent", "head"):
                words = {one.source if end == "dependent" else one.target for one in pairs}
                for word in words:
                    kind = class_of(sentence, word)
                    free = [
                        of_word[other]
                        for other in range(len(sentence.words))
                        if other not in part
                        and of_word[other] is not None
                        and class_of(sentence, other) == kind
                    ]
                    if of_word[word] is None or kind is None or not free:
                        continue
                    matched = tuple(mean([one[i] for one in free]) for i in (0, 1))
                    found.setdefault((label, end), []).append((of_word[word], matched))
    rows = {}
    for key, pairs in found.items():
        rows[key] = (
            len(pairs),
            mean([one[0] for one, _ in pairs]),
            mean([other[0] for _, other in pairs if other]),
            mean([one[1] for one, _ in pairs]),
            mean([other[1] for _, other in pairs if other]),
        )
    return rows
