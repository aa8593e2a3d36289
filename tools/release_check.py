"""What must be so before a release, one line each: `python -m tools.release_check`.

Exits with 1 if anything is not. A line `todo` is left to whoever releases, and no fault before
that: the changelog's date, addresses, the tag. Nothing is uploaded.
"""

import re
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parents[1]
# Tests that read files beside the package: a source distribution without these fails there.
FROM_SOURCES = (
    "project/test_docs.py", "project/test_frames.py", "project/test_house.py",
    "project/test_readme.py", "project/test_site.py", "release/test_configs.py",
    "release/test_wheel.py",
)  # fmt: skip
NOT_SHIPPED = (".github", ".ci", ".venv", "dist/", "__pycache__")


class NotSoError(Exception):
    """Something that a release must not have; its text says what."""


class LeftToDoError(NotSoError):
    """What only whoever releases can do, on the day; its text says what."""


def version_of(root: Path) -> str:
    """Return the version that the package says it is."""
    found = re.search(r'^__version__ = "(.+)"$', _text(root, "inspector/__init__.py"), re.MULTILINE)
    if found is None:
        raise NotSoError('inspector/__init__.py has no line `__version__ = "…"`')
    return found[1]


def check_version(root: Path) -> str:
    """Return the version, which CITATION.cff and the changelog must have too."""
    version = version_of(root)
    if not re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", version):
        raise NotSoError(f"version ({version}) must be such as 1.2.3 or 1.2.3rc1")
    if f"\nversion: {version}\n" not in _text(root, "CITATION.cff"):
        raise NotSoError(f"CITATION.cff must have the line `version: {version}`")
    return version


def check_changelog(root: Path) -> str:
    """Return what the changelog says of this version, in lines."""
    version, text = version_of(root), _text(root, "CHANGELOG.md")
    section = re.search(
        rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |\Z)",
        text, re.MULTILINE | re.DOTALL,
    )  # fmt: skip
    if section is None:
        if re.search(r"^## \[Unreleased\]\n(?:(?!## ).*\n)*?- ", text, re.MULTILINE):
            raise LeftToDoError(
                f"call the section [Unreleased] of CHANGELOG.md `## [{version}] - YYYY-MM-DD`, of "
                "the day of the release"
            )
        raise NotSoError(f"CHANGELOG.md must have a section `## [{version}] - YYYY-MM-DD`")
    lines = re.findall(r"^- ", section[1], re.MULTILINE)
    if not lines:
        raise NotSoError(f"CHANGELOG.md says nothing of {version}")
    return f"{len(lines)} lines"


def check_urls(root: Path) -> str:
    """Return the addresses that pyproject.toml gives: of the sources at least."""
    urls = tomllib.loads(_text(root, "pyproject.toml"))["project"].get("urls", {})
    wrong = [f"{name} ({url})" for name, url in urls.items() if not url.startswith("https://")]
    if wrong:
        raise NotSoError(f"[project.urls] must have addresses with https, not {wrong[0]}")
    if "Source" not in urls:
        raise LeftToDoError(
            "once the sources have a public address, give it in pyproject.toml as `Source` under "
            "[project.urls], and Documentation and Changelog beside it"
        )
    return ", ".join(urls)


def check_tag(root: Path) -> str:
    """Return the tag of this version, which must stand at what is checked out."""
    tag = f"v{version_of(root)}"
    at = [
        subprocess.run(  # noqa: S603 - our own repository
            ["git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"],  # noqa: S607
            cwd=root, capture_output=True, text=True, check=False,
        ).stdout.strip()
        for name in (tag, "HEAD")
    ]  # fmt: skip
    if not at[0]:
        raise LeftToDoError(f"when all else is so, `git tag {tag}`")
    if at[0] != at[1]:
        raise NotSoError(f"the tag {tag} stands at another commit than what is checked out")
    return tag


def check_wheel(wheel: Path, root: Path) -> str:
    """Return how many files the wheel has: every one of the package, and no other."""
    names = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    package = {
        str(path.relative_to(root))
        for path in (root / "inspector").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    if names != package:
        raise NotSoError(f"the wheel differs from the package in {sorted(names ^ package)[:3]}")
    return f"{len(names)} files"


def check_sdist(sdist: Path, folder: Path) -> str:
    """Return how the tests that read files end, run from the unpacked source distribution."""
    with tarfile.open(sdist) as archive:
        shipped = [name for name in archive.getnames() if any(bad in name for bad in NOT_SHIPPED)]
        if shipped:
            raise NotSoError(f"the source distribution must not have {shipped[:3]}")
        archive.extractall(folder, filter="data")
    (unpacked,) = folder.iterdir()
    files = [f"tests/{name}" for name in FROM_SOURCES]
    quick = ["-k", "not example_prints"]  # a verification, which is the same anywhere
    return _run(unpacked, "-m", "pytest", "-q", "-p", "no:cacheprovider", *quick, *files)


def built(folder: Path) -> tuple[Path, Path]:
    """Return the wheel and the source distribution, built in a folder."""
    _run(ROOT, "-m", "build", "--no-isolation", "--outdir", str(folder))
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


def _run(folder: Path, *words: str) -> str:
    ran = subprocess.run(  # noqa: S603 - our own tools
        [sys.executable, *words], cwd=folder, capture_output=True, text=True, check=False
    )
    lines = (ran.stdout + ran.stderr).strip().splitlines() or [""]
    if ran.returncode:
        raise NotSoError(f"`{' '.join(words[:3])}` ended with: " + " | ".join(lines[-5:]))
    return lines[-1].strip("= ")


def _text(root: Path, name: str) -> str:
    return (root / name).read_text(encoding="utf-8")


def _said(what: str, check: Callable[[], str]) -> bool:
    try:
        print(f"ok   {what}: {check()}", flush=True)
    except LeftToDoError as error:
        print(f"todo {what}: {error}.", flush=True)
        return True
    except NotSoError as error:
        print(f"NO   {what}: {error}.", flush=True)
        return False
    return True


def main() -> int:
    """Check everything, in the order of a release; return the exit code."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        held = [
            _said("version", lambda: check_version(ROOT)),
            _said("changelog", lambda: check_changelog(ROOT)),
            _said("urls", lambda: check_urls(ROOT)),
            _said("build", lambda: ", ".join(file.name for file in built(folder / "dist"))),
        ]
        if held[-1]:
            (wheel,), (sdist,) = (list((folder / "dist").glob(f"*.{end}")) for end in ("whl", "gz"))
            files = [str(wheel), str(sdist)]
            (folder / "sdist").mkdir()
            held += [
                _said("twine", lambda: _run(ROOT, "-m", "twine", "check", "--strict", *files)),
                _said("wheel", lambda: check_wheel(wheel, ROOT)),
                _said("sdist", lambda: check_sdist(sdist, folder / "sdist")),
            ]
        held.append(_said("tag", lambda: check_tag(ROOT)))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
