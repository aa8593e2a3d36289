"""Tiny models as inspector loads them, shared by all tests of the room."""

import functools

import pytest
from support.tiny.decoders import save_tiny_decoder
from support.tiny.models import TEXTS


@pytest.fixture(autouse=True)
def _fast(one_thread):
    """All models of this room are tiny."""


@pytest.fixture(scope="session")
def tiny(tiny_folder):
    """Return a function: family, dtype → a loaded tiny model. Shared, so read-only."""
    from inspector.models import load

    @functools.cache
    def loaded(family="bert", dtype="float32"):
        return load(str(tiny_folder(family)), dtype=dtype)

    return loaded


@pytest.fixture
def bert(tiny):
    return tiny("bert")


@pytest.fixture
def padded(bert):
    return bert.encode(TEXTS)


@pytest.fixture(scope="session")
def decoder_folder(tmp_path_factory):
    """Return a function: name of a configuration → a folder with its model and a tokenizer."""
    root = tmp_path_factory.mktemp("decoders")

    @functools.cache
    def made(name):
        return save_tiny_decoder(root / name, name)

    return made


@pytest.fixture(scope="session")
def decoder(decoder_folder):
    """Return a function: name of a configuration → its model, loaded. Shared, so read-only."""
    from inspector.models import load

    return functools.cache(lambda name: load(decoder_folder(name)))
