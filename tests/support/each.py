"""One test over many cases: each is tried, and all that fail are named together."""

import functools
import inspect
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support import shapes

Test = Callable[..., None]
_PLACE = inspect.Parameter("tmp_path", inspect.Parameter.POSITIONAL_OR_KEYWORD)
_PARAM = type(pytest.param(0))
# A test that fails, or skips itself, by pytest's own means raises no Exception.
_FAILURES = (Exception, pytest.fail.Exception, pytest.skip.Exception)


def each(
    names: str | tuple[str, ...], cases: Iterable[Any], ids: Any = None
) -> Callable[[Test], Test]:
    """Return a decorator that runs a test for every case, as one item.

    For one assertion that holds of many things; what are assertions of their own, or take long
    enough to be shared among processes, stay items (`pytest.mark.parametrize`). Every case has a
    `tmp_path` and a `monkeypatch` of its own, and copies of the files that fixtures put there;
    what else they made is shared by the cases.

    Args:
        names: As of `parametrize`: of one argument, or a tuple of several.
        cases: The values, of a mapping its keys. `pytest.param(…, id=…)` is understood.
        ids: Names of the cases, or a function: one value → its name.

    Raises:
        BaseExceptionGroup: From the test: everything that failed, each with its case in a note.
    """
    names = (names,) if isinstance(names, str) else tuple(names)
    named = _named(names, cases, ids)

    def decorated(test: Test) -> Test:
        signature = inspect.signature(test)
        wanted = {name: p for name, p in signature.parameters.items() if name not in names}
        asked = set(wanted)
        if asked - {"self"}:
            wanted.setdefault("tmp_path", _PLACE)

        @functools.wraps(test)
        def every(*instance: Any, **fixtures: Any) -> None:
            failed: list[BaseException] = []
            for number, (case, values) in enumerate(named):
                shapes.begin()
                try:
                    with _own(fixtures, number) as own:
                        given = {name: own[name] for name in asked & own.keys()}
                        test(*instance, **given, **dict(zip(names, values, strict=True)))
                except _FAILURES as error:
                    error.add_note(f"case: {case}")
                    failed.append(error)
            if failed:
                cases_of = ", ".join(error.__notes__[-1][len("case: ") :] for error in failed)
                raise BaseExceptionGroup(
                    f"{len(failed)} of {len(named)} cases failed: {cases_of}", failed
                )

        del every.__wrapped__  # pytest would ask for the cases as fixtures
        every.__signature__ = signature.replace(parameters=list(wanted.values()))
        return every

    return decorated


def _named(names: tuple[str, ...], cases: Any, ids: Any) -> list[tuple[str, tuple[Any, ...]]]:
    """Return name and values of every case."""
    given = list(ids) if ids is not None and not callable(ids) else None
    found = []
    for number, case in enumerate(cases):
        name = given[number] if given else None
        values = case if len(names) > 1 else (case,)
        if isinstance(case, _PARAM):
            assert not case.marks, "a case of a joined test has no marks of its own"
            name, values = case.id or name, case.values
        if name is None:
            name = "-".join(_name(value, ids if callable(ids) else None) for value in values)
        found.append((str(name), tuple(values)))
    assert found, f"no case of {names}"
    return found


def _name(value: Any, ids: Callable[[Any], Any] | None) -> str:
    name = ids(value) if ids else None
    return str(name if name is not None else getattr(value, "__name__", value))[:60]


@contextmanager
def _own(fixtures: dict[str, Any], number: int) -> Iterator[dict[str, Any]]:
    """Yield the fixtures as one case may use them, what it may change its own."""
    own = dict(fixtures)
    place = own.get("tmp_path")
    if place is not None:
        own["tmp_path"] = place / f"case-{number}"
        own["tmp_path"].mkdir()
    for name, value in fixtures.items():
        if isinstance(value, Path) and place in value.parents:
            own[name] = own["tmp_path"] / value.relative_to(place)
            own[name].parent.mkdir(parents=True, exist_ok=True)
            if value.is_dir():
                shutil.copytree(value, own[name])
            elif value.is_file():
                shutil.copy2(value, own[name])
    if "capsys" in own:
        own["capsys"].readouterr()
    with pytest.MonkeyPatch.context() as patch:
        if "monkeypatch" in own:
            own["monkeypatch"] = patch
        yield own
