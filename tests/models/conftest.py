"""Tiny models as inspector loads them, shared by all tests of the room."""

import functools

import pytest
from tiny_models import TEXTS


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
