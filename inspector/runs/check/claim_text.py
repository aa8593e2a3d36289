"""Claims as people write them: "minilm 2-8 det", "layer 3 head 10 attends to the next token".

Must not know: files, corpora, models.
"""

import re

from inspector.errors import InputError
from inspector.runs.check.claim import ANY, Claim
from inspector.runs.check.described_words import quoted_word, word_target
from inspector.runs.check.vocabulary import Meant, found_in, words

MOST_CHARACTERS = 500
"""Of a claim: a sentence has fewer."""
_N = r"([0-9]{1,6})"
_HEAD = r"(?:attention\s+)?head"
_IS = r"\s*(?:[=:#_-]|no\.?|number)?\s*#?"
_HEADS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\blayer{_IS}{_N}(?:'s)?\s*[,;:/-]?\s*(?:and\s+)?{_HEAD}{_IS}{_N}\b",
        rf"\b{_HEAD}{_IS}(?P<head>[0-9]{{1,6}})\s*(?:,|of|in|at)?\s*(?:the\s+)?layer{_IS}{_N}\b",
        rf"\bL{_N}\s*[.,:/-]?\s*H{_N}\b",
        rf"\bH(?P<head>[0-9]{{1,6}})\s*[.,:/-]?\s*L{_N}\b",
        rf"(?:\b{_HEAD}\s*)?[(\[]\s*{_N}\s*,\s*{_N}\s*[)\]]",
        rf"(?:\b{_HEAD}\s+)?(?<![\w.-])[ah]?{_N}[-./:]{_N}(?![\w-]|\.[0-9])",
    )
)
_SEVERAL = re.compile(
    rf"\blayers\s*[0-9]|\blayer{_IS}[0-9]+\W*heads\b"
    r"|\bheads\s*[0-9]+(?:\W+(?:(?:and|or|to)\s+)?[0-9]+)*\s+(?:of|in)\s+(?:the\s+)?layer\b",
    re.IGNORECASE,
)
_CITED = re.compile(
    r"\b(?:arxiv|sec(?:tion)?|table|fig(?:ure)?|eq|appendix|chapter)s?[.:]?\s*[0-9]+(?:[.-][0-9]+)*",
    re.IGNORECASE,
)
_DIGITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
)  # fmt: skip
_SPELT = re.compile(rf"\b(layer|head)\s+({'|'.join(_DIGITS)})\b", re.IGNORECASE)
# Hyphens, dashes and the minus, as papers set them.
_DASHES = re.compile(r"[\u2010-\u2014\u2212]")
_FROM_ONE = r"(0|1|zero|one)\b(?!\s+(?:token|word|position)s?\b)\)?"
_COUNTING = re.compile(
    rf"\(?\b(?:count|index)(?:ing|ed|s|es)?\s+(?:(?:start|beginn?)(?:ing|s)?\s+)?"
    rf"(?:(?:from|at|with)\s+)?{_FROM_ONE}"
    r"|\(?\b(?:(?:layers?|heads?|and|both|are|is)\s+)*(?:count|number|index|indic|start|begin)\w*\s+"
    rf"(?:(?:layers?|heads?|and|both|are|is|start\w*|begin\w*|count\w*|number\w*)\s+)*"
    rf"(?:from|at|with)\s+{_FROM_ONE}"
    r"|\(?\b(0|1|zero|one)[- ](?:index(?:ed|ing)?|based)\b\)?"
    r"|\(from\s+(0|1|zero|one)\)|\(?\bbase[ :=]\s*(0|1)\b\)?",
    re.IGNORECASE,
)
_COUNTS = re.compile(
    r"\b(?:count(?:ing|ed)|index(?:ed|ing)|indices|number(?:ed|ing))\b[^,.:;)]*", re.IGNORECASE
)
_NUMBERS = {"0": 0, "zero": 0, "1": 1, "one": 1}
_FILLERS = frozenset(
    ("in", "of", "the", "for", "model", "head", "heads", "attention", "at", "a", "an", "claim")
)
_MODEL_AFTER = re.compile(r"^\s*(?:of|in)\s+(?!the\b|layer\b)([\w./~-]+)(?=[\s,:]|$)")
_MODEL_FIRST = re.compile(r"^\s*(?:in|of)\s+(?!the\b|layer\b|head\b)([\w./~-]+)\s*[,:]", re.I)
_MODEL_LAST = re.compile(
    r"\s(?:of|in)\s+(?!\d+\s*\.?\s*$)([\w./~-]*[\d/-][\w./~-]*|minilm)\s*\.?\s*$"
)
_LOOKING = re.compile(r"\b(?:attend|look|point|go|find|select)(?:s|es|ing)?\b")
_OF = re.compile(r"\s+of\s+(?:(?:the|an?|its|their|each|every)\s+)?")
_FROM = re.compile(r"\bfrom\s+(?:the\s+|an?\s+|its\s+)?(?P<word>[a-z]+(?: [a-z]+)?)")
_NOT = re.compile(
    r"\b(?:not|never|cannot|rarely|seldom|hardly|ignor(?:es?|ing)|avoid(?:s|ing)?"
    r"|(?:all|anything|everything) (?:but|except))\b|n['\N{RIGHT SINGLE QUOTATION MARK}]t\b"
)
_TWO_WAYS = re.compile(
    r"(?=.*\b(?:next|following)\b)(?=.*\b(?:previous|preceding)\b)|(?=.*\bleft\b)(?=.*\bright\b)"
)
_BESIDE = re.compile(
    r"\b(?:words?|tokens?|positions?|one|two|three)\s+(?:\w+ly\s+|right\s+|just\s+)?"
    r"(?:after|before|(?:to\s+the\s+)?(?:left|right)\s+of)\s+(?:the|an?|each|every)\s+"
    r"(?!next\b|previous\b|current\b|word\b|token\b)"
)
_PASSIVE = re.compile(r"\b(?:attended(?:\s+to)?|looked\s+at|found|seen)\s+by\b")
_ARROWS = {"->": r"\s*(?:->|→)\s*", "<-": r"\s*(?:<-|←)\s*"}
_LABEL = re.compile(r"(?<![\w:/+-])[a-z][a-z+-]*(?::[\w-]+)*(?![\w:/+])")
_Named = tuple[int, int, str]
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
    counting, rest = _counted(text, counting, where)
    if _SEVERAL.search(rest):
        raise InputError(
            f"{where}claim ({text}) must name one head: give a claim for each, such as {_SHOWN}."
        )
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


