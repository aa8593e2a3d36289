"""A strict checker of CoNLL-U treebanks with entities, written without inspector's reader.

It knows the format, the UD inventories, what a tree is, which part of speech a relation asks for
and GUM's Entity= notation. `problems` returns one sentence per finding, none for a sound text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field


def names(text: str) -> set[str]:
    """Return the words of a text."""
    return set(text.split())


UPOS = names("ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X")
PENN = names(
    "CC CD DT EX IN JJ JJR JJS MD NN NNP NNPS NNS PDT POS PRP PRP$ RB RBR RBS RP TO UH VB VBD VBG "
    "VBN VBP VBZ WDT WP WP$ WRB . , : `` '' -LRB- -RRB- HYPH"
)
DEPRELS = names(
    "acl acl:relcl advcl advcl:relcl advmod amod appos aux aux:pass case cc cc:preconj ccomp "
    "compound compound:prt conj cop csubj csubj:pass det det:predet discourse expl fixed flat iobj "
    "mark nmod nmod:desc nmod:poss nmod:unmarked nsubj nsubj:pass nummod obj obl obl:agent "
    "obl:unmarked parataxis punct root vocative xcomp"
)
TAGS = {
    "det": {"DET"},
    "det:predet": {"DET"},
    "case": {"ADP", "PART"},
    "punct": {"PUNCT"},
    "aux": {"AUX"},
    "aux:pass": {"AUX"},
    "cop": {"AUX"},
    "cc": {"CCONJ"},
    "cc:preconj": {"CCONJ"},
    "mark": {"SCONJ", "PART"},
    "nummod": {"NUM"},
    "amod": {"ADJ", "VERB"},
    "advmod": {"ADV", "PART", "ADP"},
    "compound:prt": {"ADP"},
    "expl": {"PRON"},
    "discourse": {"INTJ"},
    "nmod:poss": {"NOUN", "PROPN", "PRON"},
    "iobj": {"NOUN", "PROPN", "PRON"},
    "nsubj": {"NOUN", "PROPN", "PRON", "DET", "ADJ"},
}
"""Relation → the parts of speech that its dependent may have."""
ONLY_AS = {"PUNCT": {"punct"}, "CCONJ": {"cc", "cc:preconj"}, "SCONJ": {"mark", "fixed"}}
LEAVES = {
    "punct": set(),
    "case": {"fixed"},
    "mark": {"fixed"},
    "cc": set(),
    "aux": set(),
    "aux:pass": set(),
    "cop": set(),
    "det": set(),
    "fixed": set(),
}
"""Relation of a function word → relations that its own dependents may have."""
LEFT_TO_RIGHT = {"conj", "fixed", "flat", "appos"}
CLAUSES = {"root", "conj", "parataxis", "xcomp", "ccomp", "csubj", "csubj:pass", "advcl", "acl"}
CLAUSES |= {"acl:relcl", "advcl:relcl"}
ONCE = ({"nsubj", "nsubj:pass", "csubj", "csubj:pass"}, {"obj"}, {"iobj"}, {"cop"}, {"aux:pass"})
ETYPES = names("abstract animal event object organization person place plant substance time")
INFSTAT = names("new giv:act giv:inact acc:inf acc:aggr acc:com")
LINKS = {"ana", "appos", "cata", "coref", "pred", "sgl"}
GLOBAL = "GRP-etype-infstat-salience-centering-minspan-link-identity"


@dataclass
class Mention:
    """An entity named in a sentence; words count from 1."""

    group: int
    fields: list[str]
    start: int
    end: int = 0


@dataclass
class Tree:
    """One sentence; index 0 of every column stands for the root."""

    id: str
    text: str
    rows: list[list[str]]
    ranges: dict[int, tuple[int, list[str]]] = field(default_factory=dict)
    mentions: list[Mention] = field(default_factory=list)

    @property
    def heads(self) -> list[int]:
        return [0, *(int(row[6]) for row in self.rows)]

    def children(self, word: int) -> list[list[str]]:
        return [row for row in self.rows if row[6] == str(word)]


def problems(text: str) -> list[str]:
    """Return what is wrong with one document, '' aside."""
    found: list[str] = []
    if not text.endswith("\n\n") or "\n\n\n" in text or "\r" in text:
        found.append("sentences must end with one empty line")
    blocks = [block.split("\n") for block in text.strip("\n").split("\n\n")]
    document = comments(blocks[0]).get("newdoc id", "")
    if comments(blocks[0]).get("global.Entity") != GLOBAL:
        found.append("global.Entity is missing")
    trees = []
    for number, block in enumerate(blocks, start=1):
        known = comments(block)
        name = known.get("sent_id", "")
        if name != f"{document}-{number}":
            found.append(f"sent_id {name!r} is not {document}-{number}")
        rows = [line.split("\t") for line in block if not line.startswith("#")]
        if any(len(row) != 10 or not all(row) for row in rows):
            found.append(f"{name}: not ten filled columns")
            continue
        tree = Tree(name, known.get("text", ""), [row for row in rows if "-" not in row[0]])
        tree.ranges = {
            int(row[0].split("-")[0]): (int(row[0].split("-")[1]), row)
            for row in rows
            if "-" in row[0]
        }
        wrong = list(format_problems(tree))
        wrong = wrong or [*tree_problems(tree), *entity_problems(tree)]
        found += [f"{name}: {problem}" for problem in wrong]
        trees.append(tree)
    return found + ([] if found else [f"{document}: {p}" for p in chain_problems(trees)])


def comments(block: list[str]) -> dict[str, str]:
    """Return what the comment lines say: key → value."""
    lines = [line[1:] for line in block if line.startswith("#") and "=" in line]
    return {key.strip(): value.strip() for key, value in (line.split("=", 1) for line in lines)}


def format_problems(tree: Tree) -> Iterator[str]:
    """Yield what no tree can be read from."""
    if [row[0] for row in tree.rows] != [str(n + 1) for n in range(len(tree.rows))]:
        yield "ids are not 1, 2, 3, …"
        return
    spelled, word = "", 1
    while word <= len(tree.rows):
        end, row = tree.ranges.get(word, (word, tree.rows[word - 1]))
        forms = "".join(row[1] for row in tree.rows[word - 1 : end])
        if end < word or end > len(tree.rows) or row[1] != forms:
            yield f"range {row[0]} {row[1]!r} is not made of {forms!r}"
            return
        spelled += row[1] + ("" if "SpaceAfter=No" in row[9] else " ")
        word = end + 1
    if spelled.strip() != tree.text:
        yield f"the words spell {spelled.strip()!r}, the text is {tree.text!r}"
    for row in tree.rows:
        if row[3] not in UPOS or row[4] not in PENN or row[7] not in DEPRELS:
            yield f"{row[1]}: {row[3]}, {row[4]} or {row[7]} is not in the inventory"
        pairs = [] if row[5] == "_" else row[5].split("|")
        if pairs != sorted(pairs) or not all(re.fullmatch(r"\w+=\w+", pair) for pair in pairs):
            yield f"{row[1]}: features {row[5]} are malformed or not sorted"
        if not row[6].isdigit() or int(row[6]) > len(tree.rows):
            yield f"{row[1]}: head {row[6]} is no word"


def tree_problems(tree: Tree) -> Iterator[str]:
    """Yield what a tree, or a tree in UD English, may not be."""
    heads = tree.heads
    if heads[1:].count(0) != 1:
        yield f"{heads[1:].count(0)} roots"
        return
    for word in range(1, len(heads)):
        here, steps = word, 0
        while here and steps <= len(heads):
            here, steps = heads[here], steps + 1
        if here:
            yield f"word {word} hangs on a cycle"
            return
    crossing = crossings(heads)
    if crossing:
        yield f"arcs cross at words {crossing}"
    for word, row in enumerate(tree.rows, start=1):
        upos, head, deprel = row[3], heads[word], row[7]
        below = {child[7] for child in tree.children(word)}
        if (deprel == "root") != (head == 0):
            yield f"{row[1]}: root without head 0, or the reverse"
        if upos not in TAGS.get(deprel, {upos}) or deprel not in ONLY_AS.get(upos, {deprel}):
            yield f"{row[1]}: {upos} cannot be {deprel}"
        if not below <= LEAVES.get(deprel, below):
            yield f"{row[1]}: {deprel} has dependents {below}"
        if deprel in LEFT_TO_RIGHT and head > word:
            yield f"{row[1]}: {deprel} stands before its head"
        if deprel in ("cc", "cc:preconj", "case") and row[4] != "POS" and head < word:
            yield f"{row[1]}: {deprel} stands after its head"
        if deprel == "conj" and tree.rows[head - 1][7] == "conj" and row[3] != "VERB":
            yield f"{row[1]}: conjuncts hang on the first one"
        yield from predicate_problems(tree, word)


def predicate_problems(tree: Tree, word: int) -> Iterator[str]:
    """Yield what a word's dependents say that it cannot be."""
    row = tree.rows[word - 1]
    below = [child[7] for child in tree.children(word)]
    for group in ONCE:
        if sum(deprel in group for deprel in below) > 1:
            yield f"{row[1]}: has several of {sorted(group)}"
    subjects = {"nsubj", "nsubj:pass", "csubj", "csubj:pass"} & set(below)
    small = row[7] == "xcomp"
    if subjects and row[7] not in CLAUSES:
        yield f"{row[1]}: {row[7]} has a subject"
    if subjects and row[3] not in ("VERB", "AUX") and "cop" not in below and not small:
        yield f"{row[1]}: {row[3]} has a subject and no copula"
    if "cop" in below and row[3] in ("VERB", "AUX"):
        yield f"{row[1]}: a verb has a copula"
    passive = "aux:pass" in below
    if passive and row[4] != "VBN":
        yield f"{row[1]}: a passive must be VBN"
    if passive and {"nsubj", "csubj"} & set(below):
        yield f"{row[1]}: a passive has an active subject"
    if "nsubj:pass" in below and not passive:
        yield f"{row[1]}: a passive subject and no passive auxiliary"
    if "iobj" in below and not {"obj", "ccomp", "xcomp"} & set(below) and row[2] != "tell":
        yield f"{row[1]}: an indirect object without a direct one"
    if "mark" in below and row[3] not in ("VERB", "AUX") and "cop" not in below:
        yield f"{row[1]}: a mark belongs to a clause"
    if {"obj", "ccomp"} <= set(below):
        yield f"{row[1]}: both an object and an object clause"


