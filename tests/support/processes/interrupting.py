"""Processes that a test can interrupt, however the tests themselves were started."""

import signal
import subprocess


def start_interruptible(*arguments, **options):
    """Return a process for which SIGINT and SIGHUP mean what they mean at a terminal.

    A shell lets what it starts in the background ignore SIGINT, nohup lets it ignore SIGHUP, and a
    process hands that down.
    """
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    try:
        return subprocess.Popen(*arguments, **options)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