def heard(text: str, counting: int = 0) -> Claim:
    """Return what is understood of a sentence that need not be a claim: ANY head, '' for the rest.

    Example:
        >>> one = heard("Determiners attend to their noun")
        >>> one.layer == ANY, one.relation, one.direction
        (True, 'det', 'dependent_to_head')
    """
    said = _CITED.sub(" ", text)
    try:
        return claim_of_text(said, counting=counting)
    except InputError:
        return _heard_in_part(said, counting)


def _heard_in_part(text: str, counting: int) -> Claim:
    """Return what is understood of a sentence that is no claim: a head in words, what it does."""
    try:
        counting, rest = _counted(text, counting, "")
    except InputError:
        return Claim(ANY, ANY)
    # Bare numbers may be of anything: years, layers.
    said = [match for one in _HEADS for match in one.finditer(rest) if "h" in match[0].lower()]
    for match in said:
        rest = rest.replace(match[0], " ")
    try:
        meant, target = described(rest, text, "")
    except InputError:
        meant, target = Meant(""), ""
    layer = head = ANY
    if len({_numbers(match) for match in said}) == 1 and not _SEVERAL.search(text):
        layer, head = (number - counting for number in _numbers(said[0]))
    return Claim(layer, head, meant.relation, target, meant.direction, said=text, counting=counting)


