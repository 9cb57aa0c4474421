"""May these goods come back by the policy of their return? Looked at once, at the request, and kept with it.

Whose fault it is decides how long goods may come back and in which condition: what is our fault comes back in any.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import func, select

from erpcore.fulfilment.models import Condition, Shipment, ShipmentLine, ShipmentState
from erpcore.kernel.canonical import canonical_json
from erpcore.kernel.clock import local_day
from erpcore.kernel.rows import chunks
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts
from erpcore.ports import Ruleset

if TYPE_CHECKING:
    from erpcore.fulfilment.return_records import ReturnRow

#: What the policy may have against a return.
WINDOW, CONDITION, NO_SALE = "window", "condition", "no_sale"
#: Conditions that a rule accepts; ``any`` accepts what nobody said, too.
_ACCEPTED = {
    "any": frozenset(Condition), "unused": frozenset({Condition.SEALED, Condition.OPENED}), "sealed": frozenset({Condition.SEALED}),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What the policy says of a return. ``days`` since the delivery longest ago (``None``: nothing was delivered), of ``window``
    that are allowed (0: the day is not looked at); ``exception``: who may authorise it all the same; ``against``: what speaks against it, none where it keeps to the policy. ``fee``: per mille of the net credit that is kept.
    """

    days: int | None
    window: int
    condition: str
    accepts: str
    approval: str
    exception: str
    against: tuple[str, ...] = ()
    fee: int = 0

    @property
    def needs_nobody(self) -> bool:
        """Whether the policy authorises it without anybody."""
        return self.approval == "nobody" and not self.against

    def words(self) -> list[str]:
        """What speaks against it, each as people read it."""
        said = {
            WINDOW: f"{self.days} days after delivery, {self.window} allowed",
            CONDITION: f"condition {self.condition}, only {self.accepts} accepted",
            NO_SALE: "no sale behind it",
        }
        return [said[one] for one in self.against]


def judged(text: str | None) -> Judgement | None:
    """The judgement as it was kept; ``None`` for a return of before there was a policy, or of a file of the past."""
    if text is None:
        return None
    kept = orjson.loads(text)
    return Judgement(**{**kept, "against": tuple(kept["against"])})


def kept_as(judgement: Judgement) -> str:
    """The judgement as it is kept."""
    return canonical_json(asdict(judgement)).decode()


def judge(row: ReturnRow, ruleset: Ruleset, delivered: Iterable[date], day: date) -> Judgement:
    """What the policy says of the return, asked for on this day, of sales that were delivered on those days."""
    is_ours = row.fault == "ours"
    window = int(ruleset["return_fault_window_days"] if is_ours else ruleset["return_window_days"])
    accepts = "any" if is_ours else str(ruleset["return_condition_rule"])
    days = max(((day - each).days for each in delivered), default=None)
    against = []
    if window and days is not None and days > window:
        against.append(WINDOW)
    if Condition(row.condition) not in _ACCEPTED[accepts]:
        against.append(CONDITION)
    has_no_sale = any(line.unlinked not in (None, "charge") for line in row.lines)
    if has_no_sale and ruleset["return_receipt_rule"] == "needed":
        against.append(NO_SALE)
    rule = ruleset["return_approval_rule"]
    nobody = rule == "outside_policy" or (rule == "customers_fault" and is_ours)
    return Judgement(
        days=days, window=window, condition=row.condition, accepts=accepts, approval="nobody" if nobody else "somebody",
        exception=str(ruleset["return_exception_rule"]), against=tuple(against),
        fee=int(ruleset["restocking_fee_permille"]) if row.fault == "customer" else 0,
    )  # fmt: skip


def delivered_days(work: UnitOfWork, rows: Iterable[ReturnRow]) -> dict[int, date]:
    """Per order line that comes back the day of its last delivery, in the zone of the site that takes it back; the day it left
    where nobody recorded its arrival.
    """
    zones = {
        line.order_line_id: site_facts(work, row.site_id).time_zone
        for row in rows
        for line in row.lines
        if line.order_line_id is not None
    }
    out: dict[int, date] = {}
    for part in chunks(sorted(zones), 500):
        query = (
            select(ShipmentLine.order_line_id, func.max(func.coalesce(Shipment.delivered_at, Shipment.confirmed_at)))
            .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
            .where(ShipmentLine.order_line_id.in_(part), Shipment.state != ShipmentState.PICKED)
            .group_by(ShipmentLine.order_line_id)
        )
        for line, at in work.session.execute(query):
            if at is not None:
                out[line] = local_day(at, zones[line])
    return out
