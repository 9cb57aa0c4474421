"""The demo that the stories look at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.composition.uow import Database, connect
from tests.support.demo import Built, build_once


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    base = tmp_path_factory.getbasetemp()
    return build_once((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demo-once")


@pytest.fixture(scope="module")
def demo(built: Built) -> Iterator[Database]:
    database = connect(built.url)
    yield database
    database.dispose()


@pytest.fixture
def copied(built: Built, tmp_path: Path) -> Iterator[Database]:
    """A copy that a test may change."""
    for path in built.folder.glob("demo.sqlite3*"):
        shutil.copyfile(path, tmp_path / path.name)
    database = connect(f"sqlite:///{tmp_path / 'demo.sqlite3'}")
    yield database
    database.dispose()
