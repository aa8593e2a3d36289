"""`python -P -m inspector.verification.implementation …`: a user's file, run on request.

Its words are those of `starting.run_file`: the file, the pipes, the parent, the memory.
"""

import sys
from functools import partial

from inspector.verification.implementation.sandbox.child import serve
from inspector.verification.implementation.sandbox.source import load_build
from inspector.verification.implementation.sandbox.supervisor import Ends, supervise


def main(source: str, ends: str, parent: str, memory: str) -> None:
    """Watch a process that serves a user's file."""
    sys.dont_write_bytecode = True  # nothing is left beside the user's file
    pipes = Ends(*map(int, ends.split(",")))
    work = partial(serve, partial(load_build, source), source)
    supervise(work, pipes, int(parent), int(memory) or None)


if __name__ == "__main__":
    main(*sys.argv[1:])
