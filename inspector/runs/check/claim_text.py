"""Claims as people write them: "minilm 2-8 det", "layer 3 head 10 attends to the next token".

Must not know: files, corpora, models.
"""

import re

from inspector.errors import InputError
from inspector.runs.check.claim import Claim
from inspector.runs.check.described_words import quoted_word, word_target
from inspector.runs.check.vocabulary import Meant, found_in, words

MOST_CHARACTERS = 500
"""Of a claim: a sentence has fewer."""
_N = r"([0-9]{1,6})"
_HEADS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\blayer\s*{_N}\s*,?\s*(?:and\s+)?(?:attention\s+)?head\s*{_N}\b",
        rf"\b(?:attention\s+)?head\s*(?P<head>[0-9]{{1,6}})\s*(?:of|in|at)\s+layer\s*{_N}\b",
        rf"\bL{_N}\s*[.,-]?\s*H{_N}\b",
        rf"\blayer\s*=\s*{_N}\s*[,;]?\s*head\s*=\s*{_N}\b",
        rf"(?:\b(?:attention\s+)?head\s*)?\(\s*{_N}\s*,\s*{_N}\s*\)",
        rf"(?:\b(?:attention\s+)?head\s+)?(?<![\w.-]){_N}[-./]{_N}(?![\w-]|\.[0-9])",
    )
)
_COUNTING = re.compile(
    r"\(?\b(?:count(?:ing|ed)|index(?:ed|ing)?)\s+(?:from\s+)?(0|1|zero|one)\b\)?"
    r"|\(?\b(0|1|zero|one)-(?:index(?:ed|ing)?|based)\b\)?",
    re.IGNORECASE,
)
_NUMBERS = {"0": 0, "zero": 0, "1": 1, "one": 1}
_FILLERS = frozenset(
    ("in", "of", "the", "for", "model", "head", "heads", "attention", "at", "a", "an", "claim")
)
_MODEL_AFTER = re.compile(r"^\s*(?:of|in)\s+(?!the\b|layer\b)([\w./~-]+)(?=[\s,:]|$)")
_MODEL_FIRST = re.compile(r"^\s*(?:in|of)\s+(?!the\b|layer\b|head\b)([\w./~-]+)\s*[,:]", re.I)
_MODEL_LAST = re.compile(r"\s(?:of|in)\s+([\w./~-]*[\d/-][\w./~-]*|minilm)\s*\.?\s*$")
_LOOKING = re.compile(r"\b(?:attend|look|point|go|find|select)(?:s|es|ing)?\b")
_OF = re.compile(r"\s+of\s+(?:(?:the|an?|its|their|each|every)\s+)?")
_FROM = re.compile(r"\bfrom\s+(?:the\s+|an?\s+|its\s+)?(?P<word>[a-z]+(?: [a-z]+)?)")
_NOT = re.compile(
    r"\b(?:not|never|cannot|rarely|seldom|hardly|ignor(?:es?|ing)|avoid(?:s|ing)?"
    r"|(?:all|anything|everything) (?:but|except))\b|n['\N{RIGHT SINGLE QUOTATION MARK}]t\b"
)
_PASSIVE = re.compile(r"\b(?:attended(?:\s+to)?|looked\s+at|found|seen)\s+by\b")
_ARROWS = {"->": r"\s*(?:->|→)\s*", "<-": r"\s*(?:<-|←)\s*"}
_LABEL = re.compile(r"(?<![\w:/+-])[a-z][a-z+-]*(?::[\w-]+)*(?![\w:/+])")
_SHOWN = "'minilm 2-8 det' or 'layer 3 head 10 attends to the next token'"


