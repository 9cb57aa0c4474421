"""Who decides what one person may not decide alone? The core asks, and is told by whom it was settled; how is not its business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from erpcore.kernel.work import UnitOfWork


@dataclass(frozen=True, kw_only=True, slots=True)
class Matter:
    """What is to be approved: a document in one version, what it is in a line, and the facts that decide who is asked.

    ``amount_minor`` in ``currency``; ``None`` where nobody knows it. ``site`` and ``entity`` are where it is. ``excluded``:
    people beside the one at work who may not decide.
    """

    kind: str
    document_type: str
    document: int
    version: int
    summary: str
    site: int
    entity: int
    amount_minor: int | None = None
    currency: str | None = None
    margin_permille: int | None = None
    tier: int | None = None
    materiality: str | None = None
    excluded: tuple[int, ...] = ()


#: Materiality of what one person may do alone, unless a rule says otherwise.
TRIFLE = "trivial"


class Asked(NamedTuple):
    """The request by its id (``None``: there is none, whoever has the permission decides), and whether it waits."""

    request: int | None
    waits: bool


class Authority(Protocol):
    """Asks for an approval. What needs none by its rules is settled before this returns, and does not wait."""

    def ask(self, work: UnitOfWork, matter: Matter) -> Asked: ...


class ByPermission(Authority):
    """Nobody in particular is asked: another person who has the permission decides, and nobody on trifles."""

    def ask(self, work: UnitOfWork, matter: Matter) -> Asked:
        """It waits for whoever comes."""
        return Asked(request=None, waits=matter.materiality != TRIFLE)


BY_PERMISSION = ByPermission()
