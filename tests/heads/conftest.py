"""The real model, loaded once and only read."""

from typing import Any

import pytest


@pytest.fixture(scope="session")
def minilm() -> Any:
    import inspector

    return inspector.load("minilm")
