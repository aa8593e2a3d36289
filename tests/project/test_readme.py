"""The README says what the code does."""

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the first fenced block of a language."""
    found = re.search(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
    assert found, f"README has no {language} block"
    return found.group(1)


def test_the_example_prints_what_the_readme_shows(tmp_path, capsys):
    (tmp_path / "example.py").write_text(block("python"), encoding="utf-8")
    runpy.run_path(str(tmp_path / "example.py"), run_name="__main__")
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out == block("text")


def test_the_example_is_short():
    lines = [line for line in block("python").splitlines() if line and "import" not in line]
    calls = [line for line in lines if not line.startswith("print")]
    assert len(calls) <= 5


def test_every_file_it_points_to_is_there():
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert targets
    for target in targets:
        if target.startswith("https://"):
            continue
        assert (ROOT / target).exists(), target


def test_the_page_of_model_types_is_that_of_the_table(monkeypatch):
    """Else: python -m tools.model_types, which `make architectures` calls."""
    from tools import model_types

    page = model_types.PAGE.read_text(encoding="utf-8")
    assert model_types.listed(page) == page
    assert "[The model types that it loads](docs/model_types.md), more than a hundred" in README
    assert len(model_types.ARCHITECTURES) > 100
    rows = {name: row for name, row in model_types.ARCHITECTURES.items() if name != "bloom"}
    monkeypatch.setattr(model_types, "ARCHITECTURES", rows)
    fewer = model_types.listed(page)
    assert "`bloom`" not in fewer
    decoders = sum(row.kind == "decoder" for row in rows.values())
    assert f"## Decoders ({decoders})" in fewer
    assert f"{len(rows)} values of `model_type`" in fewer


def test_the_number_of_controls_it_names_is_right():
    from inspector.verification import MUTATIONS

    assert len(MUTATIONS) == 15
    assert "fifteen deliberate mistakes" in README


def test_make_targets_it_names_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"make (\w+)", README):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