def crossings(heads: list[int]) -> list[int]:
    """Return the words with an arc that leaves a word between its ends undominated by its head."""

    def under(word: int, top: int) -> bool:
        while word and word != top:
            word = heads[word]
        return word == top

    return [
        word
        for word in range(1, len(heads))
        if heads[word]
        and any(
            not under(between, heads[word])
            for between in range(min(word, heads[word]) + 1, max(word, heads[word]))
        )
    ]


def entity_problems(tree: Tree) -> Iterator[str]:
    """Yield what is wrong with a sentence's mentions; keep the sound ones in the tree."""
    open_mentions: list[Mention] = []
    for word, row in enumerate(tree.rows, start=1):
        match = re.search(r"(?:^|\|)Entity=([^|]+)", row[9])
        pieces = re.findall(r"\([^()]+\)?|[^()]+\)", match[1]) if match else []
        if match and "".join(pieces) != match[1]:
            yield f"{row[1]}: brackets {match[1]} cannot be read"
        for piece in pieces:
            if piece.startswith("("):
                fields = piece.strip("()").split("-", 7)
                if len(fields) < 7 or not fields[0].isdigit():
                    yield f"{row[1]}: mention {piece} lacks fields"
                    return
                open_mentions.append(Mention(int(fields[0]), fields, word))
                tree.mentions.append(open_mentions[-1])
            if piece.endswith(")"):
                group = None if piece.startswith("(") else piece.strip(")")
                if not open_mentions or group not in (None, str(open_mentions[-1].group)):
                    yield f"{row[1]}: {piece} closes what is not open"
                    return
                open_mentions.pop().end = word
    if open_mentions:
        yield f"{len(open_mentions)} mentions stay open"
        return
    for mention in tree.mentions:
        yield from mention_problems(tree, mention)


