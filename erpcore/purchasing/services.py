"""Ordering from suppliers, what they confirm, and ending what is not waited for any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from erpcore.inventory.documents import ExpectedReceipt, ReceiptSource
from erpcore.inventory.posting import warehouse_place
from erpcore.inventory.receiving import Expect, expect_receipts
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.events import Place
from erpcore.kernel.history import record_move
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES, scaled_int
from erpcore.kernel.money import scaled_amount
from erpcore.kernel.quantity import ABSURD, MOST_WORTH
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import SiteKind
from erpcore.masterdata.queries import ItemFacts, SiteFacts, items, site_facts
from erpcore.masterdata.suppliers import MOST_DAYS, Offer, SupplierFacts, offers, suppliers
from erpcore.masterdata.units import in_own_unit, pack_named, packs_of
from erpcore.ports import CellStates, ProcessRules
from erpcore.published.purchasing import (
    PurchaseCancelled,
    PurchaseClosed,
    PurchaseConfirmed,
    PurchaseLine,
    PurchaseOrdered,
    PurchaseQuantity,
    PurchaseReconfirmed,
)
from erpcore.purchasing.flow import PURCHASE
from erpcore.purchasing.models import PurchaseOrder
from erpcore.purchasing.records import Purchase, PurchaseLineRow, insert_purchases, lock_purchases, save_purchases

PLACE = "purchasing:order:place"
#: Lines of one purchase order.
MOST_LINES = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class WantedLine:
    """So much of an item. Without ``unit_price`` what the supplier asks; without ``wanted_on`` as soon as it delivers.

    ``unit``: the code of a pack that the quantity is in. ``order_line``: the customer's line that it serves.
    """

    item: int
    quantity: Decimal
    unit_price: Decimal | None = None
    wanted_on: date | None = None
    unit: str | None = None
    order_line: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlacePurchase:
    """What to order from one supplier for one site.

    ``direct_order``: the customer's order that the supplier sends the goods to; its ``place`` then says under which grant and
    rules, and permission for it follows from the order's own moves.
    """

    site: int
    supplier: int
    lines: Sequence[WantedLine]
    note: str | None = None
    direct_order: int | None = None
    place: Place | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfirmedLine:
    """The supplier's word on one line: the day, and how much of it comes in all (``None``: everything)."""

    line: int
    on: date
    quantity: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfirmPurchase:
    """What a supplier confirms; lines that are not named stay as they were. ``reference``: the number of its confirmation."""

    purchase: int
    lines: Sequence[ConfirmedLine]
    reference: str | None = None
    seen_version: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EndPurchase:
    """Not waited for any more. Cancelled when nothing has come, closed when something has."""

    purchase: int
    reason: str
    seen_version: int | None = None


def place_purchases(
    work: UnitOfWork, commands: Sequence[PlacePurchase], *, rules: ProcessRules, cells: CellStates
) -> list[Purchase]:
    """Order from suppliers; what comes to a site is expected there from now on, so that orders can be promised from it.

    Raises ``RuleBroken`` for a blocked supplier, an item without a price, a quantity that its unit does not allow. All or none.
    """
    known = suppliers(work, {c.supplier for c in commands})
    goods = items(work, {line.item for c in commands for line in c.lines})
    asked = offers(work, {line.item for c in commands for line in c.lines})
    packs = packs_of(work.session, [line.item for c in commands for line in c.lines if line.unit])
    made: list[Purchase] = []
    for c in commands:
        if c.place is None:
            work.actor.require(PLACE, site=c.site)
        site, supplier = site_facts(work, c.site), known[c.supplier]
        place = c.place or warehouse_place(work, site, rules, cells)
        _check_head(c, site, supplier)
        purchase = Purchase(
            id=work.ids.one(), entity_id=site.entity.id, site_id=site.id, supplier_id=supplier.id, number=None,
            state=PURCHASE.initial, is_direct=c.direct_order is not None, order_id=c.direct_order,
            currency=site.entity.currency, value_minor=0, ordered_at=work.now, ordered_by=work.actor.id, confirmed_at=None,
            confirmation=None, ended_at=None, ruleset=place.ruleset or "", note=(c.note or "").strip() or None, version=1,
        )  # fmt: skip
        for index, line in enumerate(c.lines):
            item = goods[line.item]
            own = next((o for o in asked.get(item.id, ()) if o.supplier.id == supplier.id), None)
            purchase.lines.append(_line(work, purchase, index, line, item, own, supplier, site, packs))
        purchase.value_minor = sum(line.value_minor for line in purchase.lines)
        made.append(purchase)
        _report_order(work, purchase, place)
    insert_purchases(work, made)
    for purchase in made:
        _number(work, purchase, _expect(work, purchase, known[purchase.supplier_id], rules, cells))
    return made


