"""The documentation: every page is in the site's contents, every block of code was executed.

Blocks after `<!-- slow -->` are executed by `make test-full` alone.
"""

import contextlib
import doctest
import importlib.util
import io
import re
import shlex
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

import inspector
from inspector.cli import app

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CONFIG = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
BLOCK = re.compile(r"^(<!-- slow -->\n)?```(python|sh|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGES = {
    str(path.relative_to(DOCS).with_suffix("")): path.read_text(encoding="utf-8")
    for path in sorted(DOCS.rglob("*.md"))
}
FIRST_LINES = "how-to/notebook"  # tests/project/test_first_lines.py runs these, one by one
WITH_CODE = [
    name
    for name, text in PAGES.items()
    if name != FIRST_LINES and ("```python" in text or "```sh" in text)
]
SLOW = [name for name, text in PAGES.items() if "<!-- slow -->\n" in text]
OUTCOME = doctest.OutputChecker()
LIKE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def contents(entries):
    """Return the pages that the site's contents name."""
    for entry in entries:
        for title, target in entry.items():
            assert title.strip()
            yield from [target] if isinstance(target, str) else contents(target)


NAV = list(contents(yaml.safe_load(CONFIG)["nav"]))


def test_every_page_and_notebook_is_in_the_contents():
    notebooks = [f"notebooks/{path.stem}.md" for path in (ROOT / "notebooks").glob("*.ipynb")]
    made = ["contributing.md", "changelog.md", "reference/command-line.md"]
    written = [f"{name}.md" for name in PAGES if name != "package"]  # the package index shows that
    assert sorted(NAV) == sorted([*written, *notebooks, *made])


def test_every_link_of_a_page_leads_to_a_page():
    for name, text in PAGES.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if target.startswith("https://"):
                continue
            path = (DOCS / name).parent / target.split("#")[0]
            assert path.exists() or str(path.relative_to(DOCS)) in NAV or "notebooks/" in target, (
                name, target)  # fmt: skip


def test_the_python_reference_has_all_public_names():
    named = re.findall(r"^::: inspector\.(\w+)$", PAGES["reference/python"], flags=re.MULTILINE)
    assert sorted(named) == sorted(inspector.__all__)


def test_what_a_package_index_shows_has_no_link_into_the_repository():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    shown = (ROOT / project["readme"]).read_text("utf-8")
    links = re.findall(r"\]\(([^)]+)\)|(?:src|href)=[\"']([^\"']+)", shown)
    assert [link for link in links if not "".join(link).startswith("https://")] == []
    assert project["name"] in shown


def test_extras_and_make_targets_that_pages_name_are_there():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for text in PAGES.values():
        for named in re.findall(r"'(?:\.|attention-inspector)\[(.*?)\]'", text):
            assert set(named.split(",")) <= set(extras)
        for target in re.findall(r"^make (\w+)", text, flags=re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
    for page in ("install", "zh/install"):
        rows = re.findall(r"^\| `(\w+)` \|", PAGES[page], flags=re.MULTILINE)
        assert sorted(rows) == sorted(extras), page


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """Where a reader of one page types what it says, beside a few annotated sentences."""
    sample = ROOT / "inspector" / "corpora" / "sample" / "sample_science_tides.conllu"
    sentences = sample.read_text(encoding="utf-8").split("\n\n")[:5]
    (tmp_path / "treebank.conllu").write_text("\n\n".join(sentences) + "\n\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def executed(text, *, slow):
    """Execute a page's blocks in their order; compare what they print with the text that follows.

    Returns how many there were.
    """
    namespace, printed, number, skipped = {}, None, 0, False
    for is_slow, language, block in BLOCK.findall(text):
        skipped = not slow and (bool(is_slow) or (skipped and language == "text"))
        if skipped:
            continue
        if language == "text":
            assert printed is not None
            assert OUTCOME.check_output(block, printed, LIKE), f"{block}\n!=\n{printed}"
            printed = None
        elif language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(block, "<page>", "exec"), namespace)  # noqa: S102
            printed, number = out.getvalue(), number + 1
        else:
            ran = [out for line in block.splitlines() if (out := typed(line)) is not None]
            printed, number = "".join(ran), number + len(ran)
    return number


def typed(line):
    """Run one line of a shell block if it is inspector's, and needs no network; what it prints."""
    words = shlex.split(line, comments=True)
    if not words or words[0] != "inspector" or "fetch" in words:
        return None
    with_code = re.search(r"# exit code (\d)", line)
    ran = CliRunner().invoke(app, words[1:])
    wanted = int(with_code[1]) if with_code else 0
    assert ran.exit_code == wanted, f"{line}\n{ran.output}\n{ran.exception!r}"
    return ran.stdout


@pytest.mark.parametrize("name", WITH_CODE)
def test_the_code_of_a_page_runs_and_prints_what_it_says(name, reader):
    executed(PAGES[name], slow=False)


@pytest.mark.full
@pytest.mark.parametrize("name", SLOW)
def test_the_slow_code_of_a_page_runs_too(name, reader):
    if '"run' in PAGES[name]:  # the run that an earlier page made
        inspector.profile("minilm", "treebank.conllu", "run", ablation=False)
    assert executed(PAGES[name], slow=True)


def test_control_a_page_that_prints_something_else_is_seen():
    with pytest.raises(AssertionError, match="!="):
        executed("```python\nprint(1)\n```\n\n```text\n2\n```\n", slow=False)
    with pytest.raises(AssertionError, match="no-such-command"):
        executed("```sh\ninspector no-such-command\n```\n", slow=False)
    with pytest.raises(AssertionError, match="!="):
        executed("```sh\ninspector --version\n```\n\n```text\n0\n```\n", slow=False)


class Loaded(HTMLParser):
    """What a page of the site loads by itself from another host."""

    def __init__(self):
        super().__init__()
        self.foreign = []

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            loads = name in ("src", "srcset", "data") or (tag == "link" and name == "href")
            if loads and value and re.match(r"(https?:)?//", value):
                self.foreign.append(value)


def test_the_site_builds_with_no_warning_and_loads_nothing_from_elsewhere(tmp_path):
    assert importlib.util.find_spec("mkdocs"), "install the extra: pip install '.[docs]'"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", tmp_path / "site"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr  # quiet, it would count no warning
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) == len(NAV) + 1, "and that of what is not found"
    for page in pages:
        seen = Loaded()
        seen.feed(page.read_text(encoding="utf-8"))
        assert seen.foreign == [], page.name
    for style in (tmp_path / "site").rglob("*.css"):
        assert not re.search(r"url\([\"']?(https?:)?//", style.read_text(encoding="utf-8")), style
    reference = (tmp_path / "site/reference/python.html").read_text("utf-8")
    assert "<blockquote>" not in reference, "examples are code"
    assert "inspector-verify" in (tmp_path / "site/reference/command-line.html").read_text("utf-8")


def test_control_what_is_loaded_from_elsewhere_is_seen():
    seen = Loaded()
    seen.feed('<a href="https://a.b"></a><link href="https://fonts.x/css"><script src="//y/z.js">')
    assert seen.foreign == ["https://fonts.x/css", "//y/z.js"]
