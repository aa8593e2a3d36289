"""What each kind of annotation relates, by plain loops over the cells of the files themselves.

Sentences are dictionaries from a word's number, counted from 1, to its cells. A pair is (label,
source, the right words). Must not know: inspector.
"""

import math
from collections import Counter

ID, FORM, LEMMA, UPOS, _XPOS, FEATS, HEAD, LABEL, _DEPS, MISC = range(10)
CUES = ["not", "n't", "nt", "never", "no", "neither", "nor"]
ALONE = ["nobody", "nothing", "none", "noone", "no-one"]
COMPARING = [
    *("more", "less", "fewer", "rather", "other", "else", "different", "worse", "better"),
    *("further", "later", "sooner", "otherwise"),
]
OPERATORS = {"and": "and", "&": "and", "or": "or", "but": "but", "yet": "but"}
QUANTIFIERS = [
    *("all", "every", "each", "some", "any", "both", "few", "many", "several", "most", "half"),
    *("either", "much", "enough"),
]
COUNTED = ["lot", "plenty", "none", "couple", "majority", "bunch"]
PHRASE = ["nmod", "conj", "appos", "compound", "flat", "fixed", "amod", "nummod", "det", "list"]
ARGUMENTS = ["nsubj", "obj", "iobj", "obl", "csubj", "dislocated", "vocative"]


def raw_documents(path):
    """Return document → sentence id → words, each a row of cells with small lemmas."""
    found, document = {}, {}
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        words, name = {}, ""
        for line in block.split("\n"):
            if line.startswith("# newdoc id = "):
                document = found.setdefault(line[14:], {})
            elif line.startswith("# sent_id = "):
                name = line[12:]
            elif line[:1].isdigit() and line.split("\t")[0].isdigit():
                cells = line.split("\t")
                cells[LEMMA] = (cells[FORM] if cells[LEMMA] == "_" else cells[LEMMA]).lower()
                words[int(cells[ID])] = cells
        if words:
            document[name] = words
    return found


def base(words, n):
    return words[n][LABEL].split(":")[0]


def head(words, n):
    return int(words[n][HEAD])


def below(words, n):
    """Return the word and all whose chain of heads meets it."""
    found = []
    for other in words:
        here = other
        while here and here != n:
            here = head(words, here)
        if here == n:
            found.append(other)
    return found


def height(words, n):
    steps = 0
    while head(words, n):
        n, steps = head(words, n), steps + 1
    return steps


def predicate(words, n):
    """Return the predicate that a noun phrase is an argument of, through the phrases around it."""
    while base(words, n) in PHRASE and head(words, n):
        n = head(words, n)
    return head(words, n) if base(words, n) in ARGUMENTS else 0


def negation(words):
    for n, row in words.items():
        if base(words, n) in ("fixed", "goeswith", "reparandum"):
            continue
        marked = row[UPOS] in ("PRON", "DET", "ADV") and "PronType=Neg" in row[FEATS]
        if not marked and row[LEMMA] not in CUES and row[LEMMA] not in ALONE:
            continue
        modifies = base(words, n) in ("advmod", "det", "cc", "neg")
        if modifies:
            yield "neg:scope", n, {head(words, n)}
        if (not modifies or base(words, n) == "det") and predicate(words, n):
            yield "neg:predicate", n, {predicate(words, n)}


def condition(words):
    for n in words:
        marks = [m for m in words if head(words, m) == n and base(words, m) == "mark"]
        cues = [m for m in marks if words[m][LEMMA] in ("if", "unless")]
        compares = any(words[m][LEMMA] in ("as", "like") for m in marks)
        if base(words, n) == "advcl" and cues and not compares:
            yield "condition:consequence", n, {head(words, n)}
            yield "condition:cue", cues[0], {head(words, n)}
    bearers = {}
    for n, row in words.items():
        for key in row[MISC].split("|"):
            for element in key[8:].split(",") if key.startswith("CxnElt=") else ():
                name, _, part = element.rpartition(".")
                if name.split(":")[1].startswith("Conditional"):
                    bearers.setdefault(name, {}).setdefault(part, n)
    for parts in bearers.values():
        one, other = parts.get("Protasis"), parts.get("Apodosis")
        if one and other and one != other:
            yield "condition:consequence", one, {other}