def _check_head(c: PlacePurchase, site: SiteFacts, supplier: SupplierFacts) -> None:
    if supplier.entity_id != site.entity.id:
        raise RuleBroken("other_entity", field="supplier", customer=supplier.code, site=site.code)
    if supplier.is_blocked:
        raise RuleBroken("supplier_blocked", field="supplier", supplier=supplier.code)
    if c.direct_order is None and site.kind == SiteKind.DROP_SHIP:
        raise RuleBroken("purchase_for_works", field="site", site=site.code)
    if c.direct_order is not None and not supplier.ships_direct:
        raise RuleBroken("supplier_not_direct", field="supplier", supplier=supplier.code)
    if not 0 < len(c.lines) <= MOST_LINES:
        raise RuleBroken("purchase_lines", field="lines", most=MOST_LINES)


def _line(
    work: UnitOfWork, purchase: Purchase, index: int, line: WantedLine, item: ItemFacts, own: Offer | None,
    supplier: SupplierFacts, site: SiteFacts, packs: Mapping[int, Any],
) -> PurchaseLineRow:  # fmt: skip
    at = f"lines-{index}"
    if item.entity_id != purchase.entity_id:
        raise RuleBroken("other_entity", field=f"{at}-item", customer=item.code, site=site.code)
    if item.kind != "stock":
        raise RuleBroken("item_without_stock", field=f"{at}-item", item=item.code)
    if item.is_blocked:
        raise RuleBroken("item_blocked", field=f"{at}-item", item=item.code)
    pack = pack_named(packs, item, line.unit)
    quantity_ = in_own_unit(line.quantity, pack, item.quantity_places, field=f"{at}-quantity")
    if quantity_ <= 0:
        raise RuleBroken("quantity_not_positive_here", field=f"{at}-quantity", item=item.code)
    if quantity_ >= ABSURD:
        raise RuleBroken("quantity_absurd", field=f"{at}-quantity", value=str(line.quantity))
    quantity = scaled_int(quantity_, QUANTITY_PLACES)
    if line.unit_price is None and own is None:
        raise RuleBroken("purchase_price_missing", field=f"{at}-unit_price", item=item.code, supplier=supplier.code)
    price = own.price if line.unit_price is None and own is not None else scaled_int(line.unit_price or 0, PRICE_PLACES)
    if price <= 0:
        raise RuleBroken("purchase_price_positive", field=f"{at}-unit_price", item=item.code)
    if quantity * price >= MOST_WORTH * 10 ** (PRICE_PLACES + QUANTITY_PLACES):
        raise RuleBroken("value_absurd", field=f"{at}-quantity", line=index + 1, item=item.code)
    today = local_day(work.now, site.time_zone)
    wanted = line.wanted_on or today + timedelta(days=own.lead_days if own else supplier.lead_days)
    if not today <= wanted <= today + timedelta(days=MOST_DAYS):
        raise RuleBroken("wanted_day_absurd", field=f"{at}-wanted_on", day=wanted)
    return PurchaseLineRow(
        id=work.ids.one(), purchase_id=purchase.id, line_no=(index + 1) * 10, item_id=item.id, quantity=quantity,
        unit_price=price, value_minor=scaled_amount(quantity, price, purchase.currency), requested_on=wanted,
        first_confirmed_on=None, confirmed_on=None, received=0, cancelled=0, order_line_id=line.order_line,
    )  # fmt: skip