def claim_of_text(text: str, *, counting: int = 0, place: str = "") -> Claim:
    """Return the claim that a sentence makes.

    Args:
        text: A head, and a relation or where else it looks; the model before it, if any.
        counting: From what number layers and heads are counted, where the sentence does not say.
        place: Where it stands, as errors name it.

    Raises:
        InputError: If it names no head, or nothing that a head can be said to do.

    Example:
        >>> claim = claim_of_text("head 2-8 of minilm: determiners look at their nouns")
        >>> claim.model, claim.layer, claim.head, claim.relation, claim.direction
        ('minilm', 2, 8, 'det', 'dependent_to_head')
    """
    where = f"{place}: " if place else ""
    if len(text) > MOST_CHARACTERS:
        raise InputError(
            f"{where}claim ({len(text)} characters) must have at most {MOST_CHARACTERS}: give one "
            f"head and what it does, such as {_SHOWN}."
        )
    counted = _COUNTING.search(text)
    if counted:
        counting = _NUMBERS[(counted[1] or counted[2]).lower()]
    rest = _COUNTING.sub(" ", text)
    found = next((match for one in _HEADS if (match := one.search(rest))), None)
    if found is None:
        raise InputError(
            f"{where}claim ({text}) must name a head, as LAYER-HEAD or in words: such as {_SHOWN}."
        )
    layer, head = _numbers(found)
    beside = f"{rest[: found.start()]} {rest[found.end() :]}"
    if any(_numbers(match) != (layer, head) for one in _HEADS for match in one.finditer(beside)):
        raise InputError(
            f"{where}claim ({text}) must name one head: give a claim for each, such as {_SHOWN}."
        )
    model, description = _model(rest[: found.start()], rest[found.end() :], where)
    meant, target = described(description, text, where)
    return Claim(
        layer=from_zero("layer", layer, counting, where),
        head=from_zero("head", head, counting, where),
        relation=meant.relation,
        target=target,
        direction=meant.direction,
        model=model,
        said=text.strip(),
        counting=counting,
        place=place,
    )


def _numbers(match: re.Match[str]) -> tuple[int, int]:
    """Return layer and head as they are written."""
    first, second = map(int, match.groups())
    return (second, first) if "head" in match.re.groupindex else (first, second)


def from_zero(name: str, number: int, counting: int, where: str = "") -> int:
    """Return a number of a layer or head, counted from 0.

    Raises:
        InputError: If it is below what it is counted from.
    """
    if number < counting:
        raise InputError(
            f"{where}{name} ({number}) must be at least {counting}, from which the claim counts: "
            "say that it counts from 0, or give the right number."
        )
    return number - counting


def relation_named(name: str) -> Meant | None:
    """Return the relation that is called so, None where no relation can be.

    Example:
        >>> relation_named("dobj"), relation_named("next")
        (Meant(relation='obj', direction=''), None)
    """
    known = words()
    if name in known.relations or ":" in name or "+" in name:
        return Meant(name)
    if name in known.stanford and not known.stanford[name][1]:
        return Meant(known.stanford[name][0])
    return None


def available() -> str:
    """Return what a head can be said to do, for errors."""
    known = words()
    return (
        f"{', '.join(known.relations)}, any relation of the corpus; "
        f"{', '.join(known.target_names)}, offset:-2, the nearest VERB to the left, the word 'but'"
    )


def _model(before: str, after: str, where: str) -> tuple[str, str]:
    """Return the model that the words around a head name ('' for none), and the other words.

    Raises:
        InputError: If what stands before the head is neither a model nor about words.
    """
    first = _MODEL_FIRST.match(before)
    if first:
        return first[1], f"{before[first.end() :]} {after}"
    left = [word for word in re.split(r"[\s,:]+", before) if word.lower() not in {*_FILLERS, ""}]
    if len(left) == 1:
        return re.sub("['\N{RIGHT SINGLE QUOTATION MARK}]s$", "", left[0]), after
    if left and not (_by_words(before.lower()) or found_in(before.lower(), (*words().targets,))):
        raise InputError(
            f"{where}model ({' '.join(left)}) must be one word before the head: an alias, a folder "
            f"or a hub id, such as {_SHOWN}."
        )
    behind = _MODEL_AFTER.match(after)
    if behind:
        return behind[1], f"{before} {after[behind.end() :]}"
    last = _MODEL_LAST.search(after)
    if last:
        return last[1].rstrip("."), f"{before} {after[: last.start()]}"
    return "", f"{before} {after}"


