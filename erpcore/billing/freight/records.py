"""Bills of carriers and their lines as services hold them: locked in the order carrier, bill, lines, and changed conditionally."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import update

from erpcore.billing.freight.models import CarrierBill, CarrierBillLine
from erpcore.billing.freight.rules import Told, Verdict
from erpcore.fulfilment.carriers.models import Carrier
from erpcore.kernel.errors import Conflict, NotFound
from erpcore.kernel.events import Place
from erpcore.kernel.rows import Change, param, read_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts
from erpcore.ports import standard_ruleset

_CARRIER = ("id", "entity_id", "name", "is_active")
_BILL = (
    "id", "entity_id", "site_id", "carrier_id", "number", "state", "fault", "currency", "net_minor", "tax_minor", "owed_minor",
    "taken_by", "posted_by", "posted_at", "reversed_at", "version",
)  # fmt: skip
_LINE = (
    "id", "entity_id", "site_id", "bill_id", "line_no", "reference", "amount_minor", "tax_minor", "text", "result", "explanation",
    "shipment_id", "expected_minor", "chosen_id", "decision", "reason", "decided_by", "decided_at", "owed_minor", "settles",
)  # fmt: skip
_CHANGING = ("state", "fault", "owed_minor", "posted_by", "posted_at", "reversed_at")
_FOUND = (
    "result", "explanation", "shipment_id", "expected_minor", "chosen_id", "decision", "reason", "decided_by",
    "decided_at",
)  # fmt: skip
_DECIDED = ("decision", "reason", "decided_by", "decided_at")
_UNSAID = dict.fromkeys(_DECIDED)


def lock_carrier(work: UnitOfWork, carrier: int) -> Any:
    """The carrier, locked so that two bills of it come one after the other; raises ``NotFound``."""
    rows = read_rows(work, Carrier, _CARRIER, "id", [carrier], lock=True)
    if not rows:
        raise NotFound("carrier_unknown", carrier=carrier)
    return rows[0]


def lock_bill(work: UnitOfWork, bill: int, seen_version: int | None = None) -> tuple[Any, Any]:
    """The carrier and the bill, locked. Raises ``Conflict`` when it has changed since it was seen."""
    found = read_rows(work, CarrierBill, ("carrier_id",), "id", [bill])
    if not found:
        raise NotFound("carrier_bill_unknown", id=bill)
    carrier = lock_carrier(work, found[0].carrier_id)
    (row,) = read_rows(work, CarrierBill, _BILL, "id", [bill], lock=True)
    # Also refuses a bill of another realm than the unit of work's.
    site_facts(work, row.site_id)
    if seen_version is not None and seen_version != row.version:
        raise Conflict("changed_meanwhile")
    return carrier, row


def bill_of_line(work: UnitOfWork, line: int) -> int:
    """The bill of a line; raises ``NotFound``."""
    found = read_rows(work, CarrierBillLine, ("bill_id",), "id", [line])
    if not found:
        raise NotFound("carrier_bill_line_unknown", id=line)
    return int(found[0].bill_id)


def lines_of(work: UnitOfWork, bill: int) -> list[Any]:
    """The lines of a bill as they came, locked."""
    return sorted(
        read_rows(work, CarrierBillLine, _LINE, "bill_id", [bill], lock=True), key=lambda row: int(row.line_no)
    )


def told(rows: Sequence[Any]) -> list[Told]:
    """Lines as the rules speak of them."""
    return [Told(row.id, row.reference, row.amount_minor, row.chosen_id) for row in rows]


def is_kept(row: Any, found: Verdict) -> bool:
    """Whether a line says this already."""
    return (row.result, row.explanation, row.shipment_id, row.expected_minor) == (
        found.result, found.why, found.shipment, found.expected,
    )  # fmt: skip


def place_of_bill(work: UnitOfWork, site: int) -> Place:
    """Where a bill belongs: the site that looks after it."""
    facts = site_facts(work, site)
    return Place(
        realm=facts.entity.realm, entity=facts.entity.id, site=site, ruleset=standard_ruleset().hash,
        currency=facts.entity.currency, time_zone=facts.time_zone,
    )  # fmt: skip


def _bill() -> Any:
    table = CarrierBill.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("was", table.c.version))
        .values(version=table.c.version + 1, **{name: param(f"new_{name}", table.c[name]) for name in _CHANGING})
    )


def _line(*names: str) -> Any:
    table = CarrierBillLine.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id))
        .values({name: param(f"new_{name}", table.c[name]) for name in names})
    )


_SAVE = Change(_bill)
_MATCH = Change(lambda: _line(*_FOUND))
_DECIDE = Change(lambda: _line(*_DECIDED))
_OWE = Change(lambda: _line("owed_minor", "settles"))


def save_bill(work: UnitOfWork, row: Any, **new: Any) -> None:
    """Change a bill that is locked."""
    now = {name: getattr(row, name) for name in _CHANGING} | new
    _SAVE.run(work, [{"of": row.id, "was": row.version, **{f"new_{name}": value for name, value in now.items()}}])


def save_verdicts(
    work: UnitOfWork, lines: Sequence[Any], verdicts: Sequence[Verdict], chosen: dict[int, int | None]
) -> None:
    """Keep what lines were found to be. What was decided on a line stays only where it is found to be the same."""
    rows = []
    for line, found in zip(lines, verdicts, strict=True):
        decided = {name: getattr(line, name) for name in _DECIDED} if is_kept(line, found) else _UNSAID
        now = {
            "result": found.result, "explanation": found.why,
            "shipment_id": found.shipment, "expected_minor": found.expected, "chosen_id": chosen.get(line.id), **decided,
        }  # fmt: skip
        rows.append({"of": line.id, **{f"new_{name}": value for name, value in now.items()}})
    _MATCH.run(work, rows)


def save_decisions(work: UnitOfWork, lines: Sequence[int], decision: str, reason: str) -> None:
    """Keep what somebody decided on lines, and why."""
    now = {"decision": decision, "reason": reason, "decided_by": work.actor.id, "decided_at": work.now}
    _DECIDE.run(work, [{"of": key, **{f"new_{name}": value for name, value in now.items()}} for key in lines])


def save_owed(work: UnitOfWork, owed: dict[int, tuple[int, bool]]) -> None:
    """Keep what of lines is owed, and whether the carriage of the shipment says it."""
    _OWE.run(
        work, [{"of": key, "new_owed_minor": minor, "new_settles": settles} for key, (minor, settles) in owed.items()]
    )
