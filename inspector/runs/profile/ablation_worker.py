"""Ablation in a profile: which sentences are read without each head, and one shard of that.

The sentences are of the test split, on which no head was chosen: such that rare relations are
asked in several documents too.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from inspector.corpora.text_set import TextSet
from inspector.errors import InputError
from inspector.head_names import Head
from inspector.heads.ablation import StateChangeSums, ablate_each
from inspector.heads.ablation.necessity import MIN_DOCUMENTS
from inspector.heads.ablation.word_loss import LossSums
from inspector.heads.observers.batch import batches_of
from inspector.heads.specialization.lift import MIN_PAIRS
from inspector.heads.specialization.split import is_for_selection
from inspector.models import BatchSize, PretrainedModel
from inspector.models.forward.within_memory import Fitting
from inspector.models.loading.language_head import LanguageHead
from inspector.runs.store.shards import ShardResult

SENTENCES_A_SHARD, WINDOWS_A_SHARD = 32, 1
"""Sentences, and windows, whose shard costs about as much as one of the profile itself."""
STANDARD_SENTENCES = 96
"""Sentences that are read without each head where no number is asked for."""
MASKED_SHARE = 4
"""Of a masked language model, which reads each seven times, one sentence in as many is read."""
SENTENCES_A_WINDOW = 16
"""Sentences that are asked for each window that is."""
DOCUMENTS = (MIN_DOCUMENTS, 2 * MIN_DOCUMENTS)
"""Documents in which each relation is asked, where it has as many: first so many, then more."""

_Item = TypeVar("_Item")


def check_ablation_sentences(number: int | None, *, ablation: bool = True) -> int:
    """Return how many sentences are to be read without each head.

    Args:
        number: What was asked for, if anything.
        ablation: Whether any are read.

    Raises:
        InputError: If it is less than 1, or none are read and it is given all the same.

    Example:
        >>> check_ablation_sentences(None)
        96
    """
    if number is None:
        return STANDARD_SENTENCES
    if not ablation:
        raise InputError(
            f"ablation-sentences ({number}) and --no-ablation are both given, and only one can be: "
            "--no-ablation asks for none."
        )
    if number < 1:
        raise InputError(
            f"ablation-sentences ({number}) must be at least 1: --no-ablation asks for none."
        )
    return number


def sample(read: TextSet, size: int) -> tuple[int, ...]:
    """Return places of sentences of the test split: rare relations first, then evenly spread.

    Of each relation with pairs enough there that a claim on it may be supported, beginning with
    that of the fewest documents, one sentence in each of some documents (`DOCUMENTS`), spread over
    all that have it. What is left of `size` is spread over the other sentences that have
    relations. Only what is annotated decides, never what a head does there.

    Args:
        read: All there are.
        size: How many, at most.
    """
    report = [
        (place, text, document)
        for place, (text, document) in enumerate(zip(read.texts, read.documents, strict=True))
        if text.relations and not is_for_selection(document)
    ]
    names = {place: [one.label for one in read.scored(text)] for place, text, _ in report}
    pairs = Counter(name for found in names.values() for name in found)
    first: dict[str, dict[str, int]] = defaultdict(dict)
    for place, _, document in report:
        for name in names[place]:
            first[name].setdefault(document, place)
    known = [name for name in read.asked if pairs[name] >= MIN_PAIRS]
    taken: list[int] = []
    asked: dict[str, set[str]] = defaultdict(set)
    for n_documents in DOCUMENTS:
        for name in sorted(known, key=lambda name: len(first[name])):
            others = [document for document in first[name] if document not in asked[name]]
            wanted = min(max(n_documents - len(asked[name]), 0), size - len(taken))
            for document in spread(others, wanted):
                taken.append(first[name][document])
                for found in names[taken[-1]]:
                    asked[found].add(document)
    rest = sorted(set(names) - set(taken))
    return tuple(sorted([*taken, *spread(rest, size - len(taken))]))


def spread(items: Sequence[_Item], size: int) -> list[_Item]:
    """Return as many of the items, evenly spread, all where there are fewer.

    Example:
        >>> spread("abcdef", 3)
        ['a', 'c', 'e']
    """
    taken = min(size, len(items))
    return [items[number * len(items) // taken] for number in range(taken)]


def ablation_shard(
    model: PretrainedModel,
    read: TextSet,
    names: Sequence[str],
    batch_size: BatchSize,
    head: LanguageHead | None,
    fitting: Fitting,
) -> ShardResult:
    """Return what some texts lose without each of the model's heads.

    Args:
        model: Whose heads.
        read: The texts.
        names: Relations that are asked about.
        batch_size: Of the texts, and of what is computed at once.
        head: The model's language-modelling head, where it has one.
        fitting: Counts the batches that memory was enough for.
    """
    known = list(dict.fromkeys(read.documents))
    sums = empty_sums(known, names, every_head(model.n_layers, model.n_heads), head)
    _, batches = batches_of(model, read, known, sums.names, batch_size)
    fitting.start([batch.words for batch in batches])
    ablate_each(model, batches, sums, step=fitting.step, batch_tokens=batch_size.tokens)
    return ShardResult(sums.state(), {"documents": known})


def every_head(n_layers: int, n_heads: int) -> list[tuple[tuple[int, int], ...]]:
    """Return the variants of a model that lack one head each.

    Example:
        >>> every_head(1, 2)
        [((0, 0),), ((0, 1),)]
    """
    return [((layer, head),) for layer, head in np.ndindex(n_layers, n_heads)]


def empty_sums(
    documents: list[str],
    names: Sequence[str],
    variants: list[tuple[Head, ...]],
    head: LanguageHead | None,
) -> StateChangeSums:
    """Return sums with nothing in them; those of the loss too where there is a head for it."""
    known = list(names)
    losses = None if head is None else LossSums(head, documents, known, variants, alone=True)
    return StateChangeSums(documents, known, variants, losses)


def ablation_sums(
    shards: Sequence[ShardResult],
    names: Sequence[str],
    n_layers: int,
    n_heads: int,
    head: LanguageHead | None,
) -> StateChangeSums:
    """Return what the shards found, added up."""
    documents = sorted({one for shard in shards for one in shard.labels["documents"]})
    sums = empty_sums(documents, names, every_head(n_layers, n_heads), head)
    for shard in shards:
        sums.add_state(shard.arrays, shard.labels["documents"], names)
    return sums
