"""The pages on how the house is built say what the code does."""

import inspect
import pkgutil
import re
from pathlib import Path

from support.each import each

ROOT = Path(__file__).parents[2]
PAGES = ("CONTRIBUTING.md", "docs/architecture.md")


def text_of(document):
    return (ROOT / document).read_text(encoding="utf-8")


@each("document", PAGES)
def test_every_file_that_a_page_names_is_there(document):
    named = re.findall(r"`((?:inspector|tests|tools|docs)/[\w/.]+)`", text_of(document))
    linked = [
        target
        for target in re.findall(r"\]\(([^)#:]+)\)", text_of(document))
        if not target.startswith("http")
    ]
    assert named
    gone = [name for name in named if not (ROOT / name).exists()]
    gone += [name for name in linked if not ((ROOT / document).parent / name).exists()]
    assert gone == []


WALK = re.findall(
    r"^\| (`.*?) \| `(inspector/[\w/.]+)` \| `([\w.]+)` \|", text_of("docs/architecture.md"), re.M
)


def test_every_type_on_the_way_is_where_the_walk_says():
    assert len(WALK) == 16
    for types, place, _ in WALK:
        path = ROOT / place
        files = [path] if path.is_file() else sorted(path.rglob("*.py"))
        code = "\n".join(file.read_text(encoding="utf-8") for file in files)
        for name in re.findall(r"`(\w+)`", types):
            if name == "AttentionCall":  # named as what another one holds
                continue
            assert re.search(rf"^class {name}\b", code, flags=re.MULTILINE), (name, place)


@each(("types", "giver"), [(types, giver) for types, _, giver in WALK])
def test_every_type_on_the_way_is_given_by_the_function_that_the_walk_names(types, giver):
    function = pkgutil.resolve_name(giver)
    given = str(inspect.signature(function).return_annotation)
    first = re.match(r"`(\w+)`", types)[1]
    takes = " ".join(str(one.annotation) for one in inspect.signature(function).parameters.values())
    assert re.search(rf"\b{first}\b", given) or re.search(rf"Callable.*\b{first}\b", takes)
