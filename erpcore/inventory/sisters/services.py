"""One company sends goods to another: a sale here, a purchase there, the goods in transit, in one unit of work and under one key.

The goods then arrive as those of any transfer. Neither side can be changed alone: turning it back is again one act that writes both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from erpcore.inventory.balances import lock_balances
from erpcore.inventory.bins import Slot
from erpcore.inventory.documents import ReceiptSource, StockTransfer, StockTransferLine, TransferState
from erpcore.inventory.models import MoveReason, StockStatus
from erpcore.inventory.movement import Movement
from erpcore.inventory.posting import warehouse_place
from erpcore.inventory.receiving import Expect, expect_receipts
from erpcore.inventory.services import Moved, move_stock
from erpcore.inventory.sisters.models import SisterKind, SisterLine, SisterSide
from erpcore.inventory.sisters.records import OneSide, SideLine, Told, sent_by_key, sides_of, write_sides
from erpcore.inventory.transfer_records import LINE_COLUMNS, TRANSFER_COLUMNS, lock_transfer, settle_transfer
from erpcore.inventory.transfers import ShipTransfer, TransferLine, taken_parts, transfer_movement
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.history import record_move
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES, scaled_int
from erpcore.kernel.money import scaled_amount
from erpcore.kernel.rows import write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.counterparts import counterparts
from erpcore.masterdata.models import SiteKind, Tracking
from erpcore.masterdata.queries import ItemFacts, SiteFacts, items, site_facts
from erpcore.masterdata.rates import HeldRate, rate_for
from erpcore.ports import CellStates, ProcessRules
from erpcore.published import StockMoved
from erpcore.published.stock import StockTransferReceived, StockTransferShipped

SEND = "warehouse:sister:send"
MOST_LINES, _MOST_KEY = 500, 100


@dataclass(frozen=True, kw_only=True, slots=True)
class SisterGoods:
    """So much of an item of the company that sends, at a transfer price in its currency; without one at its standard cost."""

    item: int
    quantity: Decimal
    price: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SendToSister:
    """Goods for a site of another company of ours. ``key``: what makes it one thing however often it is asked for."""

    from_site: int
    to_site: int
    arrives_on: date
    lines: Sequence[SisterGoods]
    key: str
    note: str | None = None


class Sent(NamedTuple):
    """The transfer, and whether it was sent under this key before."""

    transfer: int
    number: str
    was_there: bool


def send_to_sister(work: UnitOfWork, c: SendToSister, *, rules: ProcessRules, cells: CellStates) -> Sent:
    """Sell goods to another company of ours and buy them there, both or nothing; under a known key nothing is done again.

    Raises ``RuleBroken``: ``counterpart_missing`` for an item that the other company has no counterpart of, ``sister_taxed`` within
    one country, ``rate_missing`` or ``rate_too_old`` between two currencies, ``stock_short`` for more than is free.
    """
    work.actor.require(SEND, site=c.from_site)
    key = c.key.strip()
    if not 0 < len(key) <= _MOST_KEY:
        raise RuleBroken("sister_key", field="key", most=_MOST_KEY)
    source, target = site_facts(work, c.from_site), site_facts(work, c.to_site)
    _check(work, c, source, target)
    known = sent_by_key(work, source.entity.id, target.entity.id, key)
    if known is not None:
        return _was_sent(work, c, known)
    if c.arrives_on < local_day(work.now, target.time_zone):
        raise RuleBroken("arrives_in_past", field="arrives_on", day=c.arrives_on)
    known_items = items(work, {line.item for line in c.lines})
    there = _counterparts(work, c, known_items, target)
    # Both companies' balances at once and in one order: two who send to each other wait, and do not block each other.
    lock_balances(work, {(source.id, item) for item in there} | {(target.id, item.id) for item in there.values()})
    # Somebody else may have sent it while this one waited for the goods.
    known = sent_by_key(work, source.entity.id, target.entity.id, key)
    if known is not None:
        return _was_sent(work, c, known)
    rate, day = None, local_day(work.now, source.time_zone)
    if source.entity.currency != target.entity.currency:
        rate = rate_for(work.session, work.realm, source.entity.currency, target.entity.currency, day)
    transfer = work.ids.one()
    number = f"IC-{transfer}"
    sides = [
        OneSide(SisterSide.SALE, source, target, warehouse_place(work, source, rules, cells), rate.id if rate else None),
        OneSide(SisterSide.PURCHASE, target, source, warehouse_place(work, target, rules, cells), rate.id if rate else None),
    ]  # fmt: skip
    _move_goods(work, c, transfer, number, sides, known_items, there, rate, rules)
    sale, purchase = sides
    rows = [(work.ids.one(), transfer, line.item, None, line.quantity, 0, 0) for line in purchase.lines]
    write_rows(
        work, StockTransfer.__table__, TRANSFER_COLUMNS,
        [
            (transfer, target.entity.id, source.id, target.id, number, TransferState.SHIPPED, work.now, c.arrives_on, None, None,
             (c.note or "").strip() or None, 1)
        ],
    )  # fmt: skip
    write_rows(work, StockTransferLine.__table__, LINE_COLUMNS, rows)
    expected = [
        Expect(
            site=target.id, item=row[2], quantity=_units(row[4]), expected_on=c.arrives_on, number=number,
            source=ReceiptSource.TRANSFER, supplier=source.name, document=transfer, line=row[0],
        )
        for row in rows
    ]  # fmt: skip
    expect_receipts(work, expected, rules=rules, cells=cells, permission=None)
    told = Told(
        transfer=transfer, number=number, key=key, kind=SisterKind.SENT, agreed_currency=source.entity.currency, agreed=sale.amount,
        day=day,
    )  # fmt: skip
    write_sides(work, told, sides)
    record_move(work, "transfer", transfer, "ship", None, TransferState.SHIPPED, reason=c.note)
    event = StockTransferShipped(to_site=target.id, arrives_on=c.arrives_on, lines=len(rows), value=purchase.cost)
    work.publish(event, sale.place, step="warehouse.transfer", subject=("transfer", transfer, 1), journey=transfer)
    return Sent(transfer, number, was_there=False)


def _check(work: UnitOfWork, c: SendToSister, source: SiteFacts, target: SiteFacts) -> None:
    if source.entity.id == target.entity.id:
        raise RuleBroken("sister_same_company", field="to_site", site=target.code)
    if source.country == target.country:
        # Between countries they leave as an export or as intra-community goods, untaxed where they come from.
        raise RuleBroken("sister_taxed", field="to_site", country=target.country, site=target.code)
    for site, field in ((source, "from_site"), (target, "to_site")):
        if site.entity.realm != work.realm:
            raise RuleBroken("other_realm", field=field, site=site.code, realm=site.entity.realm, asked=work.realm)
        if site.kind == SiteKind.DROP_SHIP:
            raise RuleBroken("transfer_of_works", field=field, site=site.code)
    if not 0 < len(c.lines) <= MOST_LINES or len({line.item for line in c.lines}) != len(c.lines):
        raise RuleBroken("sister_lines", field="lines", most=MOST_LINES)


def _was_sent(work: UnitOfWork, c: SendToSister, transfer: int) -> Sent:
    """What was sent under the key; raises ``Conflict("sister_key_used")`` unless it is what is asked for."""
    found = sides_of(work, transfer)
    sold, lines = found[SisterKind.SENT, SisterSide.SALE]
    bought, _ = found[SisterKind.SENT, SisterSide.PURCHASE]
    sent = [(line.item_id, line.quantity, line.agreed_price) for line in lines]
    asked = [
        (line.item, line.quantity, told[2] if line.price is None else line.price)
        for line, told in zip(c.lines, sent, strict=False)
    ]
    if (sold.site_id, bought.site_id, len(sent), sent) != (c.from_site, c.to_site, len(c.lines), asked):
        raise Conflict("sister_key_used", key=c.key.strip(), number=f"IC-{transfer}")
    return Sent(transfer, f"IC-{transfer}", was_there=True)


def _counterparts(
    work: UnitOfWork, c: SendToSister, known: dict[int, ItemFacts], target: SiteFacts
) -> dict[int, ItemFacts]:
    """The other company's items, by those that are sent."""
    pairs = counterparts(work, known, target.entity.id)
    there = items(work, set(pairs.values()))
    for index, line in enumerate(c.lines):
        item, field = known[line.item], f"lines-{index}-item"
        if item.entity_id != site_facts(work, c.from_site).entity.id:
            raise RuleBroken("other_entity", field=field, customer=item.code, site=site_facts(work, c.from_site).code)
        if line.item not in pairs:
            raise RuleBroken("counterpart_missing", field=field, item=item.code, site=target.code)
        if item.tracking != Tracking.NONE:
            raise RuleBroken("sister_tracked", field=field, item=item.code)
    return {item: there[other] for item, other in pairs.items()}


