"""The field's words are used: what stood for them here is in no page, message, name or option."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GONE = re.compile(
    r"\bpieces?\b|_pieces?\b|\bpiece_|held against|put out of action|twin|silenc|\bdrift\b"
    r"|--(no-)?cause\b|report half|selection half|in shadow|own score term|not told apart"
    r"|must be one that there is",
    re.IGNORECASE,
)
DEVELOPMENT = re.compile(r"\bdesign\.md\b|\bissue \d|\bits client\b", re.IGNORECASE)


def texts(*folders):
    """Return (path, text) of what is kept as text in some folders."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".py", ".md", ".yaml"}:
                yield path, path.read_text(encoding="utf-8")


def found(pattern, *folders):
    """Return what a pattern finds, as 'file:line: text'."""
    pages = [(ROOT / name, (ROOT / name).read_text(encoding="utf-8")) for name in ("README.md",)]
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path, text in [*pages, *texts(*folders)]
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line) and "former name" not in line.lower()
    ]


def test_package_and_pages_have_the_fields_words():
    assert found(GONE, "inspector", "docs", "benchmarks") == []


def test_former_names_still_run():
    from typer.testing import CliRunner

    from inspector.cli import app
    from inspector.views.maps import AttentionMaps

    assert isinstance(AttentionMaps.pieces, property)
    shown = CliRunner().invoke(app, ["profile", "--help"]).output
    assert "--no-ablation" in shown
    assert "--no-cause" not in shown


def test_no_word_of_how_it_was_made_is_left():
    assert found(DEVELOPMENT, "inspector", "docs", "benchmarks") == []


@pytest.mark.parametrize("line", ["two pieces", "n_pieces", "its twin", "Silenced", "--no-cause"])
def test_control_a_word_that_went_is_seen(line):
    assert GONE.search(line)


def test_the_glossary_defines_what_is_ours():
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    ours = ["lift", "optimism", "claim", "role", "run", "shard", "relation", "offset", "needed"]
    ours += ["stage", "observer", "u"]
    assert [word for word in ours if f"\n| {word} | " not in page] == []