def mention_problems(tree: Tree, mention: Mention) -> Iterator[str]:
    """Yield what is wrong with the fields of one mention."""
    _, etype, infstat, salience, centering, minspan, link, *_ = mention.fields
    inside = range(mention.start, mention.end + 1)
    name = " ".join(tree.rows[word - 1][1] for word in inside)
    if etype not in ETYPES or infstat not in INFSTAT or link not in LINKS or salience != "_____":
        yield f"{name}: {mention.fields} has a value outside the inventory"
    if not re.fullmatch(r"cf[1-9]\d*\*?", centering) or not re.fullmatch(r"\d+(,\d+)*", minspan):
        yield f"{name}: centering {centering} or minspan {minspan} is malformed"
        return
    kept = {mention.start + int(part) - 1 for part in minspan.split(",")}
    tops = {word for word in inside if tree.heads[word] not in inside}
    if not tops <= kept <= set(inside):
        yield f"{name}: minspan {minspan} leaves out the head, or the mention"
    if len(tops) != 1:
        yield f"{name}: several heads outside the mention"
    if any(tree.rows[word - 1][3] == "PUNCT" for word in (mention.start, mention.end)):
        yield f"{name}: begins or ends with punctuation"


def chain_problems(trees: list[Tree]) -> Iterator[str]:
    """Yield what is wrong with a document's chains."""
    chains: dict[int, list[tuple[int, Mention]]] = {}
    for sentence, tree in enumerate(trees):
        for mention in tree.mentions:
            chains.setdefault(mention.group, []).append((sentence, mention))
    if list(chains) != list(range(1, len(chains) + 1)):
        yield "entities are not numbered as they come"
    for group, chain in chains.items():
        if len({mention.fields[1] for _, mention in chain}) != 1:
            yield f"entity {group} has several types"
        for place, (sentence, mention) in enumerate(chain):
            near = place > 0 and sentence - chain[place - 1][0] <= 1
            expected = ("giv:act" if near else "giv:inact") if place else None
            if place == 0 and mention.fields[2].startswith("giv"):
                yield f"entity {group} is given before it is named"
            if expected and mention.fields[2] != expected:
                yield f"entity {group}, sentence {sentence + 1}: must be {expected}"
            if (mention.fields[6] == "sgl") != (len(chain) == 1):
                yield f"entity {group}: sgl goes with one mention, and only with one"
            if mention.fields[6] == "cata" and place:
                yield f"entity {group}: a mention with an earlier one points back"
            if mention.fields[6] in ("appos", "pred") and not place:
                yield f"entity {group}: {mention.fields[6]} needs an earlier mention"
