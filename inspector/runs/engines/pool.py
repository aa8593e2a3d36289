"""Shards handed out to workers elsewhere, and taken back: what pools of every kind have in common.

A worker that dies is replaced and its shard given out again; a shard that ends every worker it is
given to is named.
"""

import traceback
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol, TypeVar

from inspector.errors import InspectorError, no_memory
from inspector.runs.store.shards import ShardResult

ATTEMPTS = 3

Worker = Callable[[int], ShardResult]
"""From a shard's id to what it gives."""
Results = Generator[tuple[int, ShardResult], None, None]
"""Shard ids with what each gave, as each is done."""


class WorkerError(InspectorError):
    """A shard that ended every worker it was given to, or workers that cannot be had."""

    exit_code = 3


def out_of_memory(shard_id: int) -> WorkerError:
    """Return what is said when a shard needs more memory than there is."""
    return WorkerError(
        f"shard ({shard_id}) needs more memory than there is: make room, or use fewer --workers, "
        "and run the command again with --resume; finished shards are kept."
    )


@dataclass(frozen=True)
class Failure:
    """What a worker raised, on its way to the process that asked."""

    error: InspectorError | None
    summary: str
    trace: str
    of_memory: bool = False
    """Whether there was no memory left."""

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        """Return what is sent of an error: itself if it has a sentence for users, else its text."""
        kept = error if isinstance(error, InspectorError) else None
        summary = "".join(traceback.format_exception_only(error)).strip()
        trace = "".join(traceback.format_exception(error))
        return cls(kept, summary, trace, no_memory(error))

    def raise_again(self, shard_id: int) -> NoReturn:
        """Raise the error itself, or a RuntimeError with its text; the notes say where it was."""
        known = self.error or (out_of_memory(shard_id) if self.of_memory else None)
        error = known or RuntimeError(f"shard ({shard_id}) failed in a worker: {self.summary}")
        error.add_note(self.trace)
        raise error


class Member(Protocol):
    """A worker, seen from where shards are handed out, and the shard it is at."""

    shard_id: int

    def give(self, shard_id: int) -> None:
        """Let it compute another shard; if it is dead, `answer` will say so."""

    def answer(self) -> ShardResult | Failure | None:
        """Return what it sent; None if it died before it had answered."""

    def stop(self) -> str:
        """End it, whatever it is at, and say how it ended."""


SomeMember = TypeVar("SomeMember", bound=Member)


def hand_out(
    shard_ids: Sequence[int],
    workers: int,
    start: Callable[[int], SomeMember],
    ready: Callable[[list[SomeMember]], list[SomeMember]],
) -> Results:
    """Yield (shard id, result), as each is done. All members are stopped when it is closed.

    Args:
        shard_ids: What to compute.
        workers: How many members at once, at most.
        start: Gives a new member that computes a first shard.
        ready: Waits; gives those members that have answered or died, at least one.

    Raises:
        InspectorError: What a worker raised, as it raised it.
        WorkerError: If a shard ended three workers.
        RuntimeError: If a worker raised anything else; its traceback is in the notes.
    """
    waiting = deque(shard_ids)
    deaths: Counter[int] = Counter()
    members: list[SomeMember] = []
    try:
        while waiting and len(members) < workers:
            members.append(start(waiting.popleft()))
        while members:
            for member in ready(members):
                shard_id, answer = member.shard_id, member.answer()
                if answer is None:
                    deaths[shard_id] += 1
                    members.remove(member)
                    how = member.stop()
                    if deaths[shard_id] == ATTEMPTS:
                        raise WorkerError(
                            f"shard ({shard_id}) ended its worker process {ATTEMPTS} times "
                            f"({how}): the machine may be short of memory. Run the command again "
                            "with --resume and fewer --workers; finished shards are kept."
                        )
                    members.append(start(shard_id))
                    continue
                if isinstance(answer, Failure):
                    answer.raise_again(shard_id)
                if waiting:
                    member.give(waiting.popleft())
                else:
                    members.remove(member)
                    member.stop()
                yield shard_id, answer
    finally:
        for member in members:
            member.stop()
