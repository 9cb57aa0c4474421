"""What the core asks of the world around it: may this cell transact, by which rules, and who decides.

The core knows the questions; the composition root wires the answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from erpcore.kernel.canonical import fingerprint
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork


class Process(StrEnum):
    """The value streams that a grant opens. A process step is named ``process.step``."""

    ORDER_TO_CASH = "order_to_cash"
    RETURNS_TO_CREDIT = "returns_to_credit"
    WAREHOUSE = "warehouse"
    RECORD_TO_REPORT = "record_to_report"


class CellState(StrEnum):
    """What a cell admits: nothing · practice · everything · what is under way · back-entry only."""

    CLOSED = "closed"
    IN_REHEARSAL = "in_rehearsal"
    OPEN = "open"
    DRAINING = "draining"
    IN_FALLBACK = "in_fallback"


class Admission(NamedTuple):
    """The answer for one cell, process and customer group. ``facts`` say which wave waits for what when it is closed."""

    state: CellState
    grant: int | None
    facts: Mapping[str, Any]


class Cell(NamedTuple):
    """Where a transaction happens: the *live* site and channel, the process, and the customer's group."""

    site: int
    channel: int | None
    process: str
    customer_group: int | None = None


class CellStates(Protocol):
    """Is this cell closed, open, draining or in fallback, now and in this realm?"""

    def admission(self, work: UnitOfWork, realm: str, cell: Cell) -> Admission: ...


@dataclass(frozen=True)
class Ruleset:
    """The policy values a document runs under, by point, and the variants that set any of them."""

    hash: str
    values: Mapping[str, Any]
    variants: str = ""

    def __getitem__(self, point: str) -> Any:
        return self.values[point]


def admit(work: UnitOfWork, cells: CellStates, realm: str, cell: Cell, *, begins: bool) -> int | None:
    """The grant that lets this cell transact now; ``begins`` says that something new starts here.

    Raises ``RuleBroken("cell_closed")`` with the facts of which wave waits for what; an open cell admits all, a draining one
    what is under way, one in fallback back-entries only.
    """
    memo: dict[tuple[str, Cell], Admission] = work.memo.setdefault("admissions", {})
    answer = memo.get((realm, cell))
    if answer is None:
        answer = memo[realm, cell] = cells.admission(work, realm, cell)
    allowed = (
        answer.state == CellState.OPEN
        or (answer.state == CellState.IN_REHEARSAL and realm != "live")
        or (answer.state == CellState.DRAINING and not begins)
        or (answer.state == CellState.IN_FALLBACK and work.source == "back-entry")
    )
    if not allowed:
        raise RuleBroken("cell_closed", state=answer.state, process=cell.process, **answer.facts)
    return answer.grant


class ProcessRules(Protocol):
    """The effective policy values for a scope, stored by content hash before they are returned.

    Raises ``RuleBroken("rules_unreadable")`` when the source cannot be read: never guess.
    """

    def resolve(
        self, work: UnitOfWork, *, entity: int, site: int, channel: int | None, customer_group: int | None
    ) -> Ruleset: ...

    def stored(self, work: UnitOfWork, hash_: str) -> Ruleset:
        """The ruleset a document was stamped with."""
        ...


class Freedom(StrEnum):
    """Who may depart from a policy point: nobody, a site in how it works, or a commitment to customers."""

    LOCKED = "locked"
    EXECUTION = "variable by execution"
    COMMITMENT = "variable by commitment"


@dataclass(frozen=True, kw_only=True)
class PolicyPoint:
    """One place where the core's behaviour is data."""

    name: str
    freedom: Freedom
    standard: Any
    choices: Sequence[Any] = ()
    minimum: int | None = None
    maximum: int | None = None
    sentence: str


#: Version of the catalogue below; part of every ruleset.
CATALOGUE_VERSION = 1

POLICY_POINTS: dict[str, PolicyPoint] = {
    point.name: point
    for point in (
        PolicyPoint(
            name="allocation_rule", freedom=Freedom.COMMITMENT, standard="first_come", choices=("first_come",),
            sentence="When stock is short, who was released first is served first.",
        ),
        PolicyPoint(
            name="partial_shipment", freedom=Freedom.COMMITMENT, standard=True, choices=(True, False),
            sentence="What is there may leave before the rest of the order.",
        ),
        PolicyPoint(
            name="backorder_rule", freedom=Freedom.COMMITMENT, standard="keep", choices=("keep",),
            sentence="What cannot be allocated stays on order until stock arrives.",
        ),
        PolicyPoint(
            name="invoice_trigger", freedom=Freedom.COMMITMENT, standard="shipment_confirmed",
            choices=("shipment_confirmed", "delivered"), sentence="The invoice is due once the shipment is confirmed.",
        ),
        PolicyPoint(
            name="credit_check", freedom=Freedom.COMMITMENT, standard=True, choices=(True, False),
            sentence="An order that takes the customer over the credit limit is held.",
        ),
        PolicyPoint(
            name="count_tolerance_permille", freedom=Freedom.EXECUTION, standard=5, minimum=0, maximum=50,
            sentence="A count within five per mille of the book is accepted without recount.",
        ),
        PolicyPoint(
            name="negative_stock", freedom=Freedom.LOCKED, standard=False, choices=(False,),
            sentence="Stock is never negative.",
        ),
    )
}  # fmt: skip


def standard_ruleset() -> Ruleset:
    """The enterprise standard of this catalogue version, with no variant."""
    values = {name: point.standard for name, point in sorted(POLICY_POINTS.items())}
    return Ruleset(fingerprint({"catalogue": CATALOGUE_VERSION, "values": values, "variants": {}}), values)