def _expect(
    work: UnitOfWork, purchase: Purchase, supplier: SupplierFacts, rules: ProcessRules, cells: CellStates
) -> list[int]:
    if purchase.is_direct:
        return []
    commands = [
        Expect(
            site=purchase.site_id, item=line.item_id, quantity=Decimal(line.quantity).scaleb(-QUANTITY_PLACES),
            expected_on=line.requested_on, number=f"PO {purchase.id}", source=ReceiptSource.PURCHASE_ORDER,
            supplier=supplier.name, document=purchase.id, line=line.id,
        )
        for line in purchase.lines
    ]  # fmt: skip
    return expect_receipts(work, commands, rules=rules, cells=cells, permission=None)


def _number(work: UnitOfWork, purchase: Purchase, expected: Sequence[int]) -> None:
    """The purchase order's number, and what comes of it shows the same."""
    year = local_day(work.now, site_facts(work, purchase.site_id).time_zone).year
    copies = [(ExpectedReceipt.__table__, key) for key in expected]
    work.number_later(
        PurchaseOrder.__table__, purchase.id, entity=purchase.entity_id, journal="purchase", year=year, prefix=f"PO-{year}-",
        copies=copies,
    )  # fmt: skip


def _report_order(work: UnitOfWork, purchase: Purchase, place: Place) -> None:
    record_move(work, "purchase", purchase.id, "order", None, purchase.state, reason=purchase.note)
    event = PurchaseOrdered(
        supplier=purchase.supplier_id, value=purchase.value_minor, order=purchase.order_id,
        lines=[PurchaseLine(line=one.id, item=one.item_id, quantity=one.quantity, day=one.requested_on) for one in purchase.lines],
    )  # fmt: skip
    work.publish(event, place, step="procure_to_pay.order", subject=("purchase", purchase.id, 1), journey=purchase.id)


def purchase_place(work: UnitOfWork, purchase: Purchase) -> Place:
    """The dimensions of what happens to a purchase order later: the site it supplies, the rules it was ordered under."""
    site = site_facts(work, purchase.site_id)
    return Place(
        realm=site.entity.realm, entity=purchase.entity_id, site=purchase.site_id, ruleset=purchase.ruleset,
        currency=purchase.currency, time_zone=site.time_zone,
    )  # fmt: skip


def publish_purchase(work: UnitOfWork, purchase: Purchase, event: Any, step: str) -> None:
    """Tell of a purchase order, under the version that this change gives it."""
    work.publish(
        event, purchase_place(work, purchase), step=f"procure_to_pay.{step}",
        subject=("purchase", purchase.id, purchase.version + 1), journey=purchase.id,
    )  # fmt: skip