def _move_goods(
    work: UnitOfWork, c: SendToSister, transfer: int, number: str, sides: Sequence[OneSide], known: dict[int, ItemFacts],
    there: dict[int, ItemFacts], rate: HeldRate | None, rules: ProcessRules,
) -> None:  # fmt: skip
    """Out of the one stock and into the other, on the way there; writes lines, amounts and worth to both sides."""
    sale, purchase = sides
    asked = ShipTransfer(
        from_site=c.from_site, to_site=c.to_site, arrives_on=c.arrives_on,
        lines=[TransferLine(item=line.item, quantity=line.quantity) for line in c.lines],
    )  # fmt: skip
    parts = taken_parts(work, asked, known, rules)
    out = [transfer_movement(work, sale.site, known[slot.item], -part, transfer, number, slot) for slot, part in parts]
    gone = _moved(work, sale.place, out)
    into = []
    for index, line in enumerate(c.lines):
        item, other = known[line.item], there[line.item]
        quantity = sum(part for slot, part in parts if slot.item == line.item)
        price = _price(line, item, f"lines-{index}-price")
        amount = scaled_amount(quantity, price, sale.site.entity.currency)
        cost = -sum(done.value or 0 for move, done in zip(out, gone, strict=True) if move.item == line.item)
        sale.lines.append(SideLine(line.item, quantity, price, amount, cost))
        bought = amount if rate is None else rate.exchanged(amount)
        purchase.lines.append(SideLine(other.id, quantity, price, bought))
        into.append(
            Movement(
                entity=purchase.site.entity.id, site=purchase.site.id, item=other.id, quantity=quantity,
                unit_cost=other.standard_cost, currency=purchase.site.entity.currency, reason=MoveReason.TRANSFER,
                document_type="transfer", document_id=transfer, moved_at=work.now, note=number, worth=bought,
                slot=Slot(purchase.site.id, other.id, None, None, StockStatus.IN_TRANSIT),
            )
        )  # fmt: skip
    for bought_line, done in zip(purchase.lines, _moved(work, purchase.place, into), strict=True):
        bought_line.cost = done.value or 0


