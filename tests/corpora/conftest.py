"""Where the gold treebanks lie, and files to read."""

import pytest
from support.texts.gold_data import DATA

TREEBANKS = {
    "ewt": "ud-english-ewt/en_ewt-ud-dev.conllu",
    "gum": "ud-english-gum/en_gum-ud-dev.conllu",
}


@pytest.fixture(scope="session")
def gold_file():
    """Return a function: treebank → its file. Skips where the gold data is absent."""

    def file(name):
        path = DATA / TREEBANKS[name]
        if not path.is_file():
            pytest.skip(f"no gold treebank at {path}; INSPECTOR_DATA names another folder")
        return path

    return file


@pytest.fixture
def write(tmp_path):
    """Return a function: content → a new file that holds it."""

    def file(content, name="bank.conllu"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return file
