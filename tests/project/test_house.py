"""The house stands as its drawing shows: arrows point one way, rooms know what they may know."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from support.each import each

import inspector

ROOT = Path(inspector.__file__).parent

# A room may import the rooms before it, never one that stands in the same line or after it.
ORDER = (
    {"public_names", "text"},
    {"errors"},
    {
        "arguments",
        "html",
        "input",
        "output",
        "progress",
        "records",
        "vocabulary",
    },
    {"head_names", "yaml_file"},
    {"frames", "words"},
    {"attention", "corpora", "plot"},
    {"learning", "models"},
    {"verification", "heads"},
    {"runs"},
    {"views"},
    {"api", "console"},
    {"commands"},
    {"dashboard", "cli"},
)
# What api offers lies to its left; the package's own __init__ offers what api offers.
ANYTHING = {"__init__"}
LINE = {room: number for number, rooms in enumerate(ORDER) for room in rooms}

# Inside a room the same: a folder or module may import those before it.
FLOORS = {
    "runs": (
        {"battery", "random_sample", "run_frames", "store"},
        {"engines", "passport"},
        {"run"},
        {"profile"},
        {"background", "check"},
    ),
    "heads": (
        {"counts", "enough_words", "weights"},
        {"relations_frame"},
        {"observers"},
        {"specialization"},
        {"ablation"},
        {"search"},
    ),
    "verification": (
        {"judge", "manner", "padding_places"},
        {"across_cases", "conditions", "diagnosis", "scope"},
        {"controls"},
        {"report"},
        {"layers"},
        {"calls", "implementation"},
        {"survey", "verify_model"},
    ),
    "corpora": (
        {"lexicon", "misc_column"},
        {"surface"},
        {"sentence"},
        {"coreference", "text_set"},
        {"formats"},
        {"battery", "probes", "readers"},
        {"default"},
        {"annotation"},
    ),
    "models": (
        {"calls", "hints", "log_level", "tiny_models"},
        {"weight_layouts"},
        {"architectures", "custom_attention"},
        {"tokenizing"},
        {"pretrained"},
        {"forward"},
        {"weight_checks"},
        {"loading"},
        {"any_model"},
    ),
}

# Libraries that only these rooms may know.
ONLY_IN = {
    "transformers": {"models"},
    "huggingface_hub": {"models"},
    "streamlit": {"dashboard"},
    "pydantic": {"corpora", "dashboard", "frames", "models", "words"},
    "typer": {"cli", "commands"},
    "rich": {"console"},
    "altair": {"dashboard", "plot", "views"},
    "bertviz": {"views"},
    "ray": {"runs"},
    "vl_convert": {"plot"},
    "tools": set(),  # writes data; is not installed
}
# All that these rooms may import from outside.
ALLOWED = {
    "attention": {"torch", "jaxtyping"},
    "arguments": set(),
    "errors": set(),
    "frames": {"pydantic"},
    "head_names": set(),
    "html": set(),
    "learning": {"torch", "jaxtyping"},
    "input": set(),
    "output": set(),
    "progress": {"tqdm"},
    "records": {"pandas"},
    "streams": set(),
    "text": set(),
    "vocabulary": set(),
    "yaml_file": {"yaml"},
}
# What these rooms must not know, besides, as docs/architecture.md says.
FORBIDDEN = {
    "corpora": {"torch", "transformers"},
    "models": {"inspector.corpora"},  # linguistics
    "verification": {"inspector.corpora"},
    "heads": {"pathlib", "io", "ray"},  # files, engines
}


def room_of(path, root):
    return path.relative_to(root).parts[0].removesuffix(".py")


def imports_of(path):
    """Return (module, line) of each import in a file, those for type checking included."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            # A relative import would hide the room: it is reported as a module of no room.
            if node.level:
                found.append((f"inspector.{'.' * node.level}", node.lineno))
            elif node.module == "inspector":
                # The version is a string, there before anything is imported.
                names = [alias.name for alias in node.names if alias.name != "__version__"]
                found += [(f"inspector.{name}", node.lineno) for name in names]
            else:
                found.append((node.module, node.lineno))
    return found