def _price(line: SisterGoods, item: ItemFacts, field: str) -> int:
    if line.price is None:
        if item.standard_cost is None:
            raise RuleBroken("sister_price", field=field, item=item.code)
        return item.standard_cost
    if not line.price.is_finite() or line.price < 0 or line.price != round(line.price, PRICE_PLACES):
        raise RuleBroken("sister_price", field=field, item=item.code)
    return scaled_int(line.price, PRICE_PLACES)


def _moved(work: UnitOfWork, place: Place, movements: Sequence[Movement]) -> list[Moved]:
    """Move and say so; the books are posted by the documents of both sides."""
    done = move_stock(work, movements)
    for movement, moved in zip(movements, done, strict=True):
        event = StockMoved(item=movement.item, quantity=movement.quantity, value=moved.value, reason=movement.reason)
        work.publish(
            event, place, step="warehouse.transfer", subject=("stock_move", moved.id, 1), journey=moved.id,
            at=movement.moved_at,
        )  # fmt: skip
    return done


def turn_back(
    work: UnitOfWork, transfer: int, reason: str, *, rules: ProcessRules, cells: CellStates, seen_version: int | None = None
) -> None:  # fmt: skip
    """Take goods back that are still wholly on their way: both sides are turned round, at the amounts that they were posted with.

    Raises ``RuleBroken("sister_arrived")`` once any of it came or was lost, ``sister_turned`` the second time.
    """
    head, lines = lock_transfer(work, transfer)
    found = sides_of(work, transfer)
    sold, sold_lines = found[SisterKind.SENT, SisterSide.SALE]
    bought, bought_lines = found[SisterKind.SENT, SisterSide.PURCHASE]
    work.actor.require(SEND, site=sold.site_id)
    if seen_version not in (None, head.version):
        raise Conflict("changed_meanwhile", document=head.number)
    if (SisterKind.TURNED_BACK, SisterSide.SALE) in found:
        raise RuleBroken("sister_turned", number=head.number)
    if any(line.received or line.lost for line in lines.values()):
        raise RuleBroken("sister_arrived", number=head.number)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="transfer", move="turn back")
    source, target = site_facts(work, sold.site_id), site_facts(work, bought.site_id)
    if source.entity.realm != work.realm:
        raise NotFound("transfer_unknown", id=transfer)
    lock_balances(
        work,
        {(source.id, line.item_id) for line in sold_lines} | {(target.id, line.item_id) for line in bought_lines},
    )
    # The goods leave the one stock before they come to the other.
    sides = [
        _turned(
            work,
            OneSide(SisterSide.PURCHASE, target, source, _place(work, target, rules, cells), bought.rate_id),
            head,
            bought_lines,
        ),
        _turned(
            work,
            OneSide(SisterSide.SALE, source, target, _place(work, source, rules, cells), sold.rate_id),
            head,
            sold_lines,
        ),
    ]
    told = Told(
        transfer=transfer, number=head.number, key=sold.key, kind=SisterKind.TURNED_BACK, agreed_currency=sold.agreed_currency,
        agreed=sold.agreed_minor, day=local_day(work.now, source.time_zone), reason=reason.strip(),
    )  # fmt: skip
    write_sides(work, told, sides)
    changes = [{"of": line.id, "d_received": 0, "d_lost": line.quantity} for line in lines.values()]
    gone = {key: line._replace(lost=line.quantity) for key, line in lines.items()}
    settle_transfer(work, head, gone, changes, "turn_back", reason.strip())
    event = StockTransferReceived(from_site=head.from_site_id, settled=True)
    work.publish(
        event, sides[0].place, step="warehouse.transfer", subject=("transfer", head.id, head.version + 1), journey=head.id
    )  # fmt: skip


