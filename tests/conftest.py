"""Databases built by the migrations, a clock that stands still, and closed doors to the network."""

from __future__ import annotations

import ipaddress
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support import postgres

# How fast a machine draws examples says nothing about the code: a busy one must not fail for it.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

#: Chromium where Debian, Ubuntu or a developer's machine has it.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(autouse=True, scope="session")
def _closed_network() -> Iterator[None]:
    """Tests talk to this machine only; anything else is an error with the address in it."""
    really_connect = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_here(address[0]):
            raise PermissionError(f"a test tried to reach {address[0]}")
        really_connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", connect)
    yield
    patch.undo()


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A test neither reads nor writes the installation of the person who runs it."""
    monkeypatch.delenv("WAVEGATE_DATABASE_URL", raising=False)
    monkeypatch.setenv("WAVEGATE_INSTANCE", str(tmp_path / "instance"))


@pytest.fixture
def clock() -> Any:
    """Monday 2 March 2026, 09:00 UTC, until a test moves it."""
    from erpcore.kernel.clock import SetClock

    return SetClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """One server for each process of the test run."""
    try:
        server = postgres.start()
    except postgres.NoPostgres as reason:
        if "on purpose" in str(reason):
            pytest.skip(str(reason))
        # Not a skip: a second database that nobody tests is worse than a red run.
        pytest.fail(str(reason))
    with server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database at the newest revision, to be copied."""
    from app.composition import schema

    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    schema.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: postgres.Server) -> str:
    """The name of an empty database at the newest revision, to be copied."""
    from app.composition import schema

    name = postgres_server.create()
    schema.upgrade(postgres_server.url(name))
    return name


@pytest.fixture
def fresh_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """``fresh_database("sqlite")`` is the URL of a new database at the newest revision; it is gone after the test."""
    made: list[str] = []

    def make(kind: str) -> str:
        if kind == "sqlite":
            path = tmp_path / f"wavegate{len(list(tmp_path.glob('*.sqlite3')))}.sqlite3"
            shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
            return f"sqlite:///{path}"
        server: postgres.Server = request.getfixturevalue("postgres_server")
        made.append(server.create(request.getfixturevalue("postgres_template")))
        return server.url(made[-1])

    yield make
    for name in made:
        request.getfixturevalue("postgres_server").drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, fresh_database: Callable[[str], str]) -> str:
    """A new, migrated, empty database; the test runs once on SQLite and once on PostgreSQL."""
    return fresh_database(request.param)


@pytest.fixture
def database(database_url: str) -> Iterator[Any]:
    """``database_url``, connected. Commits are real: nothing is rolled back behind the test's back."""
    from app.composition.uow import connect

    connected = connect(database_url)
    try:
        yield connected
    finally:
        connected.dispose()


@pytest.fixture
def sqlite_database(fresh_database: Callable[[str], str]) -> Iterator[Any]:
    """As ``database``, on SQLite alone: for pages and commands whose SQL is tested on both elsewhere."""
    from app.composition.uow import connect

    connected = connect(fresh_database("sqlite"))
    try:
        yield connected
    finally:
        connected.dispose()


def _chromium() -> str | None:
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests need a browser; without one they are skipped with the way to get it."""
    if _chromium() is None:
        skip = pytest.mark.skip(reason="no Chromium; `make setup` installs it where it may")
        for item in items:
            if "browser" in item.keywords or "page" in getattr(item, "fixturenames", ()):
                item.add_marker(skip)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium instead of a downloaded one; as root it has to do without its sandbox."""
    sandbox = [] if sys.platform != "linux" else ["--no-sandbox"]
    return {**browser_type_launch_args, "executable_path": _chromium(), "args": sandbox}


@pytest.fixture
def free_port() -> int:
    """A port on loopback that was free a moment ago."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
