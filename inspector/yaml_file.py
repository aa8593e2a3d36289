"""YAML: of users, plain data of a bounded size or the reason why not; and inspector's own tables.

Aliases, which make a small file stand for a huge one, and numbers of endless digits are refused.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import yaml

from inspector.input import read_regular

_MAX_BYTES = 1_000_000
_MAX_DIGITS = 40
"""Of a number; what has more is none that a setting could be."""
# YAML 1.1 reads 010 as 8 and 1:30 as 90.
_MISREAD = re.compile(r"[-+]?(?:0[0-9_]+$|[0-9_]+:)")
_LINED_LEVELS = 3


class YamlError(ValueError):
    """Why a file is not YAML that can be used, in a few words."""


class _Plain(yaml.SafeLoader):
    """The safe loader, without aliases and without numbers that take for ever."""

    yaml_constructors: ClassVar[dict[Any, Any]] = dict(yaml.SafeLoader.yaml_constructors)

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse an alias where a value must stand."""
        if self.check_event(yaml.AliasEvent):
            raise YamlError("it has aliases (*name): write out what they stand for")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Refuse a key that stands twice: the first of the two values would go without a word."""
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    line = key.start_mark.line + 1
                    raise YamlError(f"it has the key {key.value[:40]!r} twice, line {line}")
                seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


def read_yaml(path: str | os.PathLike[str]) -> Any:
    """Return the data of a YAML file, None of an empty one.

    Raises:
        OSError: If it cannot be read, is no regular file, or is larger than 1 MB.
        YamlError: If it is not UTF-8, not YAML, or holds what plain data of a setting does not.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "a.yaml"
        ...     _ = path.write_text("a: [1, &b 2]")
        ...     read_yaml(path)
        {'a': [1, 2]}
    """
    return read_lined_yaml(path)[0]


def read_lined_yaml(path: str | os.PathLike[str]) -> tuple[Any, dict[tuple[Any, ...], int]]:
    r"""Return the data of a YAML file, and the line of what stands in it, three levels deep.

    The line of `data["a"][1]` is that of ("a", 1), counted from 1; of a mapping, that of its key.

    Raises:
        OSError: As `read_yaml`.
        YamlError: As `read_yaml`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "a.yaml"
        ...     _ = path.write_text("a:\n- 1\n- 2")
        ...     read_lined_yaml(path)[1]
        {('a',): 1, ('a', 0): 2, ('a', 1): 3}
    """
    data = read_regular(path, most=_MAX_BYTES)
    try:
        loader = _Plain(data.decode("utf-8"))
        node = loader.get_single_node()
        if node is None:
            return None, {}
        return loader.construct_document(node), dict(_lines(node))
    except UnicodeDecodeError:
        raise YamlError("it is not UTF-8 text") from None
    except yaml.YAMLError as error:
        raise YamlError(_said(error)) from None
    except RecursionError:
        raise YamlError("it is nested too deeply") from None
    except YamlError:
        raise
    except (ValueError, OverflowError):
        raise YamlError("it has a number or a date that cannot be") from None


def read_own_yaml(path: Path) -> Any:
    """Return the data of a YAML file that ships with inspector, read by the C library where it is.

    Raises:
        OSError: If it is not there.
        YamlError: If it is not YAML: somebody has edited it.

    Example:
        >>> read_own_yaml(Path(yaml.__file__).parent / "no.yaml")
        Traceback (most recent call last):
        FileNotFoundError: ...
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(path.read_bytes())
    try:
        return loader.get_single_data()
    except yaml.YAMLError as error:
        raise YamlError(str(error).replace("\n", " ")) from None
    finally:
        loader.dispose()


def _lines(node: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], int]]:
    inside: list[tuple[Any, Any, Any]] = []
    if isinstance(node, yaml.MappingNode):
        inside = [(key.value, key, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        inside = [(place, value, value) for place, value in enumerate(node.value)]
    for name, at, value in inside:
        if isinstance(name, str | int):
            yield (*above, name), at.start_mark.line + 1
            if len(above) < _LINED_LEVELS - 1:
                yield from _lines(value, (*above, name))


def _said(error: yaml.YAMLError) -> str:
    """Return what is wrong with a file, and in which line where that is known."""
    mark = getattr(error, "problem_mark", None)
    if not isinstance(error, yaml.MarkedYAMLError) or mark is None:
        return str(error).splitlines()[0]
    problem = ": ".join(part for part in (error.context, error.problem) if part)
    return f"{problem[:200]}, line {mark.line + 1}"


def _number(loader: Any, node: yaml.ScalarNode) -> Any:
    if len(node.value) > _MAX_DIGITS:
        raise YamlError(f"a number in it has more than {_MAX_DIGITS} digits")
    number = yaml.SafeLoader.yaml_constructors[node.tag](loader, node)
    if _MISREAD.match(node.value):
        line = node.start_mark.line + 1
        raise YamlError(f"{node.value} in it is read as {number}: write plain digits, line {line}")
    return number


for _tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float"):
    _Plain.add_constructor(_tag, _number)