def _counted(text: str, counting: int, where: str) -> tuple[int, str]:
    """Return from what number a sentence counts, and what else it says, its numbers in digits.

    Raises:
        InputError: If it counts from another number than 0 or 1, or from both.
    """
    text = _SPELT.sub(lambda spelt: f"{spelt[1]} {_DIGITS.index(spelt[2].lower())}", text)
    text = _DASHES.sub("-", text)
    said = {
        _NUMBERS[number.lower()]
        for match in _COUNTING.finditer(text)
        for number in match.groups()
        if number
    }
    rest = _COUNTING.sub(" ", text)
    other = _COUNTS.search(rest)
    if other or len(said) > 1:
        shown = other[0].strip() if other else "from 0 and from 1"
        raise InputError(
            f"{where}counting ({shown}) must be from 0 or from 1: say 'counting from 1'."
        )
    return (said.pop() if said else counting), rest


def head_named(text: str) -> tuple[int, int] | None:
    """Return layer and head of a text that names one head and nothing else; None of another.

    Example:
        >>> head_named("2-8"), head_named("L2H8"), head_named("8 of 2")
        ((2, 8), (2, 8), None)
    """
    found = next((match for one in _HEADS if (match := one.fullmatch(text.strip()))), None)
    return None if found is None else _numbers(found)


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
    left = [word for word in re.split(r"[\s,:(\[]+", before) if word.lower() not in {*_FILLERS, ""}]
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
    known = words()
    targets = {known.targets[found[2]].name for found in found_in(text, tuple(known.targets))}
    # 'the next or previous token' is two things; 'the word after the verb' is not the next word;
    # 'verbs look at the next word' is of some words only.
    is_part = bool(direction or found_in(rest, known.ends))
    several = bool(
        (target or targets) and (is_part or _TWO_WAYS.search(text) or _BESIDE.search(text))
    )
    if target is not None and not several and not _says_more(*target, text):
        return Meant(""), target[0]
    labels = [found for label in _LABEL.findall(text) if (found := relation_named(label))]
    if len({one.relation for one in labels}) == 1:
        relation = labels[0].relation
        # A corpus's own labels keep their capitals: role:ARG0.
        as_written = re.search(re.escape(relation), given, re.IGNORECASE)
        if ":" in relation and as_written:
            relation = as_written[0]
        return Meant(relation, _from_end(relation, given.lower()) or direction), ""
    meant = [] if labels else _by_words(text)
    if len(targets) == 1 and not (labels or meant or several):
        return Meant(""), targets.pop()
    if len({one.relation for one in meant}) == 1 and not targets:
        return Meant(meant[0].relation, direction or meant[0].direction), ""
    quoted = quoted_word(text)
    if quoted and not (labels or meant or targets or several):
        return Meant(""), quoted
    is_several = labels or meant or targets or several
    clear = "one thing that a head does" if is_several else "what the head does"
    raise InputError(f"{where}claim ({whole}) must say {clear}. Available: {available()}.")


def _from_end(relation: str, text: str) -> str:
    """Return the direction of 'from the verb' for a relation; '' where nothing such is said."""
    known, said = words(), _FROM.search(text)
    if said is None:
        return ""
    heads = ("head", "governor", *known.heads.get(relation.split(":")[0], ()))
    if any(said["word"].startswith(word) for word in heads):
        return "head_to_dependent"
    is_end = any(said["word"].startswith(word) for word in ("dependent", *known.ends))
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
    """Return the relations that a description speaks of: those with the longest words alone.

    None where it speaks of a further end, as of nouns in 'subjects attend to nouns'.
    """
    known = words()
    passive = bool(_PASSIVE.search(text))
    found: list[tuple[int, Meant, tuple[_Named, ...]]] = []
    for relation, dependents in known.dependents.items():
        named = found_in(text, tuple({*dependents, *known.heads[relation]}))
        for place, first in enumerate(named):
            is_dependent = first[2] in dependents
            size = len(first[2])
            if is_dependent:
                found.append((size, Meant(relation), (first,)))
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
                size = 1000 + len(first[2]) + len(second[2])
                found.append((size, Meant(relation, way), (first, second)))
    longest = max((size for size, *_ in found), default=0)
    of_longest = [(meant, spans) for size, meant, spans in found if size == longest]
    covered = [span for _, spans in of_longest for span in spans]
    for start, end, _ in found_in(text, known.ends):
        if all(end <= first or start >= last for first, last, _ in covered):
            return []
    return [meant for meant, _ in of_longest]
