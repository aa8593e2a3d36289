"""For which inputs a verification holds, and of what: sizes, padding, modes, the model's files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from secrets import randbelow
from typing import Any

from inspector.arguments import MOST_SEED, check
from inspector.verification.padding_places import KINDS

ALL_QUERIES = 2**21
"""Up to so many scores in a call all queries are compared."""
_PLACES = {
    "left": "on the left",
    "right": "on the right",
    "inside": "inside",
    "whole row": "of a whole row",
}


def check_seed(seed: int | None) -> int:
    """Return the seed; one that nobody knows where none is given.

    Raises:
        InputError: If it is no whole number from 0 to 2,147,483,647.

    Example:
        >>> check_seed(-1)
        Traceback (most recent call last):
        inspector.errors.InputError: seed (-1) must be a whole number from 0 to 2147483647, or be
        left out.
    """
    check("seed", seed, optional=True)
    return randbelow(MOST_SEED + 1) if seed is None else seed


def some(names: Sequence[str], most: int = 3, between: str = ", ") -> str:
    """Return the first of many names, and how many more there are.

    Example:
        >>> some(["a", "b", "c", "d", "e"])
        'a, b, c and 2 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return between.join(names[:most]) + more


@dataclass(frozen=True)
class Scope:
    """What a verification was run on: it holds up to there."""

    heads: int
    d_head: int
    files: Mapping[str, str] = field(default_factory=dict)
    """Name → SHA-256 of the files that the model was read from; none of one in memory."""
    seed: int = 0
    """From which the sizes and the numbers of the random inputs were drawn."""
    longest: int = 0
    """Tokens of the longest input."""
    largest_batch: int = 0
    padding: tuple[str, ...] = ()
    """Where padding stood: any of `paddings.KINDS`."""
    gradients: bool | str = False
    """Whether gradients of the hidden states were compared; or 'not asked', without autograd."""
    modes: tuple[str, ...] = ()
    """In which modes it was run, such as 'evaluation' or 'training'."""
    longest_gradient: int = 0
    """Tokens of the longest input of which gradients were compared, where that is known."""
    largest_score: float = 0.0
    """Up to where scores were scaled up."""
    queries: int | None = None
    """How many queries of a long text were compared, at least; None where all were."""
    alone_in_u: float | None = None
    """How far a row alone is from the same row in its batch, in units of u·scale."""
    not_asked: Mapping[str, str] = field(default_factory=dict)
    """What was not tried → why."""

    def having(
        self,
        *,
        batch: int = 0,
        length: int = 0,
        padding: Iterable[str] = (),
        mode: str | None = None,
        gradient: int = 0,
        largest_score: float = 0.0,
        queries: int | None = None,
    ) -> "Scope":
        """Return the scope with one more input in it.

        Args:
            batch: Its texts.
            length: Its tokens.
            padding: Where it has padding.
            mode: That of the modules.
            gradient: Its tokens, where its gradient was compared; else 0.
            largest_score: Up to where its scores were scaled up; else 0.
            queries: How many of them were compared; None where all were.
        """
        kinds = {*self.padding, *padding}
        return replace(
            self,
            longest=max(self.longest, length),
            largest_batch=max(self.largest_batch, batch),
            padding=tuple(kind for kind in KINDS if kind in kinds),
            modes=tuple(dict.fromkeys([*self.modes, *([mode] if mode else [])])),
            gradients=self.gradients or gradient > 0,
            longest_gradient=max(self.longest_gradient, gradient),
            largest_score=max(self.largest_score, largest_score),
            queries=min((n for n in (self.queries, queries) if n is not None), default=None),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, as `verify --json` has it."""
        return {
            "heads": self.heads,
            "d_head": self.d_head,
            "files": dict(self.files),
            "inputs": {
                "seed": self.seed,
                "longest": self.longest,
                "largest_batch": self.largest_batch,
                "padding": list(self.padding),
                "gradients": self.gradients,
                "longest_gradient": self.longest_gradient,
                "modes": list(self.modes),
                "largest_score": self.largest_score,
                "queries_of_long_texts": self.queries,
                "row_alone_in_u": self.alone_in_u,
                "not_asked": dict(self.not_asked),
            },
        }

    def lines(self) -> list[str]:
        """Return it in sentences.

        Example:
            >>> Scope(12, 32, {}, 0, 512, 8, ("left", "whole row"), True, ("evaluation",)).lines()
            ['12 heads × 32. Holds for up to 512 tokens, batches of up to 8, padding on the left \
and of a whole row; modes: evaluation; gradients: compared. Seed 0.']
        """
        places = [_PLACES[kind] for kind in self.padding]
        told = " and ".join(", ".join(places).rsplit(", ", 1))
        padding = f"padding {told}" if places else "no padding"
        said = (
            f"{self.heads} heads × {self.d_head}. Holds for up to {self.longest} tokens, batches "
            f"of up to {self.largest_batch}, {padding}; modes: {', '.join(self.modes)}; "
            f"gradients: {self._gradients()}{self._scores()}. Seed {self.seed}."
        )
        return [said, *self._remarks()]

    def file_lines(self) -> list[str]:
        """Return the hashes of the files, a line each."""
        return [f"{name}: sha256 {digest}" for name, digest in self.files.items()]

    def _gradients(self) -> str:
        if self.gradients == "not asked":
            return "none came back, so that nothing before it can be trained"
        if not self.gradients:
            return "not compared"
        up_to = f" up to {self.longest_gradient} tokens" if self.longest_gradient else ""
        return f"compared{up_to}"

    def _scores(self) -> str:
        return f"; scores up to {self.largest_score:g}" if self.largest_score else ""

    def _remarks(self) -> Iterator[str]:
        if self.queries is not None:
            yield (
                f"Of texts of more than {ALL_QUERIES:,} scores in a layer at least {self.queries} "
                "queries are compared, drawn from the seed."
            )
        if self.alone_in_u is not None:
            yield (
                "A row alone and the same row in its batch are at most "
                f"{self.alone_in_u:.1f} u apart."
            )
        if self.not_asked:
            told = "; ".join(f"{what} ({why})" for what, why in self.not_asked.items())
            yield f"Not asked: {told}."