def conjunct_before(words, n):
    if base(words, n) != "conj":
        return 0
    first = head(words, n)
    row = [first, *(m for m in words if head(words, m) == first and base(words, m) == "conj")]
    return max((m for m in row if m < n), default=0)


def coordination(words):
    for n, row in words.items():
        if conjunct_before(words, n):
            yield "coordination:conjuncts", n, {conjunct_before(words, n)}
        if base(words, n) == "cc" and row[LABEL] != "cc:preconj" and row[LEMMA] in OPERATORS:
            before = conjunct_before(words, head(words, n)) if head(words, n) else 0
            if before:
                yield f"coordination:{OPERATORS[row[LEMMA]]}", n, {before}


def comparative(words, n):
    row = words[n]
    by_form = row[FEATS] == "_" and row[UPOS] in ("ADJ", "ADV") and row[LEMMA].endswith("er")
    return "Degree=Cmp" in row[FEATS] or by_form or row[LEMMA] in COMPARING


def comparison(words):
    for cue, row in words.items():
        if row[LEMMA] not in ("than", "as") or base(words, cue) not in ("case", "mark", "cc"):
            continue
        standard = head(words, cue)
        above = head(words, standard)
        if not above:
            continue
        own = below(words, standard)
        fitting = [
            n
            for n in sorted(below(words, above))
            if n < cue and n not in own and base(words, n) not in ("case", "mark", "cc", "fixed")
            and (words[n][LEMMA] in ("as", "so", "same") if row[LEMMA] == "as"
                 else comparative(words, n))
        ]  # fmt: skip
        found = fitting[-1] if fitting else 0
        if row[LEMMA] == "than" and above < cue and comparative(words, above):
            found = above
        if found and base(words, found) == "advmod" and head(words, found) != standard:
            up = head(words, found)
            found = up if words[up][UPOS] in ("ADJ", "ADV") else found
        if found:
            yield "comparison:standard", standard, {found}
            yield "comparison:cue", cue, {found}


def quantifier(words):
    for n, row in words.items():
        if row[LEMMA] not in QUANTIFIERS and row[LEMMA] not in COUNTED:
            continue
        after = [m for m in words if m > n and head(words, m) == n and base(words, m) == "nmod"]
        of = [
            m for m in after
            if any(head(words, c) == m and base(words, c) == "case" and words[c][LEMMA] == "of"
                   for c in words)
        ]  # fmt: skip
        for m in of:
            yield "quantifier:partitive", n, {m}
        noun = head(words, n)
        if of or row[LEMMA] in COUNTED or base(words, n) not in ("det", "amod", "nummod"):
            continue
        if words[noun][UPOS] in ("NOUN", "PROPN", "PRON"):
            yield "quantifier:noun", n, {noun}
            if predicate(words, noun):
                yield "quantifier:scope", n, {predicate(words, noun)}


def numbers(spans):
    ends = [(span.split("-") * 2)[:2] for span in spans.split(",")]
    return [n for start, end in ends for n in range(int(start), int(end) + 1)]


def connective(document):
    """Yield (sentence id, label, source, right words) of a document's explicit connectives."""
    place = [(name, n) for name, words in document.items() for n in words]

    def top(words, chosen):
        open_ = [n for n in sorted(chosen) if head(words, n) not in chosen]
        return min(open_, key=lambda n: (base(words, n) == "punct", height(words, n)))

    for words in document.values():
        for row in words.values():
            for key in row[MISC].split("|"):
                for value in key[5:].split(";") if key.startswith("PDTB=") else ():
                    if not value.startswith("Explicit:"):
                        continue
                    _, sense, _, *spans = value.split(":")
                    own, *arguments = ([place[n - 1] for n in numbers(s)] for s in spans)
                    for label, said in zip(
                        ("connective", "connective-own"), arguments, strict=True
                    ):
                        if {where for where, _ in (*own, *said)} != {own[0][0]}:
                            continue
                        here = document[own[0][0]]
                        source = top(here, {n for _, n in own})
                        target = top(here, {n for _, n in said})
                        if source != target:
                            full = f"{label}:{sense.split('.')[0].lower()}"
                            yield own[0][0], full, source, {target}


