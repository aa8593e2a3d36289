"""The process of one job: `python -P -m inspector.runs.background.worker FOLDER`.

Its standard input is a pipe from the server that started it. When that closes, the server is gone,
however it ended: the process stops as if it had been told to, and what was finished is kept.
"""

import os
import signal
import sys
import threading
import time
import traceback
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from inspector.errors import InspectorError, Interrupted, OutputError, sentence
from inspector.runs.background.job import Status, read_job, read_status, teller, write_status
from inspector.runs.background.work import compute
from inspector.runs.store.lock import locked

_PATIENCE_S = 10.0
_TRIES, _PAUSE_S = 20, 0.1
_MOST_OF_A_FAULT = 250
_FAULT = (
    "something went wrong that inspector did not foresee ({what}): log.txt in {folder} says where."
)


def main(folder: Path) -> int:
    """Compute the job of a folder, and return the exit code."""
    job = read_job(folder)
    with ExitStack() as stack:
        _take_lock(stack, folder)
        write_status(folder, Status())
        try:
            compute(folder, job, teller(folder))
        except InspectorError as error:
            write_status(folder, Status("failed", sentence=str(error)))
            return error.exit_code
        except KeyboardInterrupt:
            write_status(folder, replace(read_status(folder), state="stopped"))
            return Interrupted.exit_code
        except Exception as error:
            what = traceback.format_exception_only(error)[-1].strip()
            said = sentence(_FAULT.format(what=what[:_MOST_OF_A_FAULT], folder=folder))
            write_status(folder, Status("failed", sentence=said))
            raise  # to the log
        write_status(folder, Status("done", share=1.0))
        return 0


def _take_lock(stack: ExitStack, folder: Path) -> None:
    """Hold the job's lock. Whoever looks whether it is held has it for an instant."""
    for left in reversed(range(_TRIES)):
        try:
            stack.enter_context(locked(folder))
        except OutputError:
            if not left:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


def _end_with_server() -> None:
    """Stop this process when its standard input closes."""
    # Not through sys.stdin, whose lock would still be held when Python ends.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_PATIENCE_S)
    os._exit(Interrupted.exit_code)


if __name__ == "__main__":
    threading.Thread(target=_end_with_server, daemon=True).start()
    sys.exit(main(Path(sys.argv[1])))
