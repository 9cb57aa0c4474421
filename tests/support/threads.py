"""Several people at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from erpcore.kernel.errors import Busy

#: So often is tried again what a busy database refused.
_TRIES = 20


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls in threads of their own, all at the same moment; returns what each returned or raised.

    One that was told to try again does so, as people do.
    """
    found: list[Any] = [None] * len(calls)
    gate = threading.Barrier(len(calls))

    def run(i: int) -> None:
        gate.wait()
        for _ in range(_TRIES):
            try:
                found[i] = calls[i]()
            except Busy as error:
                found[i] = error
            except Exception as error:  # noqa: BLE001 - the test judges what was raised
                found[i] = error
                return
            else:
                return

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found
