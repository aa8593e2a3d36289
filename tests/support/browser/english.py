"""English that is left on a page of another language: runs of words that are no name or code."""

import re
from html import unescape

_LEFT_OUT = re.compile(
    r"```.*?```|`[^`]*`|\$+[^$]*\$+|<style.*?</style>|<code.*?</code>|<[^>]*>|\*[^*]*\*"
    r"|https?:\S+|\S+\.(?:parquet|csv|json|txt|html|safetensors|conllup?|yaml|py)\b",
    re.DOTALL,
)
_RUN = re.compile(r"[A-Za-z][A-Za-z'’-]*(?:,? [A-Za-z][A-Za-z'’-]*){2,}")
_LONGEST_KEY = 40
_FIELDS = ("label", "help", "body", "value", "text", "placeholder", "options", "title", "caption")


def everything(app):
    """Return what a run put on the page that can be read: texts, labels, options, cells."""
    found = []
    for node in _nodes(app._tree):
        proto = getattr(node, "proto", None)
        for name in _FIELDS:
            given = getattr(proto, name, None)
            if isinstance(given, str):
                found.append(given)
            elif given is not None and not isinstance(given, bool | int | float | bytes):
                found += [one for one in given if isinstance(one, str)] if _listed(given) else []
    for table in app.dataframe:
        cells = table.value.select_dtypes(["object", "string"])
        found += [str(cell) for name in cells for cell in cells[name].unique()]
    return found


def _listed(given):
    return hasattr(given, "__iter__") and hasattr(given, "__len__")


def _nodes(block):
    for node in getattr(block, "children", {}).values():
        yield node
        yield from _nodes(node)


def english_in(texts, allowed):
    """Return the runs of three English words and more in texts, but for those that are allowed."""
    known = [" ".join(one.split()) for one in allowed]
    found = []
    for text in texts:
        plain = unescape(_LEFT_OUT.sub(" · ", text.replace("\\", "")))
        for run in _RUN.findall(" ".join(plain.split())):
            is_formula = all(len(one) == 1 for one in run.replace(",", "").split())
            if not (is_formula or any(run in one for one in known)):
                found.append(run)
    return sorted(set(found))
