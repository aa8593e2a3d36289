"""The corpus that inspector brings with it: its own small treebank and the probes.

Something true to show where there is no file and no network.
"""

import hashlib
from pathlib import Path

from inspector.corpora.formats.conllu_files import read_conllu
from inspector.corpora.probes import meaning_probes, probe_files, syntax_probes
from inspector.corpora.sentence import Corpus

_SAMPLE = Path(__file__).parent / "sample"


def sample_files() -> list[Path]:
    """Return the files of inspector's own treebank, in order.

    Example:
        >>> all(path.suffix == ".conllu" for path in sample_files())
        True
    """
    return sorted(_SAMPLE.glob("*.conllu"))


def default_corpus() -> Corpus:
    """Return inspector's own treebank, then the probes; the same every time.

    Probes of syntax come first, then those of meaning and logic. `annotate` reads what the
    sentences say beyond their trees.
    """
    files = sample_files()
    sample = read_conllu(files, strict=True)
    digest = hashlib.sha256()
    for path in [*files, *probe_files()]:
        digest.update(path.read_bytes())
    return Corpus(
        name="default",
        sentences=[*sample.sentences, *syntax_probes(), *meaning_probes()],
        skipped=[],
        sha256=digest.hexdigest(),
        annotation=f"{sample.annotation} and generated",
    )