LOGIC = (negation, condition, coordination, comparison, quantifier)


def table(path):
    """Return the rows of a table separated by tabs, as dictionaries."""
    header, *lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    return [dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines]


def roles(path, sentences):
    for row in table(path):
        if row["roleset"] in ("be.03", "have.01", "do.01") or row["role"][:2] in ("C-", "R-"):
            continue
        if row["sent_id"] in sentences:
            words, a, p = sentences[row["sent_id"]], int(row["arg_id"]), int(row["pred_id"])
            name = "role-dep" if p == head(words, a) or a == head(words, p) else "role"
            name = "role-copula" if base(words, p) in ("cop", "aux") else name
            is_negation = row["role"] == "ARGM-NEG"
            yield row["sent_id"], "neg:argument" if is_negation else f"{name}:{row['role']}", a, {p}


def blocks(path):
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        lines = block.split("\n")
        name = next((line[12:] for line in lines if line.startswith("# sent_id = ")), "")
        yield name, {int(c[0]): c for line in lines if (c := line.split("\t"))[0].isdigit()}


def each_to_the_others(name, label, words):
    for n in words:
        if len(words) > 1:
            yield name, label, n, {m for m in words if m != n}


def names(path, sentences):
    for name, rows in blocks(path):
        spans = []
        for n, cells in rows.items():
            if cells[2].startswith("B-"):
                spans.append((cells[2][2:], [n]))
            elif cells[2].startswith("I-"):
                spans[-1][1].append(n)
        for kind, words in spans if name in sentences else ():
            yield from each_to_the_others(name, f"name:{kind}", words)


def supersenses(path, sentences):
    classes = {"n.": "noun", "v.": "verb", "p.": "preposition"}
    for name, rows in blocks(path):
        groups = {}
        for n, cells in rows.items() if name in sentences else ():
            if cells[13][:2] in classes:
                alike = {
                    m for m, other in rows.items()
                    if other[13] == cells[13] and other[12].lower() != cells[12].lower()
                }  # fmt: skip
                if alike:
                    yield name, f"supersense:{classes[cells[13][:2]]}", n, alike
            if cells[10] != "_":
                groups.setdefault(cells[10].split(":")[0], []).append(n)
        for words in groups.values():
            if any(rows[n][3] != "PROPN" for n in words):
                kind = "verb" if rows[words[0]][11].startswith("V") else "other"
                yield from each_to_the_others(name, f"idiom:{kind}", words)


def meaning(related, sentences):
    """Yield pairs of lemmas that are said to be related, and each one's unrelated likeness.

    Args:
        related: Kind → ordered pairs of (lemma, tag), in the order in which kinds are read.
        sentences: Of the whole corpus.
    """
    content = [
        (name, {n: (row[LEMMA], row[UPOS]) for n, row in words.items()
                if row[UPOS] in ("NOUN", "VERB", "ADJ", "ADV")})
        for name, words in sentences.items()
    ]  # fmt: skip
    counts = Counter(word for _, words in content for word in words.values())
    found, every = {kind: [] for kind in related}, []
    for name, words in content:
        for a, one in words.items():
            for b, other in words.items():
                if one[0] != other[0]:
                    pair = (name, a, b, one, other)
                    every.append(pair)
                    for kind, pairs in related.items():
                        if (one, other) in pairs:
                            found[kind].append(pair)
    taken = {p[:3] for pairs in found.values() for p in pairs}
    taken |= {(name, b, a) for name, a, b in taken}
    free = [pair for pair in every if pair[:3] not in taken]
    for kind, pairs in found.items():
        for name, a, b, *_ in pairs:
            yield name, f"meaning:{kind}", a, {b}
    for kind, pairs in found.items():
        for _, a, b, one, other in pairs:
            best, least = None, math.inf
            for pair in free:
                if (pair[2] - pair[1], pair[3][1], pair[4][1]) == (b - a, one[1], other[1]):
                    apart = abs(math.log(counts[pair[3]]) - math.log(counts[one]))
                    apart += abs(math.log(counts[pair[4]]) - math.log(counts[other]))
                    if apart < least:
                        best, least = pair, apart
            if best is not None:
                free.remove(best)
                yield best[0], f"meaning-control:{kind}", best[1], {best[2]}
