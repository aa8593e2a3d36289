"""Processes that a test can interrupt, however the tests themselves were started."""

import signal
import subprocess


def start_interruptible(*arguments, **options):
    """Return a process for which SIGINT means what it means at a terminal.

    A shell lets what it starts in the background ignore SIGINT, and a process hands that down.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(*arguments, **options)
    finally:
        signal.signal(signal.SIGINT, before)