def described(text: str, whole: str, where: str = "") -> tuple[Meant, str]:
    """Return the relation and direction that a description speaks of, and the target; '' for none.

    Args:
        text: The description.
        whole: What it is part of, as errors show it.
        where: What errors begin with.

    Raises:
        InputError: If it speaks of nothing that is known, or of several things.
    """
    given, (direction, text) = text, _direction(text.lower())
    target = word_target(text)
    rest = target[1] if target is not None else text
    denied = _NOT.search(rest)
    if denied:
        word = "not" if denied[0].startswith("n") and not denied[0].isalpha() else denied[0]
        raise InputError(
            f"{where}claim ({whole}) must say what the head does, without '{word}': claims are "
            "judged as they stand, and one that does not hold is reported so."
        )
    if target is not None and not _says_more(*target, text):
        return Meant(""), target[0]
    labels = [found for label in _LABEL.findall(text) if (found := relation_named(label))]
    if len({one.relation for one in labels}) == 1:
        relation = labels[0].relation
        # A corpus's own labels keep their capitals: role:ARG0.
        as_written = re.search(re.escape(relation), given, re.IGNORECASE)
        if ":" in relation and as_written:
            relation = as_written[0]
        return Meant(relation, _from_end(relation, given.lower()) or direction), ""
    known = words()
    targets = {known.targets[found[2]].name for found in found_in(text, tuple(known.targets))}
    meant = [] if labels else _by_words(text)
    if len(targets) == 1 and not (labels or meant):
        return Meant(""), targets.pop()
    if len({one.relation for one in meant}) == 1 and not targets:
        return Meant(meant[0].relation, direction or meant[0].direction), ""
    quoted = quoted_word(text)
    if quoted and not (labels or meant or targets):
        return Meant(""), quoted
    clear = "one thing that a head does" if labels or meant or targets else "what the head does"
    raise InputError(f"{where}claim ({whole}) must say {clear}. Available: {available()}.")


def _from_end(relation: str, text: str) -> str:
    """Return the direction of 'from the verb' for a relation; '' where nothing such is said."""
    known, said = words(), _FROM.search(text)
    if said is None:
        return ""
    heads = ("head", "governor", *known.heads.get(relation.split(":")[0], ()))
    every = {
        word for some in (known.dependents, known.heads) for one in some.values() for word in one
    }
    if any(said["word"].startswith(word) for word in heads):
        return "head_to_dependent"
    is_end = any(said["word"].startswith(word) for word in ("dependent", *every))
    return "dependent_to_head" if is_end else ""


def _says_more(name: str, rest: str, is_certain: bool, text: str) -> bool:
    """Return whether a description with a word as target speaks of a relation or target too."""
    outside = rest if is_certain else text
    labels = [label for label in _LABEL.findall(outside) if relation_named(label)]
    return bool(labels or _by_words(outside) or found_in(outside, tuple(words().targets)))


def _direction(text: str) -> tuple[str, str]:
    """Return the direction that a description names ('' for none), and the description without."""
    ways = words().directions
    for way in sorted(ways, key=len, reverse=True):
        parts = [_ARROWS.get(part) or re.escape(part) for part in re.split("(->|<-)", way)]
        pattern = "".join(parts)
        match = re.search(rf"(?<!\w){pattern}(?!\w)", text)
        if match:
            return ways[way], f"{text[: match.start()]} {text[match.end() :]}"
    return "", text


def _by_words(text: str) -> list[Meant]:
    """Return the relations that a description speaks of: those with the longest words alone."""
    known = words()
    passive = bool(_PASSIVE.search(text))
    found: list[tuple[int, Meant]] = []
    for relation, dependents in known.dependents.items():
        named = found_in(text, tuple({*dependents, *known.heads[relation]}))
        for place, first in enumerate(named):
            is_dependent = first[2] in dependents
            size = len(first[2])
            if is_dependent:
                found.append((size, Meant(relation)))
            for second in named[place + 1 :]:
                pair = (first[2] in known.heads[relation], second[2] in dependents)
                if not (all(pair) or (is_dependent and second[2] in known.heads[relation])):
                    continue
                # 'looks at the object of the verb' names first where it looks, then from where.
                of = _OF.fullmatch(text[first[1] : second[0]])
                turned = passive != bool(of)
                is_down = turned if all(pair) and not is_dependent else not turned
                way = "dependent_to_head" if is_down else "head_to_dependent"
                if of and not _LOOKING.search(text[: first[0]]):
                    way = ""
                found.append((1000 + size + len(second[2]), Meant(relation, way)))
    longest = max((size for size, _ in found), default=0)
    return [meant for size, meant in found if size == longest]
