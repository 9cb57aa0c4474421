"""Partners, payouts and their lines as services hold them: locked in the order partner, payout, lines, and changed conditionally."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import update

from erpcore.billing.cash_records import place_of
from erpcore.billing.settling.models import Payout, PayoutLine, SettlementPartner
from erpcore.billing.settling.rules import Part, Told, Verdict
from erpcore.kernel.errors import Conflict, NotFound
from erpcore.kernel.events import Place
from erpcore.kernel.rows import Change, param, read_rows
from erpcore.kernel.work import UnitOfWork

_PARTNER = ("id", "entity_id", "site_id", "channel_id", "code", "name", "currency", "fee_rate", "mapping", "version")
_PAYOUT = (
    "id", "entity_id", "site_id", "partner_id", "reference", "state", "currency", "gross_minor", "transfer_minor", "paid_minor",
    "posting_id", "posted_at", "version",
)  # fmt: skip
_LINE = (
    "id", "entity_id", "site_id", "partner_id", "payout_id", "line_no", "kind", "order_reference", "amount_minor", "tax_minor",
    "result", "confidence", "explanation", "parts", "unexplained_minor", "open_minor", "chosen_id", "outcome",
)  # fmt: skip


class PartnerFacts(NamedTuple):
    """A partner; ``fee_rate`` in millionths."""

    id: int
    entity_id: int
    site_id: int
    channel_id: int
    code: str
    name: str
    currency: str
    fee_rate: int
    mapping: str | None
    version: int

    def place(self, work: UnitOfWork) -> Place:
        """Where what the partner pays out belongs."""
        return place_of(work, self.entity_id, None)._replace(site=self.site_id, channel=self.channel_id)


def lock_partner(work: UnitOfWork, partner: int) -> PartnerFacts:
    """The partner, locked so that two payouts of it come one after the other; raises ``NotFound``."""
    rows = read_rows(work, SettlementPartner, _PARTNER, "id", [partner], lock=True)
    if not rows:
        raise NotFound("partner_unknown", id=partner)
    return PartnerFacts(*rows[0])


def lock_payout(work: UnitOfWork, payout: int, seen_version: int | None = None) -> tuple[PartnerFacts, Any]:
    """The partner and the payout, locked. Raises ``Conflict`` when it has changed since it was seen."""
    found = read_rows(work, Payout, ("partner_id",), "id", [payout])
    if not found:
        raise NotFound("payout_unknown", id=payout)
    partner = lock_partner(work, found[0].partner_id)
    (row,) = read_rows(work, Payout, _PAYOUT, "id", [payout], lock=True)
    if seen_version is not None and seen_version != row.version:
        raise Conflict("changed_meanwhile")
    return partner, row


def lines_of(work: UnitOfWork, payout: int) -> list[Any]:
    """The lines of a payout as they came, locked."""
    rows = read_rows(work, PayoutLine, _LINE, "payout_id", [payout], lock=True)
    return sorted(rows, key=lambda row: row.line_no)


def lines_by_key(work: UnitOfWork, ids: Iterable[int]) -> dict[int, Any]:
    """Lines by their ids, locked."""
    return {row.id: row for row in read_rows(work, PayoutLine, _LINE, "id", set(ids), lock=True)}


def told(rows: Sequence[Any]) -> list[Told]:
    """Lines as the rules speak of them."""
    return [Told(row.id, row.kind, row.amount_minor, row.tax_minor, row.order_reference, row.chosen_id) for row in rows]


def written(parts: Sequence[Part]) -> str:
    """Parts as they are kept."""
    return orjson.dumps([list(part) for part in parts]).decode()


def parts_of(text: str) -> tuple[Part, ...]:
    """Parts as they were kept."""
    return tuple(Part(*one) for one in orjson.loads(text))


def is_kept(row: Any, found: Verdict) -> bool:
    """Whether a line says this already."""
    return (row.result, row.explanation, row.parts, row.unexplained_minor) == (
        found.result, found.why, written(found.parts), found.unexplained,
    )  # fmt: skip


_CHANGING = ("state", "posting_id", "posted_at", "paid_minor")


def _payout() -> Any:
    table = Payout.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id), table.c.version == param("was", table.c.version))
        .values(version=table.c.version + 1, **{name: param(f"new_{name}", table.c[name]) for name in _CHANGING})
    )


def _line(*names: str) -> Any:
    table = PayoutLine.__table__
    return (
        update(table)
        .where(table.c.id == param("of", table.c.id))
        .values({name: param(f"new_{name}", table.c[name]) for name in names})
    )


_SAVE = Change(_payout)
_MATCH = Change(
    lambda: _line("result", "confidence", "explanation", "parts", "unexplained_minor", "open_minor", "chosen_id")
)
_EXPLAIN = Change(lambda: _line("open_minor", "outcome"))


def save_payout(work: UnitOfWork, row: Any, **new: Any) -> None:
    """Change a payout that is locked: ``state``, ``posting_id``, ``posted_at``, ``paid_minor``."""
    now = {name: getattr(row, name) for name in _CHANGING} | new
    _SAVE.run(work, [{"of": row.id, "was": row.version, **{f"new_{name}": value for name, value in now.items()}}])


def save_verdicts(work: UnitOfWork, verdicts: Sequence[Verdict], chosen: dict[int, int | None]) -> None:
    """Keep what lines were found to be, and which document a person named for each."""
    _MATCH.run(
        work,
        [
            {
                "of": one.line, "new_result": one.result, "new_confidence": one.confidence, "new_explanation": one.why,
                "new_parts": written(one.parts), "new_unexplained_minor": one.unexplained, "new_open_minor": one.unexplained,
                "new_chosen_id": chosen.get(one.line),
            }
            for one in verdicts
        ],
    )  # fmt: skip


def save_open(work: UnitOfWork, left: dict[int, tuple[int, str]]) -> None:
    """Keep what of lines is still unexplained, and how it came to be less."""
    _EXPLAIN.run(work, [{"of": key, "new_open_minor": minor, "new_outcome": how} for key, (minor, how) in left.items()])
