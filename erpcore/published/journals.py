"""What journals by hand tell. Each is its own journey, a reversal that of what it reverses."""

from __future__ import annotations

from typing import ClassVar

from erpcore.kernel.events import Event


class JournalPosted(Event, frozen=True, kw_only=True):
    """A journal that one person wrote and another approved is in the books; ``reverses`` is the one it takes back."""

    type: ClassVar[str] = "journal.posted"
    amount: int
    written_by: int
    approved_by: int
    reverses: int | None
