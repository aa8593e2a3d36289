"""Small trees written by hand, and the pairs that a reader finds in them, in words."""

from functools import partial

from inspector.corpora import Corpus, Sentence, annotate, tree_sentence


def tree(rows: str, *, id: str = "s1", document: str | None = None, **misc: str) -> Sentence:
    """'Dogs NOUN 2 nsubj; bark VERB 0 root' → a sentence; misc: w2='Key=Value' for word 2."""
    words, tags, heads, labels = zip(*(row.split() for row in rows.split(";")), strict=True)
    return tree_sentence(
        id,
        words,
        [int(head) - 1 for head in heads],
        labels,
        upos=tags,
        document=document,
        misc=[misc.get(f"w{word}", "_") for word in range(1, len(words) + 1)],
    )


def corpus_of(*sentences: Sentence) -> Corpus:
    return Corpus("small", list(sentences), [], "0" * 64, "gold")


def carried(name: str):
    """What reads one annotation that sentences carry, from a corpus to the same with it."""
    return partial(annotate, names=[name])


def pairs(read, *sentences: Sentence) -> set[tuple[str, str, str]]:
    """(label, from, to) of all that is not syntax, words said with their number."""
    return {
        (r.label, f"{s.words[r.source]}{r.source + 1}", f"{s.words[r.target]}{r.target + 1}")
        for s in read(corpus_of(*sentences)).sentences
        for r in s.relations
        if r.kind != "syntax"
    }


def counted(corpus: Corpus) -> dict[str, int]:
    """Label → how many, of all that is not syntax."""
    return {label: n for (kind, label), n in corpus.relation_counts().items() if kind != "syntax"}


def reasons(corpus: Corpus) -> dict[str, int]:
    """Reason → how many were left out."""
    return {row.reason: row.count for row in corpus.left_out}


def raw_sentences(path):
    """Yield (comments, rows) of a CoNLL-U file by plain splitting; rows are words only."""
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        lines = block.split("\n")
        rows = [line.split("\t") for line in lines if line and line[0] != "#"]
        rows = [row for row in rows if row[0].isdigit()]
        if rows:
            yield [line for line in lines if line.startswith("#")], rows
