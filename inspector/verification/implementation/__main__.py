"""`python -m inspector.verification.implementation FILE.py:NAME`: a user's file, run on request.

Requests come on stdin, answers go to stdout; what the user's code prints goes to stderr.
Must not know: models, judging.
"""

import os
import sys

from inspector.verification.implementation.child import serve
from inspector.verification.implementation.source import load_build


def main(source: str) -> None:
    """Serve a user's file over stdin and stdout, which its code gets no hold of."""
    sys.dont_write_bytecode = True  # nothing is left beside the user's file
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    serve(lambda: load_build(source), source, requests, answers)


if __name__ == "__main__":
    main(sys.argv[1])
