"""After the goods have left: invoices and their errors, money, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from app.demo.desk import Agenda, Desk, NodeKey, invoice_numbers
from app.demo.taxes import rule_to_name
from app.demo.world import Buyer
from erpcore.billing.cash import ApplyCash, ReceiveCash, apply_cash, receive_cash
from erpcore.billing.credits import CreditInvoice, credit_invoices, credit_returns
from erpcore.billing.models import InvoiceState
from erpcore.billing.records import InvoiceRow
from erpcore.billing.services import (
    AmendInvoice,
    amend_invoices,
    draft_invoices,
    post_invoices,
    unblock_invoices,
)
from erpcore.fulfilment.models import Disposition
from erpcore.fulfilment.records import ShipmentRow
from erpcore.fulfilment.return_deciding import authorise_returns
from erpcore.fulfilment.returned_goods import InspectReturn, ReceiveReturn, inspect_returns, receive_returns
from erpcore.fulfilment.returns import RequestReturn, ReturnedLine, request_returns
from erpcore.kernel.actor import Actor
from erpcore.kernel.model import PRICE_PLACES, QUANTITY_PLACES
from erpcore.orders.documents import Order

_CENT = Decimal("0.01")
#: Reason of a return, and whose fault it is.
_RETURN_REASONS = (
    ("ordered too much", "customer"),
    ("ordered too much", "customer"),
    ("wrong item ordered", "customer"),
    ("wrong item delivered", "ours"),
    ("quality", "undecided"),
)


@dataclass(frozen=True)
class _Billed:
    """A posted invoice as far as paying and correcting it needs."""

    id: int
    customer: int
    gross: int
    line: int
    quantity: int
    unit_price: int


class Aftermath:
    """Billing, cash and returns of all sites."""

    def __init__(self, desk: Desk, agenda: Agenda) -> None:
        self.desk, self.agenda = desk, agenda
        self._buyers: dict[int, Buyer] = {}

    def shipped(self, key: NodeKey, buyer: Buyer, shipment: ShipmentRow) -> None:
        """A shipment has left: its invoice is drafted in the evening run."""
        self._buyers[shipment.id] = buyer
        node = self.desk.world.nodes[key]
        if self.desk.is_late_in_story and self.desk.chance(node.habits.forgets):
            return
        # A branch bills at the counter; the others wait for the next run.
        hours = 0 if node.plan.kind == "branch" else self.desk.random.choice((1, 2, 2, 4))
        self.agenda.add(self.desk.clock.now() + timedelta(hours=hours), "invoice", key, shipment.id)

    def delivered(
        self,
        key: NodeKey,
        channel: str,
        buyer: Buyer,
        order: Order,
        shipment: ShipmentRow,
        damaged: tuple[int, int] | None,
    ) -> None:
        """Some of what arrives comes back: damaged goods to be scrapped, others into stock again."""
        node = self.desk.world.nodes[key]
        if damaged is not None and self.desk.chance(0.8):
            reason, fault, part, keep = "damaged in transit", "ours", damaged, Disposition.SCRAP
        elif self.desk.chance(node.habits.returns):
            reason, fault = self.desk.random.choice(_RETURN_REASONS)
            line, quantity = self.desk.random.choice(shipment.lines)
            part, keep = (line, max(1000, quantity // 2000 * 1000)), Disposition.RESTOCK
        else:
            return
        line_id, quantity = part
        item = next(line.item_id for line in order.lines if line.id == line_id)
        if node.plan.kind == "drop_ship":
            keep = Disposition.SCRAP
        request = RequestReturn(
            site=node.id, channel=self.desk.world.channels[channel], customer=buyer.id, reason=reason, fault=fault,
            lines=[ReturnedLine(item=item, quantity=_units(quantity), order_line=line_id, disposition=keep)],
        )  # fmt: skip
        self.agenda.add(self.desk.at(node, self.desk.random.randint(1, 9), 10), "return", key, request)

    def work_off(self, now: datetime) -> None:
        """Everything of this kind that has fallen due, in the order of the process."""
        steps: tuple[tuple[str, Callable[[NodeKey, list[object]], None]], ...] = (
            ("invoice", self._bill), ("unblock", self._unblock), ("correct", self._correct), ("pay", self._receive),
            ("apply", self._apply_by_hand), ("return", self._return), ("authorise", self._authorise),
            ("take back", self._take_back), ("inspect", self._inspect), ("credit", self._credit),
        )  # type: ignore[assignment]  # each step knows the tasks of its own kind  # fmt: skip
        for kind, step in steps:
            for key, tasks in self.agenda.take(kind, now).items():
                if key not in self.desk.ended:
                    step(key, tasks)

    def _bill(self, key: NodeKey, shipments: list[int]) -> None:
        desk, node = self.desk, self.desk.world.nodes[key]
        with desk.work(Actor.system("billing-run"), key[0]) as work:
            drafts = draft_invoices(work, shipments, cells=desk.cells, rules=desk.rules)
            blocked = [invoice for invoice in drafts if invoice.state == InvoiceState.BLOCKED]
            free = [invoice for invoice in drafts if invoice.state == InvoiceState.DRAFT]
            wrong = [invoice for invoice in free if desk.chance(node.habits.amend)]
            right = [invoice.id for invoice in free if invoice not in wrong]
            posted = post_invoices(work, right, cells=desk.cells) if right else []
        for invoice in blocked:
            self.agenda.add(desk.at(node, desk.random.randint(1, 3), 11), "unblock", key, invoice.id)
        if wrong:
            self._amend(key, wrong)
        self._billed(key, posted)

    def _amend(self, key: NodeKey, invoices: Sequence[InvoiceRow]) -> None:
        """Somebody charges another price than the order's before posting."""
        desk = self.desk
        commands = []
        for invoice in invoices:
            line = desk.random.choice(invoice.lines)
            factor = Decimal(desk.random.choice(("0.95", "1.04", "1.10")))
            price = (_price(line.unit_price) * factor).quantize(_CENT)
            commands.append(
                AmendInvoice(
                    invoice=invoice.id, order_line=line.order_line_id, unit_price=price, reason="freight added"
                )
            )
        with desk.work(self._clerk(), key[0], "screen") as work:
            amend_invoices(work, commands)
        with desk.work(desk.staff["finance"], key[0], "screen") as work:
            unblock_invoices(work, [invoice.id for invoice in invoices], "the freight was agreed on the telephone")
        with desk.work(Actor.system("billing-run"), key[0]) as work:
            posted = post_invoices(work, [invoice.id for invoice in invoices], cells=desk.cells)
        self._billed(key, posted)

    def _clerk(self) -> Actor:
        return self.desk.staff[self.desk.random.choice(("billing", "billing.two"))]

    def _unblock(self, key: NodeKey, ids: list[int]) -> None:
        desk = self.desk
        with desk.work(desk.staff["finance"], key[0], "screen") as work:
            rule = rule_to_name(work, desk.world.nodes[key].entity)
            unblock_invoices(work, ids, "looked at: the papers are on file", tax_rule=rule)
        with desk.work(Actor.system("billing-run"), key[0]) as work:
            posted = post_invoices(work, ids, cells=desk.cells)
        self._billed(key, posted)

    def _billed(self, key: NodeKey, invoices: Sequence[InvoiceRow]) -> None:
        desk, node = self.desk, self.desk.world.nodes[key]
        for invoice in invoices:
            buyer = self._buyers.pop(invoice.shipment_id)
            line = desk.random.choice(invoice.lines)
            billed = _Billed(
                invoice.id, invoice.customer_id, invoice.gross_minor, line.order_line_id, line.quantity, line.unit_price
            )
            days = buyer.payment_days + (desk.random.randint(10, 25) if buyer.pays_late else desk.random.randint(-3, 3))
            if invoice.gross_minor > 0:
                self.agenda.add(desk.at(node, max(1, days), 9), "pay", key, billed)
            if line.unit_price > 0 and desk.chance(node.habits.price_credit):
                self.agenda.add(desk.at(node, desk.random.randint(2, 9), 13), "correct", key, billed)

    def _correct(self, key: NodeKey, invoices: list[_Billed]) -> None:
        """Credit part of a price that was too high."""
        desk = self.desk
        commands = [
            CreditInvoice(
                invoice=one.id, order_line=one.line, quantity=_units(one.quantity), reason="price_error", fault="ours",
                unit_price=max(_CENT, (_price(one.unit_price) * Decimal("0.08")).quantize(_CENT)),
            )
            for one in invoices
        ]  # fmt: skip
        with desk.work(self._clerk(), key[0], "screen") as work:
            credit_invoices(work, commands)

    def _receive(self, key: NodeKey, invoices: list[_Billed]) -> None:
        """Money arrives; most of it names its invoice and is applied at once."""
        desk, node = self.desk, self.desk.world.nodes[key]
        stuck: list[ApplyCash] = []
        at_once: list[ApplyCash] = []
        with desk.work(Actor.system("bank"), key[0]) as work:
            numbers = invoice_numbers(work, [one.id for one in invoices])
            receipts = receive_cash(
                work,
                [ReceiveCash(entity=node.entity, customer=one.customer, amount_minor=one.gross, reference=numbers[one.id])
                 for one in invoices],
            )  # fmt: skip
            for receipt, one in zip(receipts, invoices, strict=True):
                command = ApplyCash(receipt=receipt, invoice=one.id, amount_minor=one.gross)
                (stuck if desk.chance(0.06) else at_once).append(command)
            if at_once:
                apply_cash(work, at_once)
        for command in stuck:
            if not (desk.is_late_in_story and desk.chance(node.habits.forgets * 3)):
                self.agenda.add(desk.clock.now() + timedelta(hours=3), "apply", key, command)

    def _apply_by_hand(self, key: NodeKey, commands: list[ApplyCash]) -> None:
        with self.desk.work(self.desk.staff["collections"], key[0], "screen") as work:
            apply_cash(work, commands)

    def _return(self, key: NodeKey, requests: list[RequestReturn]) -> None:
        desk, node = self.desk, self.desk.world.nodes[key]
        with desk.work(desk.staff.at(key[1], "desk.two"), key[0], "screen") as work:
            rows = request_returns(work, requests, rules=desk.rules, cells=desk.cells)
        for row in rows:
            self.agenda.add(desk.at(node, desk.random.randint(0, 1), 11), "authorise", key, row.id)

    def _authorise(self, key: NodeKey, ids: list[int]) -> None:
        desk, node = self.desk, self.desk.world.nodes[key]
        with desk.work(desk.staff.at(key[1], "lead"), key[0], "screen") as work:
            authorise_returns(work, ids)
        for one in ids:
            self.agenda.add(desk.at(node, desk.random.randint(1, 4), 13), "take back", key, one)

    def _take_back(self, key: NodeKey, ids: list[int]) -> None:
        desk, node = self.desk, self.desk.world.nodes[key]
        with desk.work(desk.staff.at(key[1], "warehouse.two"), key[0], "screen") as work:
            receive_returns(work, [ReceiveReturn(id=one) for one in ids], cells=desk.cells)
        for one in ids:
            self.agenda.add(desk.at(node, 1, 9), "inspect", key, one)

    def _inspect(self, key: NodeKey, ids: list[int]) -> None:
        desk, node = self.desk, self.desk.world.nodes[key]
        with desk.work(desk.staff.at(key[1], "warehouse.two"), key[0], "screen") as work:
            inspect_returns(work, [InspectReturn(id=one) for one in ids], cells=desk.cells)
        for one in ids:
            if desk.is_late_in_story and desk.chance(node.habits.forgets * 3):
                continue
            days = node.habits.credit_days + desk.random.randint(0, node.habits.credit_days)
            self.agenda.add(desk.at(node, days, 15), "credit", key, one)

    def _credit(self, key: NodeKey, ids: list[int]) -> None:
        desk = self.desk
        with desk.work(self._clerk(), key[0], "screen") as work:
            credit_returns(work, ids, cells=desk.cells)


def _units(thousandths: int) -> Decimal:
    return Decimal(thousandths).scaleb(-QUANTITY_PLACES)


def _price(millionths: int) -> Decimal:
    return Decimal(millionths).scaleb(-PRICE_PLACES)
