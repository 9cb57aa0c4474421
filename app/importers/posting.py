"""How does a batch of documents become transactions? Through the same services as a typed order, in one unit of work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from app.composition.imports import ImportDocument, ImportLine
from app.importers.places import Place
from app.importers.profiles import Profile
from app.importers.reading import Document, Line
from app.importers.stock import groups
from erpcore.billing.credits import credit_returns
from erpcore.billing.debts import PostDebt, post_debts
from erpcore.billing.services import draft_invoices, post_invoices
from erpcore.fulfilment.return_deciding import authorise_returns
from erpcore.fulfilment.return_records import ReturnRow
from erpcore.fulfilment.returned_goods import InspectReturn, ReceiveReturn, inspect_returns, receive_returns
from erpcore.fulfilment.returns import RequestReturn, ReturnedLine, request_returns
from erpcore.fulfilment.services import DeliverShipment, PickOrder, confirm_shipments, deliver_shipments, pick_orders
from erpcore.inventory.balances import lock_balances
from erpcore.inventory.stock import ChangeStock, adjust_stock, open_stock
from erpcore.kernel.clock import zone
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.model import QUANTITY_PLACES, scaled_int
from erpcore.kernel.rows import write_rows
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Customer, Item, ItemKind
from erpcore.masterdata.queries import find_by_code, site_facts
from erpcore.masterdata.services import NewCustomer, NewItem, add_customers, add_items
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.documents import Order
from erpcore.orders.releasing import release_orders
from erpcore.orders.services import CaptureOrder, NewLine, capture_orders
from erpcore.ports import CellStates, ProcessRules

_ORDERED = ("order_line", "free_line", "charge_line")
_NOON = time(12)
DOCUMENT_COLUMNS = (
    "id",
    "profile_id",
    "run_id",
    "key",
    "part",
    "kind",
    "content",
    "customer_id",
    "country",
    "stated_at",
)
LINE_COLUMNS = (
    "document_id", "position", "share", "outcome", "target_id", "item_id", "stated_on", "stated_at", "digest", "kept", "reason",
    "text",
)  # fmt: skip


@dataclass
class Codes:
    """Ids of the entity's items and customers by code, as far as they are committed."""

    items: dict[str, int] = field(default_factory=dict)
    customers: dict[str, int] = field(default_factory=dict)


