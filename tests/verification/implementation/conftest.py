"""The real model's first layer, and a function that verifies an implementation of it."""

import pytest


@pytest.fixture(autouse=True)
def _fast(one_thread):
    """One small layer at a time."""


@pytest.fixture(scope="session")
def tiny_bert(tiny_folder):
    """Return a tiny random BERT, loaded. Read-only."""
    from inspector.models import load

    return load(str(tiny_folder("bert")))


@pytest.fixture
def check(tiny_bert):
    """Return a function: build → the report of one layer of the tiny model."""
    from inspector.api import verify_implementation
    from inspector.verification import verify_implementation as without_pairs

    def checked(build, **settings):
        chosen = {"layers": [1], **settings}
        if "dtype" in settings:
            return verify_implementation(build, tiny_bert, **chosen)
        return without_pairs(build, tiny_bert, pairs=False, **chosen)

    return checked


@pytest.fixture
def refused(check):
    """Return a function: build → the sentence with which it is refused."""
    from inspector.errors import InputError

    def sentence(build, **settings):
        with pytest.raises(InputError) as caught:
            check(build, **settings)
        return str(caught.value)

    return sentence
