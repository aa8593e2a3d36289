"""How a long computation says how far it is: to who called it, or by a bar with the time left."""

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, float], None]
"""Called with what is being done and the share that is done, in [0, 1]."""
_FORMAT = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"


@contextmanager
def shown(progress: Progress | bool | None) -> Iterator[Progress | None]:
    """Give what is told how far a computation is.

    Args:
        progress: What is told; True for a bar with the time left; None for a bar in a notebook or a
            terminal, and nothing elsewhere; False for nothing.

    Example:
        >>> with shown(False) as show:
        ...     show is None
        True
    """
    if not isinstance(progress, bool | None):
        yield progress
    elif progress is False or (progress is None and not _is_watched()):
        yield None
    else:
        with _bar() as show:
            yield show


def _is_watched() -> bool:
    if os.environ.get("TQDM_DISABLE", "0") not in ("", "0"):  # tqdm's notebook bars overlook it
        return False
    return in_notebook() or (sys.stderr is not None and sys.stderr.isatty())


def in_notebook() -> bool:
    """Return whether a notebook's kernel runs this."""
    python = sys.modules.get("IPython")
    shell = None if python is None else python.get_ipython()
    return type(shell).__name__ == "ZMQInteractiveShell"


@contextmanager
def _bar() -> Iterator[Progress]:
    with warnings.catch_warnings(action="ignore"):  # that a notebook has no widgets
        from tqdm.auto import tqdm
    with tqdm(total=1.0, bar_format=_FORMAT, leave=False) as bar:

        def show(what: str, share: float) -> None:
            bar.update(share - bar.n)
            bar.set_description_str(what, refresh=not bar.desc.startswith(what))

        yield show