def _place(work: UnitOfWork, site: SiteFacts, rules: ProcessRules, cells: CellStates) -> Place:
    return warehouse_place(work, site, rules, cells, begins=False)


def _turned(work: UnitOfWork, one: OneSide, head: Any, sent: Sequence[SisterLine]) -> OneSide:
    """The side with its goods moved back: off the way there, or into stock at what they cost when they left."""
    leaves, site = one.side is SisterSide.PURCHASE, one.site
    known = items(work, {line.item_id for line in sent})
    back = []
    for line in sent:
        quantity = scaled_int(line.quantity, QUANTITY_PLACES)
        price = scaled_int(line.agreed_price, PRICE_PLACES)
        one.lines.append(SideLine(line.item_id, quantity, price, line.amount_minor))
        status = StockStatus.IN_TRANSIT if leaves else StockStatus.AVAILABLE
        movement = transfer_movement(
            work, site, known[line.item_id], -quantity if leaves else quantity, head.id, head.number,
            Slot(site.id, line.item_id, None, None, status),
        )  # fmt: skip
        back.append(movement if leaves else replace(movement, worth=line.cost_minor))
    for written, done in zip(one.lines, _moved(work, one.place, back), strict=True):
        written.cost = abs(done.value or 0)
    return one


def _units(thousandths: int) -> Decimal:
    return Decimal(thousandths).scaleb(-QUANTITY_PLACES)