def violations(root):
    """Return one sentence for each import that the house does not allow."""
    found = []
    for path in sorted(root.rglob("*.py")):
        room = room_of(path, root)
        if room not in LINE and room not in ANYTHING:
            found.append(f"{path.relative_to(root)}: {room} has no place in the order of rooms")
            continue
        for module, line in imports_of(path):
            top, *rest = module.split(".")
            where = f"{path.relative_to(root)}:{line} imports {module}"
            if FORBIDDEN.get(room, set()) & {top, f"inspector.{rest[0]}" if rest else top}:
                found.append(f"{where}: {room} must not know it")
                continue
            if top == "inspector":
                other = rest[0] if rest else "__init__"
                if room in ANYTHING or other == room:
                    continue
                if other not in LINE or LINE[other] >= LINE[room]:
                    found.append(f"{where}: {other} does not stand to the left of {room}")
            elif room not in ONLY_IN.get(top, {room}):
                found.append(f"{where}: only {', '.join(sorted(ONLY_IN[top])) or 'no room'} may")
            elif room in ALLOWED and top not in ALLOWED[room] | sys.stdlib_module_names:
                found.append(f"{where}: {room} must not know it")
    return found


def folder_of(module):
    """Return the room of a module and the folder or module of that room, or None of the rest."""
    _, *rest = module.split(".")
    return (rest[0], rest[1]) if len(rest) > 1 and rest[0] in FLOORS else None


def floor_violations(root):
    """Return one sentence for each import that goes up, or sideways, inside a room."""
    found = []
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        own = folder_of(".".join(["inspector", *parts]))
        if own is None or own[1] == "__init__":
            continue
        floors = {name: i for i, names in enumerate(FLOORS[own[0]]) for name in names}
        where = f"{path.relative_to(root)}"
        if own[1] not in floors:
            found.append(f"{where}: {own[1]} has no floor in {own[0]}")
            continue
        for module, line in imports_of(path):
            other = folder_of(module)
            if other is None or other[0] != own[0] or other[1] == own[1]:
                continue
            if floors.get(other[1], -1) >= floors[own[1]]:
                found.append(f"{where}:{line} imports {module}: {other[1]} is not below {own[1]}")
    return found


def test_no_folder_of_a_room_imports_what_stands_above_it():
    assert floor_violations(ROOT) == []


@pytest.mark.parametrize(
    ("file", "line", "sentence"),
    [
        (
            "heads/observers/planted.py",
            "from inspector.heads.ablation import rollout",
            (
                "heads/observers/planted.py:1 imports inspector.heads.ablation: "
                "ablation is not below observers"
            ),
        ),
        (
            "runs/store/planted.py",
            "import inspector.runs.engines.pool",
            (
                "runs/store/planted.py:1 imports inspector.runs.engines.pool: "
                "engines is not below store"
            ),
        ),
        (
            "models/attic/planted.py",
            "import os",
            "models/attic/planted.py: attic has no floor in models",
        ),
    ],
)
def test_control_a_planted_import_of_a_higher_folder_is_caught(tmp_path, file, line, sentence):
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(line)
    assert floor_violations(tmp_path) == [sentence]


def test_no_folder_has_more_than_fifteen_modules():
    counts = Counter(str(path.parent.relative_to(ROOT)) for path in ROOT.rglob("[!_]*.py"))
    assert {name: n for name, n in counts.items() if n > 15} == {}


def test_no_arrow_points_back():
    assert violations(ROOT) == []


@each(
    ("file", "line", "sentence"),
    [
        (
            "attic/planted.py",
            "import os",
            "attic/planted.py: attic has no place in the order of rooms",
        ),
        (
            "models/planted.py",
            "from inspector.verification import verify",
            (
                "models/planted.py:1 imports inspector.verification: "
                "verification does not stand to the left of models"
            ),
        ),
        (
            "heads/planted.py",
            "import inspector.verification.judge",
            (
                "heads/planted.py:1 imports inspector.verification.judge: "
                "verification does not stand to the left of heads"
            ),
        ),
        (
            "attention/planted.py",
            "from inspector import models",
            (
                "attention/planted.py:1 imports inspector.models: "
                "models does not stand to the left of attention"
            ),
        ),
        (
            "attention/planted.py",
            "def f():\n    import numpy",
            "attention/planted.py:2 imports numpy: attention must not know it",
        ),
        (
            "views/planted.py",
            "import streamlit as st",
            "views/planted.py:1 imports streamlit: only dashboard may",
        ),
        (
            "verification/planted.py",
            "from transformers.utils import logging",
            "verification/planted.py:1 imports transformers.utils: only models may",
        ),
        (
            "corpora/planted.py",
            "import torch",
            "corpora/planted.py:1 imports torch: corpora must not know it",
        ),
        (
            "corpora/planted.py",
            "from tools.probes import syntax",
            "corpora/planted.py:1 imports tools.probes: only no room may",
        ),
        (
            "models/planted.py",
            "from inspector.corpora import Sentence",
            "models/planted.py:1 imports inspector.corpora: models must not know it",
        ),
        (
            "views/planted.py",
            "from ..models import load",
            ("views/planted.py:1 imports inspector...:  does not stand to the left of views"),
        ),
    ],
)
def test_control_a_planted_import_is_caught(tmp_path, file, line, sentence):
    path = tmp_path / file
    path.parent.mkdir()
    path.write_text(line)
    assert violations(tmp_path) == [sentence]


