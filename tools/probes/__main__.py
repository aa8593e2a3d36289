"""`python -m tools.probes [--folder FOLDER] [--seed N]`: writes both files of probes, as CoNLL-U.

Without a seed they are the ones that inspector ships, to the byte.
"""

import argparse
from pathlib import Path

from inspector.corpora import write_conllu
from inspector.corpora.probes import FOLDER, MEANING_AND_LOGIC, SYNTAX
from tools.probes.meaning_and_logic import generate_beyond
from tools.probes.syntax import SEED, generate_probes


def probe_texts(seed: int = SEED) -> dict[str, str]:
    """Return the CoNLL-U of each file: syntax, then meaning and logic, balanced beside it."""
    syntax = generate_probes(seed)
    beyond = generate_beyond(seed, beside=syntax)
    return {SYNTAX: write_conllu(syntax), MEANING_AND_LOGIC: write_conllu(beyond)}


def main(arguments: list[str] | None = None) -> None:
    """Write the files into a folder, the package's own where none is named."""
    parser = argparse.ArgumentParser(prog="python -m tools.probes", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args(arguments)
    asked.folder.mkdir(parents=True, exist_ok=True)
    for name, text in probe_texts(asked.seed).items():
        (asked.folder / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
