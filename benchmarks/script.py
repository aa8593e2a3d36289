"""The peer of a profile that anybody could write: `output_attentions=True`, then numpy.

Behaviour's quantities and the counts of relations, sentence by sentence, all heads at once.
Must not know: the observers that it is compared with.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.subjects import minilm

if TYPE_CHECKING:
    import numpy as np

    from inspector.heads.observers import AnnotatedBatch


QUANTITIES = (
    "entropy_nats",
    "entropy_share",
    "confidence",
    "first_mass",
    "separator_mass",
    "special_mass",
    "punctuation_mass",
    "duplicate_mass",
    "distance_tokens",
    "previous_mass",
    "self_mass",
    "next_mass",
)
"""Of behaviour's frame, in the order in which the script sums them."""


class Figures(NamedTuple):
    """What the script keeps: sums and counts over all sentences."""

    sums: "np.ndarray"
    """(quantity, layer, head)."""
    offsets: "np.ndarray"
    """(layer, head, offset)."""
    n: "np.ndarray"
    """(document, relation)."""
    correct: "np.ndarray"
    """(document, relation, direction, layer, head)."""


def script(made: "list[AnnotatedBatch]", names: list[str]) -> Figures:
    """Return what Behaviour and RelationScores keep, as a competent script finds it."""
    import numpy as np
    import torch

    from inspector.models import running

    model = minilm()
    documents = 1 + max(place for batch in made for place in batch.documents)
    n = np.zeros((documents, len(names)), dtype=np.int64)
    correct = np.zeros((*n.shape, 3, model.n_layers, model.n_heads), dtype=np.int64)
    sums = np.zeros((12, model.n_layers, model.n_heads))
    offsets = np.zeros((model.n_layers, model.n_heads, 2 * model.max_tokens), dtype=np.int64)
    with running(model, "eager"), torch.inference_mode():
        for batch in made:
            inputs = batch.words.batch.inputs()
            maps = torch.stack(model.model(**inputs, output_attentions=True).attentions, 1).numpy()
            lengths = batch.words.batch.attention_mask.sum(1).tolist()
            for row, sentence in enumerate(batch.sentences):
                size = lengths[row]
                words = batch.words.word_of_token[row, :size].numpy()
                ids = batch.words.batch.input_ids[row, :size].numpy()
                map_ = maps[row, :, :, :size, :size]
                sums += _masses(map_, words, ids, sentence, offsets)
                of_document = batch.documents[row]
                _score(map_, words, sentence, names, n[of_document], correct[of_document])
    return Figures(sums, offsets, n, correct)


def _masses(
    map_: "np.ndarray",
    words: "np.ndarray",
    ids: "np.ndarray",
    sentence: Any,
    offsets: "np.ndarray",
) -> "np.ndarray":
    import numpy as np

    content = words >= 0
    size, looks = len(words), map_[..., content, :]
    place = np.arange(size)
    own = place[content]  # between special tokens: each has a token before and after it
    apart = np.abs(own[:, None] - place[None, :]) * content
    punctuation = np.array([tag == "PUNCT" for tag in sentence.upos])
    separator = place == size - 1
    again = (ids[:, None] == ids[None, :]) & content[:, None] & content & (place[:, None] != place)
    entropy = -(looks * np.log(np.maximum(looks, 1e-30))).sum(-1)
    on_content = looks[..., content]
    beside = [map_[..., own, own + step].sum(-1) for step in (-1, 0, 1)]
    jump = own[on_content.argmax(-1)] - own
    for layer, head in np.ndindex(*jump.shape[:2]):
        counted = np.bincount(jump[layer, head] + offsets.shape[-1] // 2)
        offsets[layer, head, : len(counted)] += counted
    return np.stack(
        [
            entropy.sum(-1),
            entropy.sum(-1) / np.log(size),
            on_content.max(-1).sum(-1),
            looks[..., 0].sum(-1),
            looks[..., separator].sum((-2, -1)),
            looks[..., ~content].sum((-2, -1)),
            looks[..., np.where(content, punctuation[words], False)].sum((-2, -1)),
            (map_ * again).sum((-2, -1)),
            ((looks * apart).sum(-1) / on_content.sum(-1)).sum(-1),
            *beside,
        ]
    )


def _score(
    map_: "np.ndarray",
    words: "np.ndarray",
    sentence: Any,
    names: list[str],
    n: "np.ndarray",
    correct: "np.ndarray",
) -> None:
    import numpy as np

    tokens = np.flatnonzero(words >= 0)
    known, starts = np.unique(words[tokens], return_index=True)
    counts = np.diff([*starts, len(tokens)])
    content = map_[..., tokens[0] : tokens[-1] + 1, tokens[0] : tokens[-1] + 1]
    between = np.add.reduceat(content.astype(np.float64), starts, axis=-1)
    between = np.add.reduceat(between, starts, axis=-2) / counts[:, None]
    between[..., np.arange(len(known)), np.arange(len(known))] = -1.0
    to, back = known[between.argmax(-1)], known[between.argmax(-2)]
    place = {int(word): i for i, word in enumerate(known)}
    for relation in sentence.relations:
        if relation.source in place and relation.target in place:
            at = names.index(relation.label)
            n[at] += 1
            correct[at, 0] += to[..., place[relation.source]] == relation.target
            correct[at, 1] += to[..., place[relation.target]] == relation.source
            correct[at, 2] += back[..., place[relation.source]] == relation.target
