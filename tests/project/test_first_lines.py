"""The first lines of a notebook user, as docs/how-to/notebook.md lists them: each is run."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from inspector.errors import InspectorError

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "notebook.md"
_COMMENT = re.compile(r"# (?P<kind>->|says) (?P<expected>.+)")


def statements():
    """Yield the code of each statement of the page, and the match of the comment behind it."""
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        lines = block.splitlines()
        for node in ast.parse(block).body:
            rest = lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode()
            yield ast.get_source_segment(block, node), _COMMENT.fullmatch(rest.strip())


def what_comes(code, names):
    """Return the type of what a line gives, or what it says where it does not work."""
    target, is_assigned, value = code.partition(" = ")
    is_assigned = is_assigned and target.isidentifier()
    try:
        result = eval(value if is_assigned else code, names)  # noqa: S307  # our own page
    except (InspectorError, AttributeError, KeyError) as error:
        return None, str(error)
    if is_assigned:
        names[target] = result
    return type(result).__name__, ""


def run_all():
    """Return how many lines were asked, and those that do something else than the page says."""
    names, wrong, asked = {}, [], 0
    for code, match in statements():
        if match is None:
            exec(code, names)  # noqa: S102  # our own page
            continue
        asked += 1
        kind, said = what_comes(code, names)
        expected = match["expected"]
        if match["kind"] == "->":
            if kind != expected:
                wrong.append((code, kind, said))
        elif kind is not None or not said.startswith(expected) or "\n" in said:
            wrong.append((code, kind, said))
    return asked, wrong


def test_every_first_line_works_or_says_what_to_do():
    # In a process of its own, as a user's, where no test tool checks each call.
    done = subprocess.run(
        [sys.executable, __file__], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    asked, wrong = json.loads(done.stdout)
    assert wrong == [], wrong
    assert asked >= 30


@pytest.mark.parametrize(
    ("code", "came"),
    [("1 + 1", ("int", "")), ("x = 'a'", ("str", "")), ("{}['no']", (None, "'no'"))],
)
def test_a_line_that_does_something_else_is_seen(code, came):
    assert what_comes(code, {}) == came


if __name__ == "__main__":
    print(json.dumps(run_all()))
