"""How the process of a user's implementation begins: in a fresh Python, or as a copy of ours."""

import multiprocessing
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from inspector.errors import InputError
from inspector.verification.implementation.sandbox.child import serve
from inspector.verification.implementation.sandbox.exchange import Exchange
from inspector.verification.implementation.sandbox.process_tree import end_marked
from inspector.verification.implementation.sandbox.source import split_source
from inspector.verification.implementation.sandbox.supervisor import supervise
from inspector.verification.implementation.sandbox.user_process import ProcessTrial

_PATIENCE_SECONDS = 5.0
_MARK = "INSPECTOR_TRIAL"


def run_file(source: str, timeout: float | None, memory: int | None = None) -> ProcessTrial:
    """Return the implementation FILE.py:NAME in a fresh Python.

    Raises:
        InputError: If there is no such file or name, it cannot be run, or takes too long or much.
    """
    if not hasattr(os, "setsid"):
        raise InputError(
            f"implementation ({source}) runs in a process of its own, which Windows cannot watch: "
            "give the function itself, or use Linux, macOS or WSL."
        )
    split_source(source)

    def start(exchange: Exchange, limit: int | None) -> Callable[[], None]:
        mark, theirs = secrets.token_hex(16), list(vars(exchange.theirs).values())
        pipes = ",".join(map(str, theirs))
        watched = [source, pipes, str(os.getpid()), str(limit or 0)]
        # -P: no file of the current folder is taken for a module.
        supervisor = subprocess.Popen(  # noqa: S603 - our own module; the file is the user's wish
            [sys.executable, "-P", "-m", "inspector.verification.implementation", *watched],
            stdin=subprocess.DEVNULL,
            stdout=exchange.theirs.output,
            stderr=exchange.theirs.output,
            start_new_session=True,
            pass_fds=theirs,
            env={**os.environ, _MARK: mark},
        )

        def end() -> None:
            try:
                supervisor.wait(_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                supervisor.kill()
                supervisor.wait()
            if supervisor.returncode != 0:  # the code ended it, perhaps, before it could end all
                end_marked(mark)

        return end

    return ProcessTrial(source, start, timeout, memory)


def run_function(
    build: Callable[..., Any], name: str, timeout: float | None, memory: int | None = None
) -> ProcessTrial:
    """Return a function's implementation in a copy of this process.

    Raises:
        InputError: If this system cannot copy a process, or as `run_file`.
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        raise InputError(
            f"timeout ({timeout}) and memory ({memory}) need a system that can copy a process: put "
            "the function into a file and give FILE.py:NAME."
        )

    def start(exchange: Exchange, limit: int | None) -> Callable[[], None]:
        parent = os.getpid()

        def watch() -> None:
            os.setsid()
            exchange.let_go_of_ours()
            torch.set_num_threads(1)  # the threads of this process were not copied
            supervise(partial(serve, lambda: build, name), exchange.theirs, parent, limit)

        supervisor = multiprocessing.get_context("fork").Process(target=watch, daemon=True)
        supervisor.start()

        def end() -> None:
            supervisor.join(_PATIENCE_SECONDS)
            if supervisor.is_alive():
                supervisor.kill()
                supervisor.join()

        return end

    return ProcessTrial(name, start, timeout, memory)
