"""Shards computed by actors of Ray: on the cluster that RAY_ADDRESS names, or on one started here.

Who talks to Ray is a process of its own, so that nothing of Ray reaches ours: its output, its
signals, its settings. For trusted networks only: whoever has a cluster's token runs code on it.
"""

import logging
import os
import pickle
import secrets
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from shutil import rmtree
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

from inspector.errors import InputError, InspectorError
from inspector.runs.engines.pool import Failure, Results, Worker, WorkerError, hand_out
from inspector.runs.engines.processes import end_process, end_with_parent, received, start_process
from inspector.runs.engines.ray_actors import actors

# What workers on other machines are told of our environment; those started here have all of it.
_HANDED_DOWN = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "TOKENIZERS_PARALLELISM")
_CONNECTED = "connected"
_JOIN_SECONDS, _START_SECONDS = 30.0, 120.0
_PATIENCE_SECONDS = 30.0
_PREFIX = "inspector-"
# A socket's path must fit into 103 characters; below its folder Ray takes up to 66 of them.
_LONGEST_FOLDER = 103 - 66 - len(f"/{_PREFIX}12345678")


def on_ray(
    shard_ids: Sequence[int], make_worker: Callable[[], Worker], workers: int, gpus: int = 0
) -> Results:
    """Yield (shard id, result), as each is done, computed by actors of Ray.

    Where RAY_ADDRESS is set (to an address, or to `auto` for the cluster that `ray start` started
    on this machine) that cluster is used: each of its machines needs the same packages, and the
    model under the same name. Otherwise one is started that only this machine can reach, and
    ended with the iterator.

    Args:
        shard_ids: What to compute.
        make_worker: As `run_shards` takes it.
        workers: How many actors, of one core each.
        gpus: How many of them each actor is given.

    Raises:
        InspectorError: What a worker raised, as it raised it.
        WorkerError: If a shard ended three actors, or the cluster cannot be used.
        RuntimeError: If a worker raised anything else; its traceback is in the notes.
    """
    if not shard_ids:
        return
    made, address = pickle.dumps(make_worker), _address()
    with TemporaryDirectory(
        prefix=_PREFIX, dir=_short_folder(), ignore_cleanup_errors=True
    ) as folder:
        asked = (folder, made, workers, gpus)
        process, connection = start_process(_drive, list(shard_ids), *asked)
        # What is being started must be whole to be put away; what is not ours need not be.
        patience = 0.0 if address else _PATIENCE_SECONDS
        try:
            if not connection.poll(_JOIN_SECONDS if address else _START_SECONDS):
                patience = 0.0
                raise _unusable("it does not answer")
            patience = _PATIENCE_SECONDS
            for _ in (_CONNECTED, *shard_ids):
                answer = received(connection)
                if isinstance(answer, BaseException):
                    raise answer
                if answer is None:
                    raise WorkerError(
                        "engine (ray) lost the process that talks to Ray: run the command again "
                        "with --resume; finished shards are kept."
                    )
                if answer != _CONNECTED:
                    yield answer
        finally:
            connection.close()  # it sees that, and puts everything away
            process.join(patience)
            end_process(process)


def _drive(
    connection: Connection,
    shard_ids: Sequence[int],
    folder: str,
    made: bytes,
    workers: int,
    gpus: int,
) -> None:
    """Send (shard id, result) of each shard, or what went wrong, till the connection is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # our parent stops us
    end_with_parent(_PATIENCE_SECONDS)  # in which it sees that, and puts everything away
    _say_nothing()
    with suppress(OSError):  # of a connection that is closed
        try:
            with _cluster(folder, workers):
                _check_gpus(gpus)
                connection.send(_CONNECTED)
                start, ready = actors(connection, made, gpus)
                for answer in hand_out(shard_ids, workers, start, ready):
                    connection.send(answer)
        except (InspectorError, RuntimeError) as error:
            connection.send(error)
        except BaseException as error:
            connection.send(RuntimeError(f"engine (ray): {Failure.of(error).summary}"))
            raise


def _say_nothing() -> None:
    """Drop what Ray prints, of each worker that died for instance: what matters is sent."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


@contextmanager
def _cluster(folder: str, workers: int) -> Iterator[None]:
    """Be connected to the cluster of RAY_ADDRESS, or to a new one that ends with the block."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.chdir(folder)  # Ray lets workers import what lies where we are: here it is nothing
    try:
        _connect(folder, workers)
        yield
    finally:
        import ray

        ray.shutdown(wait_for_processes=True)
        rmtree(folder, ignore_errors=True)  # our parent may be gone


def _connect(folder: str, workers: int) -> None:
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if _address():
        told = {name: os.environ[name] for name in _HANDED_DOWN if name in os.environ}
        # RAY_ADDRESS goes before it.
        settings |= {"address": "auto", "runtime_env": {"env_vars": told}}
    else:
        _keep_to_this_machine()
        settings |= {"address": "local", "num_cpus": workers, "include_dashboard": False}
        settings["_temp_dir"] = folder
    import ray

    try:
        ray.init(**settings)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise _unusable(_first_line(error)) from error


def _check_gpus(gpus: int) -> None:
    """Refuse a cluster without a GPU for one actor: it would be waited for without end."""
    import ray

    untyped: Any = ray
    there = int(untyped.cluster_resources().get("GPU", 0))
    if there < gpus:
        raise _unusable(f"which has {there} GPU(s), and each worker needs {gpus}")


def _address() -> str:
    """Return the address of the cluster to use, nothing for one that is to be started."""
    address = os.environ.get("RAY_ADDRESS", "")
    return "" if address == "local" else address


def _keep_to_this_machine() -> None:
    """Set what makes a new cluster one that no other machine reaches, and no other user enters."""
    os.umask(0o077)
    # Ray's own way to say that a machine is no part of a cluster; else it listens everywhere.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)  # for this cluster alone, in no file
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)


def _unusable(reason: str) -> InspectorError:
    if address := _address():
        return InputError(
            f"RAY_ADDRESS ({address}) must name a cluster of Ray that can be used, {reason}: "
            "start it, or unset RAY_ADDRESS to have one started on this machine."
        )
    return WorkerError(
        f"engine (ray) cannot start Ray on this machine, {reason}: choose another. "
        "Available: local."
    )


def _short_folder() -> str | None:
    """Return a folder for temporary files in which the paths of Ray's sockets are short enough."""
    usual = gettempdir()
    return usual if len(usual) <= _LONGEST_FOLDER or os.name != "posix" else "/tmp"  # noqa: S108


def _first_line(error: BaseException) -> str:
    return (
        (str(error).strip().splitlines() or [type(error).__name__])[0]
        .partition(". ")[0]
        .rstrip(".")
    )