def confirm_purchases(work: UnitOfWork, commands: Sequence[ConfirmPurchase]) -> list[Purchase]:
    """Note what suppliers confirm: other days, less than was ordered. The rest is not expected any more.

    The first word on a line is kept; later ones change when and how much is expected. Raises ``RuleBroken`` for more than was
    ordered, less than has come, or a day before the order.
    """
    seen = {c.purchase: c.seen_version for c in commands}
    held = {one.id: one for one in lock_purchases(work, seen, seen=seen)}
    known = items(work, {line.item_id for one in held.values() for line in one.lines})
    changed: list[PurchaseLineRow] = []
    for c in commands:
        purchase = held[c.purchase]
        work.actor.require(PURCHASE.moves["confirm"].permission, site=purchase.site_id)
        was = purchase.state
        target = PURCHASE.target("confirm", was)
        if not c.lines:
            raise RuleBroken("nothing_confirmed", field="lines")
        by_id = {line.id: line for line in purchase.lines}
        first: list[PurchaseLine] = []
        later: list[PurchaseLine] = []
        for index, told in enumerate(c.lines):
            line = by_id.get(told.line)
            if line is None:
                raise RuleBroken("line_unknown", field=f"lines-{index}-line", line=told.line)
            quantity = _confirmed(work, purchase, line, known[line.item_id], told, index)
            said = PurchaseLine(line=line.id, item=line.item_id, quantity=quantity, day=told.on)
            (later if line.first_confirmed_on else first).append(said)
            line.first_confirmed_on = line.first_confirmed_on or told.on
            line.confirmed_on, line.cancelled = told.on, line.quantity - quantity
            changed.append(line)
        purchase.confirmed_at = purchase.confirmed_at or work.now
        purchase.confirmation = (c.reference or "").strip() or purchase.confirmation
        settled = all(line.open == 0 for line in purchase.lines)
        if settled and not any(line.received for line in purchase.lines):
            raise RuleBroken("confirmed_nothing", field="lines", number=purchase.number)
        purchase.state = PURCHASE.target("settle", target) if settled else target
        purchase.ended_at = work.now if settled else None
        record_move(work, "purchase", purchase.id, "confirm", was, purchase.state, reason=c.reference)
        if first:
            publish_purchase(work, purchase, PurchaseConfirmed(lines=first), "confirm")
        if later:
            publish_purchase(work, purchase, PurchaseReconfirmed(lines=later), "confirm")
    save_purchases(work, list(held.values()), changed)
    return list(held.values())


def _confirmed(
    work: UnitOfWork, purchase: Purchase, line: PurchaseLineRow, item: ItemFacts, told: ConfirmedLine, index: int
) -> int:
    """Thousandths that the supplier confirms of the line."""
    quantity = line.quantity
    if told.quantity is not None:
        own = in_own_unit(told.quantity, None, item.quantity_places, field=f"lines-{index}-quantity")
        quantity = scaled_int(own, QUANTITY_PLACES)
    if not 0 <= quantity <= line.quantity or quantity < min(line.received, line.quantity):
        raise RuleBroken("confirmed_amount", field=f"lines-{index}-quantity", item=item.code, number=purchase.number)
    ordered = local_day(purchase.ordered_at, site_facts(work, purchase.site_id).time_zone)
    if not ordered <= told.on <= ordered + timedelta(days=MOST_DAYS):
        raise RuleBroken("confirmed_day", field=f"lines-{index}-on", day=told.on, number=purchase.number)
    return quantity


def end_purchases(work: UnitOfWork, commands: Sequence[EndPurchase]) -> list[Purchase]:
    """Wait no longer for what is open: cancelled when nothing has come of it, closed when something has."""
    seen = {c.purchase: c.seen_version for c in commands}
    held = {one.id: one for one in lock_purchases(work, seen, seen=seen)}
    changed = []
    for c in commands:
        purchase = held[c.purchase]
        move = "close" if any(line.received for line in purchase.lines) else "cancel"
        work.actor.require(PURCHASE.moves[move].permission, site=purchase.site_id)
        was = purchase.state
        purchase.state = PURCHASE.target(move, was, reason=c.reason)
        purchase.ended_at = work.now
        left = [(line, line.open) for line in purchase.lines if line.open]
        for line, open_ in left:
            line.cancelled += open_
            changed.append(line)
        reason = c.reason.strip()
        record_move(work, "purchase", purchase.id, move, was, purchase.state, reason=reason)
        lines = [PurchaseQuantity(line=line.id, quantity=open_) for line, open_ in left]
        event = PurchaseClosed(reason=reason, lines=lines) if move == "close" else PurchaseCancelled(reason=reason)
        publish_purchase(work, purchase, event, move)
    save_purchases(work, list(held.values()), changed)
    return list(held.values())
