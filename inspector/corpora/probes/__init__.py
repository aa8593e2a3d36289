"""Probes: sentences that a grammar wrote, so that what they say is known; shipped as CoNLL-U.

`tools/probes/` in inspector's repository wrote the two files beside this module, and writes others
from other seeds. Must not know: models, the grammar.
"""

from dataclasses import replace
from pathlib import Path

from inspector.corpora.formats.conllu_files import read_conllu
from inspector.corpora.sentence import Labels, Sentence

FOLDER = Path(__file__).parent
SYNTAX = "syntax.conllu"
MEANING_AND_LOGIC = "meaning_and_logic.conllu"


def probe_files() -> list[Path]:
    """Return the files of the probes, in order.

    Example:
        >>> [path.name for path in probe_files()]
        ['syntax.conllu', 'meaning_and_logic.conllu']
    """
    return [FOLDER / SYNTAX, FOLDER / MEANING_AND_LOGIC]


def syntax_probes(*, labels: Labels = "universal") -> list[Sentence]:
    """Return 880 generated sentences, 40 of each of 22 constructions, with trees in UD.

    Every third sentence of a construction has a distractor: a word of the head's part of speech
    that stands at least as near to the dependent as the head does, or one of the dependent's as
    near to the head. A sentence's comments name its construction and say whether it was chosen to
    distract. No fixed offset between words finds 45 % of the heads of any relation.

    Args:
        labels: 'universal' keeps of each label the part before the colon; 'full' all of it.

    Raises:
        InputError: If the labels are unknown.

    Source: relations as in UD English, https://universaldependencies.org/en/.

    Example:
        >>> probes = syntax_probes()
        >>> len(probes), probes[0].id, probes[0].document
        (880, 'probe-determiner-0001', 'probe-determiner-01')
    """
    return _read(SYNTAX, labels)


def meaning_probes(*, labels: Labels = "universal") -> list[Sentence]:
    """Return 300 generated sentences of meaning and logic, 15 of each of 20 constructions.

    What they say beyond their trees stands in their last column, as treebanks have it: `Args=`,
    `Entity=`, `Name=`, `Meaning=`, `Supersense=`, `Idiom=`, `PDTB=`; `inspector.corpora.annotate`
    reads it. A document has one sentence of each construction, so that either split of the
    documents has them all; those with mentions have documents of their own, which keeps windows
    over them short. A sentence distracts, and its comment says so, if another word of the part of
    speech of what is looked for stands at least as near. Their syntax is balanced together with
    that of `syntax_probes`.

    Args:
        labels: 'universal' keeps of each label the part before the colon; 'full' all of it.

    Raises:
        InputError: If the labels are unknown.

    Example:
        >>> probes = meaning_probes()
        >>> len(probes), probes[0].id
        (300, 'probe-negation-0001')
    """
    return _read(MEANING_AND_LOGIC, labels)


def _read(name: str, labels: Labels) -> list[Sentence]:
    sentences = read_conllu(FOLDER / name, labels=labels, strict=True).sentences
    return [_as_written(sentence) for sentence in sentences]


def _as_written(sentence: Sentence) -> Sentence:
    """Return a sentence without what reading it added: a document's line, the name of a file."""
    source = sentence.source.removeprefix(f"# newdoc id = {sentence.document}\n")
    return replace(sentence, source=source, file="", line=0)