class Batch:
    """Posts documents of one profile in one unit of work, and notes what became of each line."""

    def __init__(
        self, work: UnitOfWork, profile: Profile, place: Place, codes: Codes, *, run: int, file: str, rules: ProcessRules,
        cells: CellStates,
    ) -> None:  # fmt: skip
        self.work = work
        self.profile = profile
        self.place = place
        self.run = run
        self.file = file
        self.rules = rules
        self.cells = cells
        self.known = codes
        #: New ones of this unit of work; to be taken over once it is committed.
        self.fresh = Codes()
        self._documents: list[tuple[Any, ...]] = []
        self._lines: list[tuple[Any, ...]] = []
        #: Of documents and lines, by their identity in memory.
        self._ids: dict[int, int] = {}
        self._targets: dict[int, tuple[int, ...]] = {}
        self._parts: dict[str, int] = {}
        self.opened = 0

    def post(self, documents: Sequence[Document], parts: dict[str, int]) -> None:
        """Post ``documents``, in the order of the file. ``parts`` numbers those that add to a document posted before."""
        self._parts = parts
        self._ensure_customers(documents)
        self._ensure_items(documents)
        ids = self.work.ids.reserve(len(documents))
        for document in documents:
            self._ids[id(document)] = next(ids)
        wanted = {line.item for d in documents for line in d.lines if line.outcome != "rejected" and not line.is_charge}
        held = lock_balances(self.work, {(self.place.site, self.item(code)) for code in wanted})
        on_hand: dict[str, int] = {}
        for code in wanted:
            there = held.get((self.place.site, self.item(code)), (0, 0))
            on_hand[code] = there[0] - there[1]
        for group in groups(documents, on_hand):
            self.open_stock(group.missing, at=min((d.at for d in group.documents if d.at), default=self.work.now))
            self._sales(group.documents)
            self._adjustments(group.documents)
            self._debts(group.documents)
            self._returns(group.documents)
        for document in documents:
            self._note(document)
        write_rows(self.work, ImportDocument.__table__, DOCUMENT_COLUMNS, self._documents)
        write_rows(self.work, ImportLine.__table__, LINE_COLUMNS, self._lines)

    # -- master data ---------------------------------------------------------------------------------------------------

    def item(self, code: str) -> int:
        found = self.known.items.get(code)
        return self.fresh.items[code] if found is None else found

    def customer(self, code: str | None) -> int:
        if code is None:
            return self.place.unknown_customer
        found = self.known.customers.get(code)
        return self.fresh.customers[code] if found is None else found

    def ensure_items(self, named: dict[str, str]) -> None:
        """Items by code and name, made where they are not there. Their cost is unknown: no file says it."""
        missing = {code: name for code, name in named.items() if code not in self.known.items}
        if not missing:
            return
        found = find_by_code(self.work.session, Item, self.place.entity, missing)
        new = [code for code in missing if code not in found]
        rows = add_items(
            self.work,
            [
                NewItem(
                    entity=self.place.entity, code=code, name=missing[code] or code,
                    kind=ItemKind.CHARGE if self.profile.is_charge(code) else ItemKind.STOCK,
                    quantity_places=self.profile.limits.quantity_places,
                )
                for code in new
            ],
        )  # fmt: skip
        self.fresh.items |= found | {row.code: row.id for row in rows}

    def _ensure_items(self, documents: Iterable[Document]) -> None:
        named: dict[str, str] = {}
        for document in documents:
            for line in document.lines:
                if line.outcome != "rejected" and not named.get(line.item):
                    named[line.item] = line.item_name
        self.ensure_items(named)

    def _ensure_customers(self, documents: Iterable[Document]) -> None:
        wanted: dict[str, Document] = {}
        for document in documents:
            if document.customer and document.good and document.customer not in self.known.customers:
                wanted.setdefault(document.customer, document)
        if not wanted:
            return
        found = find_by_code(self.work.session, Customer, self.place.entity, wanted)
        new = [code for code in wanted if code not in found]
        rows = add_customers(
            self.work,
            [
                NewCustomer(
                    entity=self.place.entity, code=code, name=wanted[code].customer_name or f"Customer {code}",
                    country=wanted[code].country or self.profile.entity.country, currency=self.profile.entity.currency,
                    payment_days=self.profile.terms.payment_days,
                )
                for code in new
            ],
        )  # fmt: skip
        self.fresh.customers |= found | {row.code: row.id for row in rows}

    # -- transactions --------------------------------------------------------------------------------------------------

    def open_stock(self, missing: dict[str, int], *, at: datetime) -> None:
        """Post the stock that must have been there, named as what it is."""
        commands = [
            ChangeStock(
                site=self.place.site, item=self.item(code), quantity=Decimal(quantity).scaleb(-QUANTITY_PLACES),
                note=f"opening for the shortfall of {self.file}", at=at,
            )
            for code, quantity in sorted(missing.items())
        ]  # fmt: skip
        if commands:
            open_stock(self.work, commands, rules=self.rules, cells=self.cells)
            self.opened += len(commands)

    def _number(self, document: Document) -> str:
        part = self._parts.get(document.key, 1)
        return document.key if part == 1 else f"{document.key}/{part}"

    def _sales(self, documents: Sequence[Document]) -> None:
        pairs = []
        for document in documents:
            lines = [line for line in document.lines if line.outcome in _ORDERED]
            if lines:
                pairs.append((document, lines))
        if not pairs:
            return
        work, rules, cells = self.work, self.rules, self.cells
        orders = capture_orders(work, [self._capture(d, lines) for d, lines in pairs], rules=rules, cells=cells)
        ids = [order.id for order in orders]
        at = {order.id: document.at or work.now for order, (document, _) in zip(orders, pairs, strict=True)}
        release_orders(work, ids, rules=rules, cells=cells, at=at)
        allocate_orders(work, ids, rules=rules, cells=cells, at=at)
        for order, (_, lines) in zip(orders, pairs, strict=True):
            for kept, line in zip(order.lines, lines, strict=True):
                if kept.has_stock and kept.allocated != kept.quantity:
                    raise RuleBroken(
                        "stock_short", site=site_facts(work, order.site_id).code, item=line.item, document=order.number
                    )
                self._became(line, kept.id)
        picks, when, delivered = [], [], []
        for order, (document, lines) in zip(orders, pairs, strict=True):
            for pick, left_at, arrives in self._picks(order, document, lines):
                picks.append(pick)
                when.append(left_at)
                delivered.append(arrives)
        shipments = pick_orders(work, picks, cells=cells)
        left = {shipment.id: moment for shipment, moment in zip(shipments, when, strict=True)}
        confirm_shipments(work, left, rules=rules, cells=cells, at=left)
        arrived = [
            DeliverShipment(shipment=shipment.id, at=left[shipment.id])
            for shipment, arrives in zip(shipments, delivered, strict=True)
            if arrives
        ]
        if arrived:
            deliver_shipments(work, arrived, rules=rules, cells=cells)
        invoices = draft_invoices(work, left, cells=cells, at=left)
        numbers = {shipment.id: shipment.number for shipment in shipments}
        post_invoices(
            work, [invoice.id for invoice in invoices], cells=cells,
            at={invoice.id: left[invoice.shipment_id] for invoice in invoices},
            numbers={invoice.id: numbers[invoice.shipment_id] for invoice in invoices},
        )  # fmt: skip

    def _capture(self, document: Document, lines: Sequence[Line]) -> CaptureOrder:
        return CaptureOrder(
            site=self.place.site, channel=self.place.channel, customer=self.customer(document.customer),
            number=self._number(document), ship_country=document.country, at=document.at,
            lines=[
                NewLine(
                    item=self.item(line.item), quantity=line.quantity, unit_price=line.price, amount=line.amount,
                    requested_on=line.promised, basis=self.profile.terms.basis if line.promised else None,
                    promised_on=line.promised, drop_ship=line.drop_ship,
                )
                for line in lines
            ],
        )  # fmt: skip

    def _picks(self, order: Order, document: Document, lines: Sequence[Line]) -> list[tuple[PickOrder, datetime, bool]]:
        """What leaves together: the whole order, or what the source gives one shipment number and day."""
        at = document.at or self.work.now
        if not any(line.shipment or line.delivered for line in lines):
            return [(PickOrder(order=order.id, number=order.number, at=at), at, False)]
        together: dict[tuple[str, Any], list[tuple[int, int, Line]]] = defaultdict(list)
        for kept, line in zip(order.lines, lines, strict=True):
            together[line.shipment or order.number, line.delivered].append((kept.id, kept.quantity, line))
        out = []
        seen: set[str] = set()
        for (name, day), parts in together.items():
            number = f"{name}/{day}" if name in seen else name
            seen.add(name)
            when = at
            if day:
                when = datetime.combine(day, _NOON, zone(self.profile.entity.time_zone)).astimezone(UTC)
            freight = {key: line.freight for key, _, line in parts if line.freight}
            pick = PickOrder(
                order=order.id,
                number=number,
                at=when,
                lines={key: quantity for key, quantity, _ in parts},
                freight=freight,
            )
            out.append((pick, when, day is not None))
        return out

    def _adjustments(self, documents: Sequence[Document]) -> None:
        pairs = [(d, line) for d in documents for line in d.lines if line.outcome == "adjustment"]
        if not pairs:
            return
        commands = [
            ChangeStock(
                site=self.place.site, item=self.item(line.item), quantity=line.quantity,
                note=line.item_name or "no reason in the file", at=line.at or document.at,
            )
            for document, line in pairs
        ]  # fmt: skip
        moved = adjust_stock(self.work, commands, rules=self.rules, cells=self.cells)
        for (_, line), move in zip(pairs, moved, strict=True):
            self._became(line, move.id)

    def _debts(self, documents: Sequence[Document]) -> None:
        pairs = [(d, line) for d in documents for line in d.lines if line.outcome == "debt_journal"]
        if not pairs:
            return
        commands = [
            PostDebt(
                site=self.place.site, customer=self.customer(document.customer), amount=line.quantity * line.price,
                reason=line.item_name or "bad debt",
                number=self._number(document) if len(document.lines) == 1 else f"{self._number(document)}-{line.position}",
                ship_country=document.country, at=line.at or document.at,
            )
            for document, line in pairs
        ]  # fmt: skip
        for (_, line), key in zip(pairs, post_debts(self.work, commands, cells=self.cells), strict=True):
            self._became(line, key)

    def _returns(self, documents: Sequence[Document]) -> None:
        pairs = []
        for document in documents:
            lines = [line for line in document.lines if line.outcome == "return_line"]
            if lines:
                pairs.append((document, lines))
        if not pairs:
            return
        work = self.work
        commands = [
            RequestReturn(
                site=self.place.site, channel=self.place.channel, customer=self.customer(document.customer),
                reason="not stated", fault="undecided", number=self._number(document), ship_country=document.country,
                at=document.at,
                lines=[
                    ReturnedLine(item=self.item(line.item), quantity=-line.quantity, unit_price=line.price) for line in lines
                ],
            )
            for document, lines in pairs
        ]  # fmt: skip
        rows = request_returns(work, commands, rules=self.rules, cells=self.cells)
        at = {row.id: row.requested_at for row in rows}
        authorise_returns(work, at, at=at)
        receive_returns(work, [ReceiveReturn(id=key) for key in at], cells=self.cells, at=at)
        inspect_returns(work, [InspectReturn(id=key) for key in at], cells=self.cells, at=at)
        credit_returns(work, at, cells=self.cells, at=at, numbers={row.id: row.number for row in rows})
        for row, (_, lines) in zip(rows, pairs, strict=True):
            self._spread(row, lines)

    def _spread(self, row: ReturnRow, lines: Sequence[Line]) -> None:
        """Which parts of a return a source line was laid over: they come in its order and add up to its quantity."""
        parts = iter(row.lines)
        for line in lines:
            left = scaled_int(-line.quantity, QUANTITY_PLACES)
            targets = []
            while left > 0:
                part = next(parts)
                left -= part.quantity
                targets.append(part.id)
            self._became(line, *targets)

    # -- what became of each line --------------------------------------------------------------------------------------

    def _became(self, line: Line, *targets: int) -> None:
        self._targets[id(line)] = targets

    def _note(self, document: Document) -> None:
        key = self._ids[id(document)]
        good = document.good
        customer = self.customer(document.customer) if document.customer and good else None
        self._documents.append(
            (
                key, self.place.profile, self.run, document.key, self._parts.get(document.key, 1), document.kind,
                document.content, customer, document.country or "", document.at,
            )
        )  # fmt: skip
        at = document.at
        for line in document.lines:
            if line.outcome == "rejected":
                stated = None if line.at == at else line.at
                self._lines.append(
                    (
                        key, line.position, 0, "rejected", None, None, line.day, stated, line.digest, line.kept, line.reason,
                        line.text,
                    )
                )  # fmt: skip
                continue
            item, stated = self.item(line.item), None if line.at == at else line.at
            for share, target in enumerate(self._targets[id(line)]):
                self._lines.append(
                    (
                        key, line.position, share, line.outcome, target, item, line.day, stated, line.digest, line.kept, None,
                        None,
                    )
                )  # fmt: skip
