"""Corpora and annotation damaged at random: read, or refused in a sentence, and in time."""

import random
import time

import pytest

from inspector.corpora import read_corpus
from inspector.corpora.annotation.annotated_corpus import read_annotated
from inspector.corpora.annotation.document_windows import corpus_windows
from inspector.corpora.default import sample_files
from inspector.corpora.formats.pronoun_tests import GAP_COLUMNS
from inspector.errors import InspectorError

NASTY = [
    *(b"\t", b"\n", b"\r", b"\0", b" ", b"  ", b"_", b"", b"|", b"=", b"-", b"#", b"(", b")", b":"),
    *(b"9" * 5000, b"-1", b"1e999999", b"nan", b"0", b"1-2", b"1.1", b"99999999", b"[", b"]", b","),
    *(
        b"\xff",
        b"\xef\xbb\xbf",
        "\u2028".encode(),
        "\u0661".encode(),
        "²".encode(),
        b"\xed\xa0\x80",
    ),
    *(b"# global.columns = FORM", b"# global.Entity = ", b"# newdoc", b"# sent_id = x"),
    *(b"Entity=(1", b"Args=", b"PDTB=Explicit:x", b"Name=B-", b"Supersense=n.X", b"Idiom=verb:1"),
]
PLUS = "# global.columns = ID FORM UPOS HEAD DEPREL MISC NER\n# sent_id = a\n" + "".join(
    f"{i}\tw{i}\tNOUN\t{i - 1}\t{'dep' if i > 1 else 'root'}\tEntity=({i}-x)\t*\n"
    for i in range(1, 6)
)
TEXT = "Ann Lee met Bo's friend Cy before she left Ann's house."
GAP = "\n".join(
    [
        "\t".join(GAP_COLUMNS),
        f"g-1\t{TEXT}\tshe\t34\tAnn Lee\t0\tTRUE\tBo\t12\tFALSE\thttp://x",
        f"g-2\t{TEXT}\tshe\t34\tAnn Lee\t0\tFALSE\tBo\t12\tTRUE\thttp://x",
    ]
)
WINOBIAS = (
    "1 [The clerk] thanked the cook because [she] was kind.\n2 The clerk met [a cook] [he].\n"
)
WINOGENDER = "sentid\tsentence\nclerk.guest.0.male.txt\tThe clerk told the guest that he left.\n"
ROLES = (
    "sent_id\tpred_id\troleset\trole\targ_id\tpred_form\targ_form\n"
    "a\t1\tgo.01\tARG0\t2\tw1\tw2\na\t2\tgo.01\tARG1\t3\tw2\tw3\n"
)
OWN = "sent_id\tfrom\tto\tlabel\na\t1\t2\tlikes\na\t3\t4\tlikes\n"
IOB = "# sent_id = a\n" + "".join(f"{i}\tw{i}\tB-PER\t-\t-\n" for i in range(1, 6))
LEX = "# sent_id = a\n" + "".join(
    f"{i}\tw{i}\tw\tNOUN\t_\t_\t0\troot\t_\t_\t_\tN\tw\tn.FOOD\t_\t_\t_\t_\tO\n"
    for i in range(1, 6)
)
CORPORA = {
    "plus.conllup": PLUS,
    "gap.tsv": GAP,
    "pro.txt.dev": WINOBIAS,
    "gender.tsv": WINOGENDER,
    "a.txt": f"{TEXT} He left.\n\nShe came.\n",
}
BESIDE = {"roles.tsv": ROLES, "own.tsv": OWN, "names.iob2": IOB, "senses.conllulex": LEX}


@pytest.fixture(scope="module")
def seeds():
    """Return name → bytes of whole files; the trees carry all annotation there is."""
    trees = sample_files()[0].read_bytes().split(b"\n\n")
    some = [block for block in trees if b"Entity=" in block][:3] + trees[:3]
    found = {"trees.conllu": b"\n\n".join(some) + b"\n\n"}
    return found | {name: text.encode() for name, text in (CORPORA | BESIDE).items()}


def mutated(data, draw):
    """Return the bytes with one to four faults in them."""
    for _ in range(draw.randrange(1, 5)):
        place = draw.randrange(len(data) + 1)
        kind = draw.randrange(6)
        if kind == 0:
            data = data[:place] + bytes([draw.randrange(256)]) + data[place + 1 :]
        elif kind == 1:
            data = data[:place] + draw.choice(NASTY) + data[place:]
        elif kind == 2:
            data = data[:place] + data[place + draw.randrange(1, 30) :]
        elif kind == 3:
            lines = data.split(b"\n")
            lines.insert(draw.randrange(len(lines) + 1), draw.choice(lines))
            data = b"\n".join(lines)
        else:  # a cell, the likeliest place of a slip
            lines = data.split(b"\n")
            number = draw.randrange(len(lines))
            cells = lines[number].split(b"\t")
            cells[draw.randrange(len(cells))] = draw.choice(NASTY)
            lines[number] = b"\t".join(cells)
            data = b"\n".join(lines)
    return data


def read(path, plus):
    """Read a file as a command does, its mentions and windows too."""
    if path.name in BESIDE:
        (corpus,) = read_annotated(plus, [path])
    else:
        (corpus,) = read_annotated(path)
    corpus_windows(corpus, [len(one.words) for one in corpus.sentences], 50)
    return corpus


def fuzz(seeds, folder, rounds, seed):
    """Damage every file that often; return how often it was read, how often refused, and faults.

    A fault is a sentence that is none, a corpus of nothing, a long wait; anything raised but a
    refusal ends it.
    """
    outcomes, faults = {"read": 0, "refused": 0}, []
    plus = folder / "whole.conllup"
    plus.write_bytes(seeds["plus.conllup"])
    for number in range(rounds):
        draw = random.Random(f"{seed}-{number}")
        for name, data in seeds.items():
            path = folder / name
            path.write_bytes(mutated(data, draw))
            started = time.process_time()
            try:
                outcome, wrong = outcome_of(path, plus)
            except Exception as error:
                raise AssertionError(f"{name}, fuzz({seed!r}), round {number}") from error
            outcomes[outcome] += 1
            if time.process_time() - started >= 20:
                wrong += "; read for 20 s"
            if wrong:
                faults.append(f"{name}, fuzz({seed!r}), round {number}: {wrong}")
    return outcomes, faults


def outcome_of(path, plus):
    """Return whether a file was read or refused, and what is wrong with how it was."""
    try:
        corpus = read(path, plus)
    except InspectorError as error:
        said = str(error)
        return "refused", "no sentence" if len(said) > 1000 or "\n" in said else ""
    return "read", "" if corpus.sentences else "nothing was read"


def test_whole_files_are_read(seeds, tmp_path):
    """The control: what is damaged below is right as it stands."""
    (tmp_path / "whole.conllup").write_bytes(seeds["plus.conllup"])
    for name, data in seeds.items():
        path = tmp_path / name
        path.write_bytes(data)
        corpus = read(path, tmp_path / "whole.conllup")
        assert not corpus.skipped, name
    assert len(read_corpus(tmp_path / "trees.conllu").sentences) == 6


def test_damaged_corpora_are_read_or_refused_in_a_sentence(seeds, tmp_path):
    outcomes, faults = fuzz(seeds, tmp_path, 60, "short")
    assert faults == []
    assert min(outcomes.values()) > 20


@pytest.mark.full
def test_damaged_corpora_are_read_or_refused_at_length(seeds, tmp_path):
    outcomes, faults = fuzz(seeds, tmp_path, 5000, random.randrange(10**9))
    assert faults == []
    assert min(outcomes.values()) > 2000
