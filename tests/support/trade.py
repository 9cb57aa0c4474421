"""Random trading for the projection's tests: orders that go well and badly, returns, receipts, adjustments, by a seed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from erpcore import published as p
from erpcore.published.sites import SiteCalendarSet
from erpcore.published.sourcing import OrderSubstituted
from erpcore.published.stock import StockTransferReceived, StockTransferShipped
from tests.support.events import HERE, JOB, MONDAY, PERSON, AnOrder, Said, a_line, elsewhere, interleaved

SITES = (
    HERE,
    elsewhere(site=12, channel=22, customer_group=None),
    elsewhere(site=12, variants="7,9", ruleset="b" * 64),
)


#: Monday to Friday, eight to five.
WORKDAYS = ((480, 1020),) * 5 + (None,) * 2


def some_trade(random: Random, journeys: int) -> list[Said]:
    """Events of so many journeys, mixed; ids are a hundred apart."""
    made = [_journey(random, 10_000 + 100 * number) for number in range(journeys)]
    return interleaved(made, random)


def some_calendars(random: Random) -> list[Said]:
    """Calendars of both sites from before the trading; some weeks in, each gets another that holds from some day on."""
    first = [a_calendar(site, MONDAY.date() - timedelta(days=90), WORKDAYS, 0) for site in (11, 12)]
    night = ((1320, 360),) * 5 + ((540, 780), None)
    closed = [MONDAY.date() + timedelta(days=random.randrange(25)) for _ in range(3)]
    later = [
        a_calendar(site, MONDAY.date() + timedelta(days=random.randrange(25)), night, random.randrange(1, 20), closed)
        for site in (11, 12)
    ]
    return [*first, *later]


def a_calendar(
    site: int,
    begins: date,
    week: Sequence[tuple[int, int] | None] = WORKDAYS,
    day: int = 0,
    closed: Sequence[date] = (),
) -> Said:
    """The hours of a site in Berlin from a day on, told so many days into the trading."""
    event = SiteCalendarSet(valid_from=begins, time_zone="Europe/Berlin", week=list(week), closed=list(closed))
    return Said(
        event=event, step="master_data.site", subject=("site", site), journey=site, at=MONDAY + timedelta(days=day),
        place=elsewhere(site=site, channel=None, customer_group=None),
    )  # fmt: skip


def with_calendars(random: Random, said: list[Said]) -> list[Said]:
    """The first calendars before all trading, the later ones somewhere in it."""
    calendars = some_calendars(random)
    out = list(said)
    for one in calendars[2:]:
        out.insert(random.randrange(len(out) + 1), one)
    return [*calendars[:2], *out]


def _journey(random: Random, identity: int) -> list[Said]:
    kind = random.choices((_order, _return, _receipt, _adjustment, _transfer), (12, 2, 2, 2, 1))[0]
    return kind(random, identity)


def _order(random: Random, identity: int) -> list[Said]:
    at = MONDAY + timedelta(days=random.randrange(20), hours=random.randrange(8), microseconds=random.randrange(1000))
    kinds = random.choices(
        ("stock", "drop_ship", "free", "service", "charge"), (20, 2, 1, 1, 1), k=random.randint(1, 4)
    )
    lines = []
    for number, kind in enumerate(kinds, 1):
        quantity = random.choice((1_000, 3_000, 7_500))
        wished = (at + timedelta(days=random.randrange(4))).date()
        lines.append(
            a_line(
                number, day=wished, kind=kind, quantity=quantity, abc=random.choice(("A", "B", None)),
                value=0 if kind == "free" else random.choice((40, 999, 123_456)), early=random.randrange(2),
                late=random.randrange(2), basis=random.choice(("ship", "ship", "delivery")),
            )
        )  # fmt: skip
    start = random.choice((None, at + timedelta(hours=15)))
    order = AnOrder(id=identity, lines=lines, at=at, place=random.choice(SITES), start=start)
    order.captured()
    if random.random() < 0.05:
        return order.say(p.OrderRejected(reason="blocked"), "order_to_cash.validate").said
    if random.random() < 0.15:
        hold = p.OrderHeld(hold=identity + 50, kind="credit", due=order.at + timedelta(hours=2))
        order.say(hold, "order_to_cash.release")
        if random.random() < 0.8:
            order.say(p.OrderHoldReleased(hold=identity + 50, kind="credit", cured=False), "order_to_cash.release")
    order.promised(random.choice((None, (at + timedelta(days=random.randrange(5))).date())))
    _troubles(random, order, identity)
    if random.random() < 0.1:
        return order.said
    order.released()
    given = _part(random, order, 0.7)
    order.allocated(given)
    lacking = [
        p.LineQuantity(line=line.line, quantity=line.quantity - part.quantity)
        for line, part in zip(order.lines, given, strict=True)
        if part.quantity < line.quantity
    ]
    if lacking:
        order.say(
            p.OrderBackordered(lines=lacking),
            "order_to_cash.allocate",
            at=order.at + timedelta(days=random.randrange(9)),
        )
        if random.random() < 0.4:
            order.allocated(lacking)
    elif random.random() < 0.1:
        order.say(p.OrderBackordered(lines=_part(random, order, 0.5)), "order_to_cash.allocate")
    if random.random() < 0.2:
        _substitution(random, order, identity - 50)
    for number in range(random.choice((0, 1, 1, 1, 2))):
        _shipment(random, order, identity + 20 + 2 * number, identity + 21 + 2 * number)
    _afterwards(random, order, identity)
    return order.said


def _troubles(random: Random, order: AnOrder, identity: int) -> None:
    if random.random() < 0.1:
        line = order.lines[0]
        by_customer = random.random() < 0.6
        later = a_line(
            line.line, day=line.requested + timedelta(days=2), kind=line.kind, quantity=line.quantity + 500,
            value=line.value + 10, abc=line.abc, basis=line.basis,
        )  # fmt: skip
        event = p.OrderAmended(by_customer=by_customer, reason="wish", lines=[later])
        order.say(event, "order_to_cash.capture", actor=random.choice((PERSON, JOB)))
        if random.random() < 0.7:
            day = later.requested + timedelta(days=random.randrange(2))
            again = [p.LinePromise(line=line.line, day=day, basis=line.basis, reason="stock")]
            order.say(p.OrderRepromised(lines=again), "order_to_cash.promise")
    if random.random() < 0.1:
        event = p.OrderCancelled(by_customer=random.random() < 0.5, reason="wish", lines=_part(random, order, 0.6))
        order.say(event, "order_to_cash.capture")
    if random.random() < 0.08:
        event = p.OrderPriceOverridden(line=1, old=1, new=2, reason="match")
        order.say(event, "order_to_cash.capture", actor=PERSON)


def _shipment(random: Random, order: AnOrder, shipment: int, invoice: int) -> None:
    order.at += timedelta(hours=random.choice((0, 0, 20, 50)))
    part = _part(random, order, 0.85)
    order.picked(shipment, part)
    if random.random() < 0.1:
        event = p.ShipmentShortPicked(reason="bin empty", lines=part[:1])
        order.say(event, "order_to_cash.pick", subject=("shipment", shipment))
    # Now and then reported late, by somebody who says when it was.
    at = order.at - timedelta(hours=9) if random.random() < 0.1 else None
    order.shipped(shipment, part, must_post=random.random() < 0.5, at=at)
    if random.random() < 0.8:
        order.posted(shipment, "shipment")
    if random.random() < 0.7:
        order.delivered(shipment, part, at=order.at + timedelta(hours=random.choice((1, 30))))
    for chance, event in (
        (0.05, p.ShipmentDamaged(reason="wet", lines=part[:1])),
        (0.05, p.ShipmentDelayed(reason="carrier")),
    ):
        if random.random() < chance:
            order.say(event, "order_to_cash.deliver", subject=("shipment", shipment))
    if random.random() < 0.9:
        order.triggered(invoice, policy=random.choice(("shipment_confirmed", "delivered")))
        if random.random() < 0.1:
            event = p.InvoiceBlocked(reason="tax")
            order.say(
                p.InvoiceDrafted(shipment=invoice - 1, net=1), "order_to_cash.invoice", subject=("invoice", invoice)
            )
            order.say(event, "order_to_cash.invoice", subject=("invoice", invoice))
        if random.random() < 0.9:
            order.invoiced(invoice, gross=random.choice((0, 70, 11_900, 5_000_000)), right=random.random() < 0.9)
            if random.random() < 0.7:
                order.posted(invoice, "invoice")


def _afterwards(random: Random, order: AnOrder, identity: int) -> None:
    posted = [said.subject[1] for said in order.said if isinstance(said.event, p.InvoicePosted)]
    if posted and random.random() < 0.2:
        order.corrected(posted[0], random.choice(("ours", "customer", "undecided")), at=order.at + timedelta(days=6))
    if posted and random.random() < 0.4:
        order.say(p.InvoiceSettled(), "order_to_cash.cash", subject=("invoice", posted[0]))
    if random.random() < 0.4:
        order.closed()


def _substitution(random: Random, order: AnOrder, shipment: int) -> None:
    """Another item goes out instead of some of the first line, now and then replaced by a third; some of it waits."""
    line = order.lines[0]
    of, quantity, value = line.line, line.quantity, line.value
    for sent in (90, 91):
        part = random.choice((quantity, quantity // 2))
        quantity, value = part, value * part // quantity
        event = OrderSubstituted(
            line=of, item=line.item, quantity=quantity, value=value, substitute_line=sent, substitute=700 + sent,
            substitute_value=value, reason=random.choice(("none left", "withdrawn")),
        )  # fmt: skip
        order.say(event, "order_to_cash.allocate", actor=random.choice((PERSON, JOB)))
        gone = [p.LineQuantity(line=of, quantity=quantity)]
        order.say(p.OrderCancelled(by_customer=False, reason="substituted", lines=gone), "order_to_cash.allocate")
        of = sent
        if random.random() < 0.3:
            waits = [p.LineQuantity(line=sent, quantity=quantity)]
            order.say(p.OrderBackordered(lines=waits), "order_to_cash.allocate")
        if random.random() < 0.8:
            shipped = [p.LineQuantity(line=sent, quantity=random.choice((quantity, quantity // 2)))]
            order.picked(shipment + sent, shipped).shipped(shipment + sent, shipped)
        if random.random() < 0.6:
            break


def _part(random: Random, order: AnOrder, chance_of_all: float) -> list[p.LineQuantity]:
    if random.random() < chance_of_all:
        return order.all_of()
    return [p.LineQuantity(line=line.line, quantity=line.quantity // 2) for line in order.lines]


def _return(random: Random, identity: int) -> list[Said]:
    at = MONDAY + timedelta(days=random.randrange(20), hours=random.randrange(9))
    back = AnOrder(id=identity, at=at)
    subject = ("return", identity)
    back.say(p.ReturnRequested(reason="too big", value=500), "returns_to_credit.request", subject=subject, actor=PERSON)
    if random.random() < 0.1:
        return back.say(p.ReturnDeclined(reason="late"), "returns_to_credit.authorise", subject=subject).said
    if random.random() < 0.9:
        back.say(p.ReturnAuthorised(), "returns_to_credit.authorise", subject=subject)
    if random.random() < 0.9:
        back.at += timedelta(hours=random.randrange(60))
        back.say(p.ReturnReceived(value=500), "returns_to_credit.receive", subject=subject)
        if random.random() < 0.8:
            back.at += timedelta(hours=random.randrange(90))
            memo = p.CreditMemoPosted(
                net=500, tax=0, gross=500, reason="return", fault="customer", return_=identity
            )  # fmt: skip
            back.say(memo, "returns_to_credit.credit", subject=("credit_memo", identity + 1))
            back.say(p.ReturnCredited(credit_memo=identity + 1), "returns_to_credit.credit", subject=subject)
    return back.said


def _receipt(random: Random, identity: int) -> list[Said]:
    money = AnOrder(
        id=identity, at=MONDAY + timedelta(days=random.randrange(20)), place=elsewhere(site=None, channel=None)
    )
    subject = ("receipt", identity)
    money.say(p.CashReceived(amount=900), "order_to_cash.cash", subject=subject)
    if random.random() < 0.8:
        money.posted(identity, "receipt")
    if random.random() < 0.7:
        amount = random.choice((900, 400))
        event = p.CashApplied(invoice=1, amount=amount, left=900 - amount, by_person=False)
        money.say(event, "order_to_cash.cash", subject=subject)
    return money.said


def _adjustment(random: Random, identity: int) -> list[Said]:
    at = MONDAY + timedelta(days=random.randrange(20))
    move = AnOrder(id=identity, at=at, place=elsewhere(channel=None, customer_group=None))
    value = random.choice((None, -700, 1_200, 90_000))
    reason = random.choice(("damage", "found"))
    subject = ("stock_move", identity)
    move.say(p.StockAdjusted(item=1, quantity=-1_000, reason=reason, value=value), "warehouse.adjust", subject=subject)
    if random.random() < 0.3:
        event = p.StockAdjustmentReversed(of=identity, item=1, quantity=1_000, reason="typing", value=value)
        move.say(event, "warehouse.adjust", subject=("stock_move", identity + 1), journey=identity)
    return move.said


def _transfer(random: Random, identity: int) -> list[Said]:
    """Goods on their way from the first site to the second, received in parts, found lost, or forgotten."""
    at = MONDAY + timedelta(days=random.randrange(20), hours=random.randrange(9))
    sent = AnOrder(id=identity, at=at, place=elsewhere(channel=None, customer_group=None))
    subject = ("transfer", identity)
    arrives = (at + timedelta(days=random.randrange(1, 4))).date()
    shipped = StockTransferShipped(to_site=12, arrives_on=arrives, lines=2, value=random.choice((None, 700, 90_000)))
    sent.say(shipped, "warehouse.transfer", subject=subject)
    there = AnOrder(
        id=identity, at=at + timedelta(hours=40), place=elsewhere(site=12, channel=None, customer_group=None)
    )
    for settled, lost in random.choice(
        (((False, 0), (True, 0)), ((True, 0),), ((False, 0), (True, 500)), ((False, 0),), ())
    ):
        event = StockTransferReceived(from_site=11, settled=settled, lost=lost)
        there.say(event, "warehouse.transfer", subject=subject)
    return [*sent.said, *there.said]
