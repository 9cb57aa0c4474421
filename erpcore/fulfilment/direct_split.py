"""How is a line split that a supplier sends? Its purchase order is split with it, as long as the supplier has not confirmed it.

What a supplier has confirmed it sends as confirmed; another day or address is then between its buyer and the supplier.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.history import record_move
from erpcore.kernel.money import scaled_amount
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.queries import site_facts
from erpcore.orders.amendment_rules import as_text
from erpcore.orders.documents import Line, Order
from erpcore.orders.splitting import Wanted
from erpcore.published.purchasing import PurchaseSplit, PurchaseSplitLine
from erpcore.purchasing.records import Purchase, PurchaseLineRow, lock_purchases, save_purchases, save_split, serving
from erpcore.purchasing.services import publish_purchase

__all__ = ["SUPPLIERS"]


class _Suppliers:
    """The suppliers that have been asked for drop-ship lines, by their purchase orders."""

    def may_split(self, work: UnitOfWork, wanted: Sequence[Wanted]) -> None:
        """Raises ``RuleBroken("direct_split_confirmed")`` where too much of a line is confirmed already, naming what can be split."""
        held = _locked(work, [one.line.id for one in wanted])
        for one in wanted:
            asked = held.get(one.line.id, [])
            confirmed = [(paper, line) for paper, line in asked if line.first_confirmed_on is not None]
            fixed = sum(line.open for _, line in confirmed)
            most = max(0, one.line.open - one.line.picked - fixed)
            if confirmed and one.quantity > most:
                raise RuleBroken(
                    "direct_split_confirmed", field=one.field, line=one.line.line_no, number=confirmed[0][0].number,
                    confirmed=as_text(fixed), most=as_text(most),
                )  # fmt: skip

    def split(self, work: UnitOfWork, order: Order, parts: Sequence[tuple[Line, Line]]) -> None:
        """Ask for each part apart: of what is on order for its line and not confirmed, so much becomes a line of its own."""
        held = _locked(work, [line.id for line, _ in parts])
        told: dict[int, list[PurchaseSplitLine]] = {}
        papers: dict[int, Purchase] = {}
        changed: dict[int, PurchaseLineRow] = {}
        new: list[PurchaseLineRow] = []
        for line, part in parts:
            # What nobody has been asked for yet stays with the line, and is ordered for it.
            left, day = part.quantity, _ships_on(work, part)
            for paper, asked in held.get(line.id, []):
                taken = min(left, asked.open) if asked.first_confirmed_on is None else 0
                if not taken or asked.order_line_id != line.id:
                    continue
                left -= taken
                made = _split_off(work, paper, asked, part.id, taken, day)
                changed[asked.id], papers[paper.id] = asked, paper
                if made is not asked:
                    new.append(made)
                said = PurchaseSplitLine(line=asked.id, part=made.id, quantity=taken, day=day)
                told.setdefault(paper.id, []).append(said)
        save_split(work, list(changed.values()), new)
        for key, lines in told.items():
            record_move(
                work, "purchase", key, "split", papers[key].state, papers[key].state, reason=f"for {order.number}"
            )
            publish_purchase(work, papers[key], PurchaseSplit(lines=lines), "order")
        save_purchases(work, list(papers.values()), [])


def _split_off(
    work: UnitOfWork, paper: Purchase, asked: PurchaseLineRow, serves: int, taken: int, day: date
) -> PurchaseLineRow:
    """So much of a line as one of its own, at its price; what both are worth is what the line was. All of it is the line itself."""
    if taken == asked.quantity:
        asked.order_line_id, asked.requested_on = serves, day
        return asked
    rest = scaled_amount(asked.quantity - taken, asked.unit_price, paper.currency)
    made = replace(
        asked, id=work.ids.one(), line_no=max(one.line_no for one in paper.lines) + 10, quantity=taken,
        value_minor=asked.value_minor - rest, requested_on=day, received=0, cancelled=0, order_line_id=serves,
    )  # fmt: skip
    asked.quantity, asked.value_minor = asked.quantity - taken, rest
    paper.lines.append(made)
    return made


def _ships_on(work: UnitOfWork, part: Line) -> date:
    """The day on which the supplier has to send a part: its promise, less the way where that is a day of delivery."""
    way = max(timedelta(0), part.requested_on - part.requested_ship_on)
    day = part.promised_on - way if part.basis == "delivery" else part.promised_on
    return max(day, local_day(work.now, site_facts(work, part.site_id).time_zone))


def _locked(work: UnitOfWork, order_lines: Iterable[int]) -> dict[int, list[tuple[Purchase, PurchaseLineRow]]]:
    """What is on order for customers' lines, with its purchase order, locked. Their orders are locked before."""
    read = serving(work, order_lines)
    papers = lock_purchases(work, {line.purchase_id for lines in read.values() for line in lines}, everywhere=True)
    found: dict[int, list[tuple[Purchase, PurchaseLineRow]]] = {}
    for paper in papers:
        for line in paper.lines:
            if line.order_line_id is not None and line.open:
                found.setdefault(line.order_line_id, []).append((paper, line))
    return found


SUPPLIERS = _Suppliers()