def modules():
    return [
        module.name
        for module in pkgutil.walk_packages([str(ROOT)], "inspector.")
        if not module.name.endswith("__main__")
    ]


def test_every_module_says_what_it_is_for_and_offers_what_it_says():
    wrong = []
    for name in modules():
        module = importlib.import_module(name)
        offered = getattr(module, "__all__", [])
        wrong += [] if module.__doc__ else [f"{name} has no docstring"]
        wrong += [f"{name} has no {public}" for public in offered if not hasattr(module, public)]
    assert wrong == []


def test_public_names_all_import():
    assert {"attend", "load", "verify", "weight_statistics"} <= set(inspector.__all__)
    assert all(callable(getattr(inspector, name)) for name in inspector.__all__)
    shown = {name: getattr(inspector, name).__doc__ or "" for name in inspector.__all__}
    assert [name for name, text in shown.items() if ">>>" not in text] == []  # has an example
    assert set(inspector.__all__) < set(dir(inspector))


def test_a_name_that_is_not_public_says_what_is():
    with pytest.raises(AttributeError) as caught:
        _ = inspector.frobnicate
    assert str(caught.value) == (
        "module 'inspector' has no attribute 'frobnicate'. "
        f"Available: {', '.join(inspector.__all__)}."
    )


@pytest.mark.parametrize("name", ["inspector", "inspector.cli"])
def test_importing_loads_no_heavy_library(name):
    """In a process of its own: here they are loaded already."""
    code = f"import sys, {name}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {
        "torch",
        "transformers",
        "pandas",
        "numpy",
        "altair",
        "bertviz",
        "streamlit",
        "pydantic",
    }
    loaded = set(done.stdout.split())
    assert name in loaded
    assert loaded & heavy == set()


def test_no_test_imports_what_another_holds():
    """What two need stands in a module of its own: a test can be read, moved and run alone."""
    tests = ROOT.parent / "tests"
    names = {path.stem for path in tests.rglob("test_*.py")}
    found = re.compile(r"^\s*(?:from|import) (test_\w+)", re.MULTILINE)
    borrowed = [
        f"{path.relative_to(tests)}: {name}"
        for path in tests.rglob("*.py")
        for name in found.findall(path.read_text(encoding="utf-8"))
        if name in names
    ]
    assert borrowed == []


def test_no_file_is_longer_than_four_hundred_and_fifty_lines():
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in ROOT.rglob("*.py")
    }
    assert {name: length for name, length in lengths.items() if length > 450} == {}


def test_the_face_of_a_package_shows_and_does_not_compute():
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in ROOT.rglob("__init__.py")
    }
    assert {name: length for name, length in lengths.items() if length > 100} == {}


def drawn_rooms(drawing):
    """Return the rooms of each line of the drawing."""
    return [set(line.strip().removeprefix("└─ ").split()) for line in drawing.strip().splitlines()]


def test_the_drawing_is_the_order_that_imports_are_held_to():
    page = (ROOT.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawing = re.search(r"```text\n(.*?)```", page, flags=re.DOTALL)
    assert drawing
    assert drawn_rooms(drawing.group(1)) == [set(rooms) for rooms in ORDER]


def test_control_a_room_in_another_line_is_seen():
    assert drawn_rooms("a\n└─ b  c\n") == [{"a"}, {"b", "c"}]
    assert drawn_rooms("a\n└─ b\n   └─ c\n") != [{"a"}, {"b", "c"}]
