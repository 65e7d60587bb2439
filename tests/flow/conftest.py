"""One town for all tests of a worker: each test has branches and pull requests of its own in it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support_flow import Town, running_town


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    os.environ.setdefault("PYTHONPATH", str(Path(__file__).parent.parent.parent / ".types"))
    with running_town(tmp_path_factory.mktemp("town")) as made:
        yield made
