"""The corpus that inspector brings with it: its own small treebank and the probes.

Something true to show where there is no file and no network.
"""

import hashlib
from pathlib import Path

from inspector.corpora.formats.conllu_files import read_conllu
from inspector.corpora.probes import meaning_probes, probe_files, syntax_probes
from inspector.corpora.sentence import Corpus

DEFAULT_NAME = "default"
_SAMPLE = Path(__file__).parent / "sample"


def sample_files() -> list[Path]:
    """Return the files of inspector's own treebank, in order.

    Example:
        >>> all(path.suffix == ".conllu" for path in sample_files())
        True
    """
    return sorted(_SAMPLE.glob("*.conllu"))


def default_sha256() -> str:
    """Return the SHA-256 (hexadecimal) of the default corpus, without reading a sentence of it.

    Example:
        >>> default_sha256() == default_corpus().sha256
        True
    """
    digest = hashlib.sha256()
    for path in [*sample_files(), *probe_files()]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def default_corpus() -> Corpus:
    """Return inspector's own treebank, then the probes; the same every time.

    Probes of syntax come first, then those of meaning and logic. `annotate` reads what the
    sentences say beyond their trees.
    """
    sample = read_conllu(sample_files(), strict=True)
    return Corpus(
        name=DEFAULT_NAME,
        sentences=[*sample.sentences, *syntax_probes(), *meaning_probes()],
        skipped=[],
        sha256=default_sha256(),
        annotation=f"{sample.annotation} and generated",
    )
