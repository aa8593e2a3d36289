"""What a profile computes, computed before any shard: its sentences, windows and relation names."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from inspector.corpora import Corpus, Sentence
from inspector.corpora.annotation.document_windows import Windows, corpus_windows
from inspector.corpora.annotation.matched_pairs import with_controls
from inspector.corpora.annotation.mentions import has_mentions
from inspector.corpora.annotation.overlapping_windows import overlapping_places, windows_of_text
from inspector.corpora.battery.text import KINDS as OF_BATTERY
from inspector.corpora.battery.text import MATCHED
from inspector.corpora.sentence import LeftOut, Relation, RelationSubset
from inspector.corpora.text_set import TextSet
from inspector.errors import InputError
from inspector.heads.enough_words import check_some_read
from inspector.models import PretrainedModel, token_counts
from inspector.models.forward.sentence_batches import tokens_of_words
from inspector.models.loading.language_head import language_head
from inspector.runs.profile.ablation_worker import MASKED_SHARE, sample
from inspector.runs.profile.shard_worker import ProfileJob, ProfileSettings
from inspector.runs.profile.versions import identity

KINDS = ("syntax", "multi-hop", "semantic", "logical", *OF_BATTERY)
"""Kinds of relations, in the order in which frames have them."""


def profile_job(
    model: PretrainedModel, corpus: Corpus, settings: ProfileSettings, revision: str | None
) -> tuple[ProfileJob, Windows]:
    """Return what workers compute, and the windows of it with what they leave out.

    Args:
        model: Whose heads.
        corpus: What is read.
        settings: What changes the figures.
        revision: Of a hub id.

    Raises:
        InputError: If the corpus has no sentence that the model can read, or its relations cannot
            be named apart.
    """
    # Once for all who read it.
    read = [replace(sentence, written=sentence.surface) for sentence in corpus.sentences]
    corpus = replace(corpus, sentences=read)
    if settings.long == "windows":
        corpus = _in_overlapping_windows(model, corpus)
    read = corpus.sentences
    lengths, n_special = token_counts(model, [sentence.surface for sentence in read])
    check_some_read(model, corpus.name, lengths, n_special)
    _note_left_out(model, corpus, [length + n_special for length in lengths])
    windows = windows_of(model, corpus, settings)
    _check_names((*corpus.sentences, *windows.texts))
    sentences = TextSet.of(
        (with_controls(sentence, sentence.heads) for sentence in corpus.sentences),
        corpus.document_ids(),
    )
    of_windows = TextSet.of(
        windows.texts, [window.document or "" for window in windows.texts], is_windows=True
    )
    n_sentences, n_windows = settings.ablation_sentences, settings.ablation_windows
    head = language_head(model) if settings.ablation else None
    if head is not None and head.kind == "masked":
        n_sentences, n_windows = (-(-n // MASKED_SHARE) for n in (n_sentences, n_windows))
    job = ProfileJob(
        # Workers of a cluster are in another folder than we.
        model=str(model.folder.resolve())
        if model.folder and Path(model.name).is_dir()
        else model.name,
        revision=revision,
        dtype=model.dtype,
        device=str(model.device),
        sentences=sentences,
        settings=settings,
        windows=of_windows,
        ablation_sentences=sample(sentences, n_sentences) if settings.ablation else (),
        ablation_windows=sample(of_windows, n_windows) if settings.ablation else (),
        has_loss=head is not None,
        identity=identity(model),
    )
    return job, windows


def _note_left_out(model: PretrainedModel, corpus: Corpus, lengths: Sequence[int]) -> None:
    """Log which texts are longer than the model takes."""
    long = [place for place, length in enumerate(lengths) if length > model.max_tokens]
    if long:
        logging.getLogger("inspector").warning(
            "%d of %d sentences have more tokens than %s takes (%d) and are left out, the first of "
            "them %s (%d tokens): a profile reads them in windows if long is 'windows'.",
            *(len(long), len(lengths), model.name, model.max_tokens),
            *(corpus.sentences[long[0]].id, lengths[long[0]]),
        )


def _in_overlapping_windows(model: PretrainedModel, corpus: Corpus) -> Corpus:
    """Return a corpus with each text that is longer than the model takes in windows, said so."""
    lengths, n_special = token_counts(model, [sentence.surface for sentence in corpus.sentences])
    room = model.max_tokens - n_special
    texts: list[Sentence] = []
    for sentence, document, length in zip(
        corpus.sentences, corpus.document_ids(), lengths, strict=True
    ):
        named = replace(sentence, document=document)
        if length <= room:
            texts.append(named)
            continue
        windows = _windows_within(model, named, room)
        texts += windows
        lost = len(sentence.relations) - sum(len(one.relations) for one in windows)
        logging.getLogger("inspector").warning(
            "text (%s, %d tokens) is longer than %s takes (%d): it is read in %d windows that "
            "overlap by half, each word described in one of them; relations that no window holds: "
            "%d",
            *(sentence.id, length + n_special, model.name, model.max_tokens, len(windows), lost),
        )
    return replace(corpus, sentences=texts)


def _windows_within(model: PretrainedModel, sentence: Sentence, room: int) -> list[Sentence]:
    """Return windows of at most so many tokens; a word may make more of them at a beginning."""
    counts, limit = tokens_of_words(model, sentence.surface), room
    while True:
        places = overlapping_places(counts, limit)
        windows = windows_of_text(sentence, places)
        own, _ = token_counts(model, [one.surface for one in windows])
        over = max(
            (n - room for n, place in zip(own, places, strict=True) if len(place) > 1), default=0
        )
        if over <= 0 or limit <= over:
            return windows
        limit -= over


def within_window(model: PretrainedModel, corpus: Corpus) -> Corpus:
    """Return a corpus without the pairs that a model's sliding window keeps apart.

    What is as many words away as the window has tokens no head can see: it is not asked, neither
    of heads nor of offsets and rules.
    """
    window = model.window
    if window is None or all(len(one.words) <= window for one in corpus.sentences):
        return corpus

    def seen(one: Relation) -> bool:
        return min(abs(one.source - target) for target in one.targets) < window

    kept = [replace(one, relations=tuple(filter(seen, one.relations))) for one in corpus.sentences]
    lost = sum(len(one.relations) for one in corpus.sentences)
    lost -= sum(len(one.relations) for one in kept)
    reason = f"further apart than the model's window of {window} tokens: not asked"
    left = (LeftOut("relations", reason, lost),) if lost else ()
    return replace(corpus, sentences=kept, left_out=(*corpus.left_out, *left))


def windows_of(model: PretrainedModel, corpus: Corpus, settings: ProfileSettings) -> Windows:
    """Return the windows of a corpus, as long as the model and the settings allow.

    Args:
        model: Whose tokenizer counts.
        corpus: What is read.
        settings: Whether mentions are read, and how long a window may be.
    """
    if not settings.coreference:
        return corpus_windows(corpus, (), 0, coreference=False)
    if not has_mentions(corpus.sentences):
        return corpus_windows(corpus, (), 0)  # nobody asks how long a sentence is
    surfaces = [sentence.surface for sentence in corpus.sentences]
    lengths, n_special = token_counts(model, surfaces, going_on=True)
    limit = (
        min(model.max_tokens, settings.window_tokens, model.window or model.max_tokens) - n_special
    )
    return corpus_windows(corpus, lengths, limit)


def relation_kinds(job: ProfileJob) -> dict[str, str]:
    """Return the kind of each relation, kinds in their order, names sorted; controls left out."""
    found = {
        relation.label: relation.kind
        for sentence in (*job.sentences.texts, *job.windows.texts)
        for relation in sentence.relations
        if not relation.is_control
    }
    order = sorted(found, key=lambda label: (KINDS.index(found[label]), label))
    return {label: found[label] for label in order}


def _check_names(sentences: Iterable[Sentence]) -> None:
    kinds: dict[str, str] = {}
    for sentence in sentences:
        for relation in sentence.relations:
            if relation.kind not in KINDS:
                raise InputError(
                    f"kind ({relation.kind}) of relation '{relation.label}' must be a known one. "
                    f"Available: {', '.join(KINDS)}."
                )
            own = RelationSubset.of(relation.label)
            if own.name != relation.label or own.subset not in ("", MATCHED):
                raise InputError(
                    f"relation ({relation.label}) must not have '|' in its name, which "
                    "stands for subsets of pairs: leave it out."
                )
            if kinds.setdefault(relation.label, relation.kind) != relation.kind:
                raise InputError(
                    f"relation ({relation.label}) must be of one kind, not of "
                    f"{kinds[relation.label]} and {relation.kind}: name the two apart."
                )
