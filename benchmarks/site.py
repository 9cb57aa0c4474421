"""A business whose site is live and served by ``wavegate serve``, as an installation is, for benchmarks that call it."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import orjson

from app.composition.uow import Database
from erpcore.kernel.clock import SystemClock
from erpcore.masterdata.addresses import AddressContent, add_address
from erpcore.masterdata.services import NewCustomer, add_customers
from tests.support.core import MONDAY, Business, a_business
from tests.support.operate import open_cells

#: Seconds until a server must have answered for the first time.
_PATIENCE = 60


def a_live_business(
    database: Database, *, items: int, stock: int, customers: int = 1
) -> tuple[Business, tuple[int, ...]]:
    """A business with real time and real cells, and its customers, each with an address to ship to."""
    business = a_business(database, items=items, stock=stock)
    business.clock = SystemClock()
    open_cells(business)
    with business.work() as work:
        more = add_customers(
            work,
            [
                NewCustomer(
                    entity=business.entity, code=f"2{n:04d}", name=f"Customer {n}", country="Germany", currency="EUR",
                    credit_limit_minor=10**12,
                )
                for n in range(customers - 1)
            ],
        )  # fmt: skip
        for row in more:
            content = AddressContent(
                code="main",
                name=row.name,
                street="Hafenstraße 1",
                postal_code="47051",
                city="Duisburg",
                country="Germany",
            )
            add_address(work, row.id, content, valid_from=MONDAY.date())
    return business, (business.customer, *(row.id for row in more))


@contextmanager
def served(url: str, folder: Path, *, workers: int) -> Iterator[tuple[int, int]]:
    """``wavegate serve`` on this database: the process's id and the port it answers on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {
        **os.environ, "WAVEGATE_DATABASE_URL": url, "WAVEGATE_INSTANCE": str(folder / "instance"), "WAVEGATE_LOG_LEVEL": "WARNING",
    }  # fmt: skip
    command = [
        sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", str(port), "--workers", str(workers),
    ]  # fmt: skip
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603 - our own command
    try:
        _wait_for(process, port, folder / "serve.log")
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(timeout=40)


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with Caller(port, "") as caller:
                if caller.call("GET", "/health")[0] == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"wavegate serve does not answer:\n{log.read_text(errors='replace')[-2000:]}")


class Caller:
    """One connection of a program that calls the API and keeps it open."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} if token else {}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, str]:
        """Status, answer and ETag."""
        sent = {**self._headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        content = None if body is None else orjson.dumps(body)
        self._connection.request(method, f"/api/v1{path}", body=content, headers=sent)
        answer = self._connection.getresponse()
        read = answer.read()
        return answer.status, orjson.loads(read) if read else None, answer.getheader("ETag", "")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
