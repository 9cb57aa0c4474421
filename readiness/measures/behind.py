"""What is shown of a document behind a figure?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Behind:
    """A document behind a figure. ``weight`` is what it is ranked by: ``unit`` says lines, minor units, seconds or working seconds.

    ``title`` is the name of an entry of a register, which has no journey. ``id`` is the order, return, invoice, receipt, arrival or stock move; ``root_id`` the order an invoice belongs to.
    """

    id: int
    root_id: int
    kind: str
    site: int | None
    channel: int | None
    customer_group: int | None
    opened_at: datetime | None
    value: int
    currency: str | None
    flags: tuple[str, ...]
    steps: str
    weight: int
    unit: str
    is_open: bool
    where: str | None = None
    title: str = ""
