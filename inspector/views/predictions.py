"""A sentence with one head's attention on it: shaded words, the prediction and the truth marked.

HTML without script, every word escaped; shades are half transparent over the page's own colour.
"""

from collections.abc import Collection, Sequence

from inspector.errors import InputError
from inspector.html import escape

_SHADE = "230, 159, 0"
_STRONGEST = 0.55
_WORD = "display: inline-block; padding: 1px 4px; margin: 2px 1px; border-radius: 3px"
_ASKED = "outline: 2px solid currentColor; font-weight: 600"
_EXPECTED = "border-bottom: 3px solid #009e73"
_WRONG = "border-bottom: 3px dashed #d55e00"
_GAP = '<span style="opacity: 0.6; padding: 0 4px">…</span>'


def prediction_html(
    words: Sequence[str],
    weights: Sequence[float],
    asked: int,
    predicted: int,
    expected: int | Collection[int],
    shown: Sequence[int] | None = None,
) -> str:
    """Return a sentence as HTML: the word asked about framed, all others shaded by weight.

    The annotated partner has a green line and ✓; a prediction that differs a dashed one and ✗.
    Each word's title is its weight.

    Args:
        words: Of the sentence.
        weights: The attention of each word, -1 where it is no choice.
        asked: The word whose partner is asked for.
        predicted: Its partner by the head.
        expected: Its partner by the annotation, or all words that are right.
        shown: The words that are shown, in order, an ellipsis for those between; all where not
            given.

    Raises:
        InputError: If words and weights differ in number.

    Example:
        >>> prediction_html(["a", "<b>"], [-1.0, 0.5], 0, 1, 1).count("✓")
        1
    """
    if len(words) != len(weights):
        raise InputError(
            f"weights ({len(weights)}) must be as many as words ({len(words)}): one for each."
        )
    right = {expected} if isinstance(expected, int) else set(expected)
    spans, next_one = [], 0
    for place in range(len(words)) if shown is None else shown:
        if place != next_one:
            spans.append(_GAP)
        next_one = place + 1
        styles, mark = [_WORD], ""
        weight = weights[place]
        if place == asked:
            styles.append(_ASKED)
        elif weight > 0:
            styles.append(f"background: rgba({_SHADE}, {_STRONGEST * min(weight, 1.0):.3f})")
        if place in right:
            styles.append(_EXPECTED)
            mark = "<sup>✓</sup>"
        elif place == predicted:
            styles.append(_WRONG)
            mark = "<sup>✗</sup>"
        title = "" if weight < 0 else f' title="{weight:.3f}"'
        spans.append(
            f'<span style="{"; ".join(styles)}"{title}>{escape(words[place])}{mark}</span>'
        )
    if next_one < len(words):
        spans.append(_GAP)
    return f'<p style="line-height: 2; margin: 0">{" ".join(spans)}</p>'


def words_around(n_words: int, places: Collection[int], reach: int) -> list[int]:
    """Return the words of a text that stand near any of some places, in order.

    Args:
        n_words: Of the text.
        places: The words concerned.
        reach: How many words on each side of each are near.

    Example:
        >>> words_around(9, [1, 6], 1)
        [0, 1, 2, 5, 6, 7]
    """
    near = {other for place in places for other in range(place - reach, place + reach + 1)}
    return sorted(near & set(range(n_words)))
