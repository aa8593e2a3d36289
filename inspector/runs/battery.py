"""The probes of a model: the battery in its own vocabulary, and corpora with it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256

from inspector.arguments import checked
from inspector.corpora import Corpus
from inspector.corpora.battery.battery import DOCUMENTS, battery
from inspector.corpora.battery.words import RESERVED, ProbeWords
from inspector.errors import InputError
from inspector.models import PretrainedModel
from inspector.models.loading.load_model import ModelOrName, loaded
from inspector.models.tokenizing.one_token_words import drawable_words, is_one_token, text_start

DECODER = "decoder"
"""The battery that there is."""


@checked
def probes(
    model: ModelOrName,
    probes: Sequence[str] | None = None,
    *,
    documents: int = DOCUMENTS,
    periods: Sequence[int] | None = None,
    seed: int = 0,
) -> Corpus:
    """Return the decoder battery in a model's own vocabulary: a corpus that `profile` takes.

    Probes: previous-token, duplicate-token, induction, successor, name-mover, s-inhibition,
    retrieval; what each asks, and its control, is in docs/decoder-probes.md. One whose words the
    tokenizer splits is not asked; `.left_out` gives the reason.

    Args:
        model: A loaded model, or what `inspector.load` takes; a decoder.
        probes: Which; all where not given.
        documents: Of each probe.
        periods: How many words are repeated, one of these for each text; at least two. As many as
            vocabulary and model allow, from 6 to 24, where not given.
        seed: Of all that is drawn.

    Raises:
        InputError: If the model is no decoder, there is no such probe, or a number cannot be used.
        ModelError: If the model cannot be loaded.

    Example:
        >>> probes("gpt2", ["induction"], documents=4)  # doctest: +SKIP
    """
    ready = loaded(model)
    if ready.architecture.kind != "decoder":
        raise InputError(
            f"model ({ready.name}) must be a decoder for the decoder battery: it is an "
            f"{ready.architecture.kind}."
        )
    return battery(probe_words(ready), probes, documents=documents, periods=periods, seed=seed)


def check_probes(given: str | None) -> None:
    """Refuse a battery that there is not.

    Raises:
        InputError: If it is named.
    """
    if given not in (None, DECODER):
        raise InputError(f"probes ({given}) must be a battery that there is. Available: {DECODER}.")


def probe_words(model: PretrainedModel) -> ProbeWords:
    """Return what of a model's vocabulary the battery may use."""
    tokenizer = model.tokenizer
    drawn = tuple(word for word in drawable_words(tokenizer) if word not in RESERVED)
    before, has_start = text_start(tokenizer, drawn[:3]) if drawn else ("", False)
    return ProbeWords(
        drawn=drawn,
        is_one_token=partial(is_one_token, tokenizer),
        longest=model.max_tokens - tokenizer.num_special_tokens_to_add() - bool(before.strip()),
        before=before,
        has_start=has_start,
    )


def with_battery(model: PretrainedModel, corpora: Sequence[Corpus]) -> list[Corpus]:
    """Return corpora, each with the battery behind it; the battery alone where there is none.

    Raises:
        InputError: If there is no corpus, and no probe can be asked of the model.
    """
    own = probes(model)
    if not corpora and not own.sentences:
        raise InputError(
            f"probes ({DECODER}) cannot be asked of model {model.name}, "
            f"{own.left_out[0].reason}: give a corpus."
        )
    return [
        replace(
            corpus,
            name=f"{corpus.name} and {own.name}" if own.sentences else corpus.name,
            sentences=[*corpus.sentences, *own.sentences],
            left_out=(*corpus.left_out, *own.left_out),
            sha256=sha256(f"{corpus.sha256}{own.sha256}".encode()).hexdigest(),
            annotation=" and ".join(dict.fromkeys((corpus.annotation, own.annotation))),
        )
        for corpus in corpora
    ] or [own]
