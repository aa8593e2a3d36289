"""Whether a corpus leaves anything to read: a run of nothing measured is refused at once."""

from collections.abc import Sequence

from inspector.errors import InputError
from inspector.models import PretrainedModel


def check_some_read(
    model: PretrainedModel, corpus: str, lengths: Sequence[int], n_special: int
) -> None:
    """Refuse a corpus of which the model can read no sentence.

    Args:
        model: That is to read it.
        corpus: Its name.
        lengths: The tokens of each sentence's words.
        n_special: The special tokens of a text.

    Raises:
        InputError: If there is no sentence, or each has too many tokens or none; it says how many.
    """
    if not lengths:
        raise InputError(f"corpus ({corpus}) has no sentence: give one that has some.")
    room = model.max_tokens - n_special
    if any(0 < length <= room for length in lengths):
        return
    n_long = sum(length > room for length in lengths)
    reasons = {
        f"more tokens than the model takes ({model.max_tokens})": n_long,
        "words of which its tokenizer makes no token": len(lengths) - n_long,
    }
    why = " and ".join(
        f"{count} of {len(lengths)} sentences have {reason}"
        for reason, count in reasons.items()
        if count
    )
    better = "shorter sentences" if n_long else "words that it knows"
    windows = " A profile reads them in windows where long is 'windows'." if n_long else ""
    raise InputError(
        f"corpus ({corpus}) has nothing that {model.name} can read: {why}.{windows} Give a "
        f"corpus of {better}, or a model that takes these."
    )
