"""What the dashboard computes when asked: once per model, in a thread of its own.

A reader who leaves the page interrupts nothing, and whoever comes meanwhile sees the same
progress. What failed is forgotten and can be asked for again.
"""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from time import monotonic
from typing import Generic, TypeVar

from inspector.errors import InputError, InspectorError
from inspector.progress import Progress

Result = TypeVar("Result")
_ENOUGH = 0.02
"""Share of the work that must be done before the time that is left can be guessed."""

_ONE_AT_A_TIME = Lock()


class Computation(Future[Result]):
    """Something being computed, or computed; its `result` raises what the computation raised."""

    def __init__(self, work: Callable[[Progress], Result]) -> None:
        """Begin as soon as what was asked for before is done."""
        super().__init__()
        self.stage = ""
        """What is being done; empty until it has begun."""
        self.share = 0.0
        """Of the work, as far as it is known."""
        self._begun = 0.0
        # A daemon: a server that is stopped does not wait for it.
        self.thread = Thread(target=self._compute, args=(work,), daemon=True)
        self.thread.start()

    @property
    def failed(self) -> bool:
        """Whether it ended without a result."""
        return self.done() and self.exception() is not None

    @property
    def minutes_left(self) -> int | None:
        """Return how long it will take at the pace so far, rounded up; None if none can be told."""
        if not _ENOUGH < self.share < 1.0:
            return None
        return int((monotonic() - self._begun) * (1 / self.share - 1) // 60) + 1

    def _compute(self, work: Callable[[Progress], Result]) -> None:
        try:
            with _ONE_AT_A_TIME:
                self.set_result(work(self._told))
        except InspectorError as error:
            self.set_exception(error)
        except BaseException as error:
            self.set_exception(error)
            raise  # to the server's log

    def _told(self, what: str, share: float) -> None:
        self._begun = self._begun or monotonic()
        self.stage, self.share = what, share


class DefaultRuns(Generic[Result]):
    """The computations that all sessions share, of the models last asked for."""

    def __init__(self, room: int = 2) -> None:
        """Keep at most `room` of them."""
        self._room = room
        self._lock = Lock()
        self._known: dict[str, Computation[Result]] = {}

    def find(self, model: str) -> Computation[Result] | None:
        """Return a model's computation, under way or done; None where there is none."""
        with self._lock:
            return self._standing(model)

    def start(self, model: str, work: Callable[[Progress], Result]) -> Computation[Result]:
        """Return a model's computation, begun now unless it was before.

        Args:
            model: Its name.
            work: Computes the result and tells how far it is.

        Raises:
            InputError: If as many as there is room for are being computed.
        """
        with self._lock:
            standing = self._standing(model)
            if standing is not None:
                return standing
            if len(self._known) >= self._room:
                self._make_room()
            begun = self._known[model] = Computation(work)
            return begun

    def _standing(self, model: str) -> Computation[Result] | None:
        computation = self._known.get(model)
        if computation is not None and computation.failed:
            del self._known[model]
            return None
        return computation

    def _make_room(self) -> None:
        for model, computation in self._known.items():
            if computation.done():
                del self._known[model]
                return
        raise InputError(
            f"models ({', '.join(self._known)}) are being computed, as many as there is room for: "
            "wait until one is done."
        )
