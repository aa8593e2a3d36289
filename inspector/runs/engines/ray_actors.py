"""Actors of Ray that compute shards, as `hand_out` wants its members."""

import pickle
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from inspector.runs.engines.pool import Failure, Worker

_LOOK_AROUND_SECONDS = 0.5


class _Actor:
    """An actor, seen from the process that talks to Ray, and the shard it is at."""

    def __init__(self, handle: Any, shard_id: int) -> None:
        self.handle = handle
        self.how = "it was not needed any more"
        self.give(shard_id)

    def give(self, shard_id: int) -> None:
        self.shard_id = shard_id
        self.promise = self.handle.work.remote(shard_id)

    def answer(self) -> Any:
        import ray

        try:
            return pickle.loads(ray.get(self.promise))  # noqa: S301 - sent by `_Cell.work`
        except ray.exceptions.RayError as error:
            self.how = str(error).strip().splitlines()[-1].partition(". ")[0]
            return None

    def stop(self) -> str:
        import ray

        ray.kill(self.handle)
        return self.how


class _Cell:
    """What an actor is: a worker, in a process of Ray's."""

    def __init__(self, made: bytes) -> None:
        self.made = made
        self.worker: Worker | None = None

    def work(self, shard_id: int) -> bytes:
        """Return the result or the failure; as bytes, which do not end with Ray's memory."""
        try:
            if self.worker is None:
                self.worker = pickle.loads(self.made)()  # noqa: S301 - sent by the process above
            return pickle.dumps(self.worker(shard_id))
        # Whatever it is, the parent raises it as it is; let through, Ray would wrap it, and an
        # error of the computation would look like a dead actor, whose shard is given out again.
        except BaseException as error:  # noqa: BLE001
            return pickle.dumps(Failure.of(error))


def actors(
    connection: Connection, made: bytes, gpus: int
) -> tuple[Callable[[int], _Actor], Callable[[list[_Actor]], list[_Actor]]]:
    """Return what `hand_out` takes: a function that starts one, and one that waits for some.

    Args:
        connection: Whose other end waits for the answers; nothing is sent to this one.
        made: The pickled function that makes a worker.
        gpus: How many of them each actor is given.

    Raises:
        BrokenPipeError: By the second function, once the connection is closed.
    """
    import ray

    cell = ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0, max_task_retries=0)(_Cell)
    kept = ray.put(made)

    def start(shard_id: int) -> _Actor:
        return _Actor(cell.remote(kept), shard_id)

    def ready(members: list[_Actor]) -> list[_Actor]:
        while not connection.poll():  # it has nothing but its end to give
            promises = [actor.promise for actor in members]
            if done := ray.wait(promises, timeout=_LOOK_AROUND_SECONDS)[0]:
                return [actor for actor in members if actor.promise in done]
        raise BrokenPipeError

    return start, ready
