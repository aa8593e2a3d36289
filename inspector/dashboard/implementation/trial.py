"""A reader's own code, checked as the command checks it: in processes of its own.

Only where the settings allow it. Between the server and the code stand the command's process and,
below that, the sandbox that watches the code.
"""

import shutil
import tempfile
from pathlib import Path

from inspector.dashboard.implementation.report_file import Report, read_report
from inspector.dashboard.implementation.side_process import SideProcess
from inspector.errors import InputError

MOST_CODE = 100_000
_CALL_SECONDS, _MEMORY = "60", str(2 * 1024**3)
_MOST_SECONDS = 900.0
_COMMAND = "from inspector.cli import main; main()"


def template() -> str:
    """Return the file to fill in."""
    return Path(__file__).with_name("my_attention.txt").read_text(encoding="utf-8")


class Trial:
    """A check that is under way, or done."""

    def __init__(self, code: str, model: str, layers: str = "") -> None:
        """Start it.

        Args:
            code: Python that defines `build`.
            model: An alias, a hub id or a folder.
            layers: Such as "0,3"; all where empty.

        Raises:
            InputError: If the code is too long, or too much is running.
        """
        if len(code) > MOST_CODE:
            raise InputError(
                f"code ({len(code)} characters) must have at most {MOST_CODE} characters: shorten "
                "it, or use the command."
            )
        self._folder = Path(tempfile.mkdtemp(prefix="inspector-"))
        file = self._folder / "my_attention.py"
        file.write_text(code, encoding="utf-8")
        words = ["verify", "--implementation", f"{file}:build", "--timeout", _CALL_SECONDS]
        words += ["--memory", _MEMORY, "--json", *(["--layers", layers] if layers else [])]
        try:
            self._process = SideProcess(_COMMAND, [*words, "--", model], _MOST_SECONDS)
        except InputError:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    @property
    def ended(self) -> bool:
        """Whether there is an outcome."""
        return self._process.ended

    def stop(self) -> None:
        """End it."""
        self._process.stop()

    def outcome(self) -> Report:
        """Return the report; called once it has ended.

        Raises:
            InputError: If it was stopped, or the code cannot be run.
        """
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._process.stopped:
            raise InputError("check (stopped) has no report: start it again.")
        printed = "".join(self._process.lines)
        if not printed.strip():
            told = self._process.complaint.replace(f"{self._folder}/", "")
            raise InputError(told or "check (ended) has no report: start it again.")
        return read_report("my_attention.py", printed.encode())
