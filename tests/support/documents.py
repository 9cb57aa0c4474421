"""Every measure once more from the core's documents: plain SQL and plain loops, straight from the formulas.

Nothing here knows an event, a journey or a bucket, and no code of the measures is used.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from tests.support.rows import a_day, an_instant


def _clock_time(value: Any) -> time:
    return value if isinstance(value, time) else time.fromisoformat(value)


@dataclass
class Site:
    zone: ZoneInfo
    opens: time
    closes: time
    calendars: tuple[tuple[date, list[Any], list[str]], ...] = ()
    #: The cut-offs of all carriers by weekday.
    cut_offs: dict[int, list[time]] = field(default_factory=dict)

    def collected(self, since: datetime, day: date) -> datetime:
        """The last collection on the first day from then on when one is still to come; without any, the end of the day."""
        for ahead in range(15):
            then = day + timedelta(days=ahead)
            if self.cut_offs.get(then.weekday()) and self.hours(then) is not None:
                at = datetime.combine(then, max(self.cut_offs[then.weekday()]), self.zone).astimezone(UTC)
                if at >= since:
                    return at
        return self.midnight(day + timedelta(days=1)) - timedelta(microseconds=1)

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, self.zone).astimezone(UTC)

    def hours(self, day: date) -> tuple[time, time] | None:
        """As the last calendar says that has begun, else Monday to Friday."""
        for begins, week, closed in reversed(self.calendars):
            if begins <= day:
                both = None if day.isoformat() in closed else week[day.weekday()]
                return both and (time(both[0] // 60, both[0] % 60), time(both[1] // 60, both[1] % 60))
        return (self.opens, self.closes) if day.weekday() < 5 else None

    def worked(self, since: datetime, until: datetime) -> timedelta:
        """Opening hours between two instants."""
        total, day = timedelta(), self.day(since) - timedelta(days=1)
        while day <= self.day(until):
            hours = self.hours(day)
            if hours is not None:
                last = day if hours[1] > hours[0] else day + timedelta(days=1)
                opens = datetime.combine(day, hours[0], self.zone).astimezone(UTC)
                closes = datetime.combine(last, hours[1], self.zone).astimezone(UTC)
                total += max(timedelta(), min(closes, until) - max(opens, since))
            day += timedelta(days=1)
        return total


#: Where documents of a whole entity stand.
ANYWHERE = Site(ZoneInfo("UTC"), time(0), time(0))


@dataclass
class Line:
    """A line as the customer finally wants it; ``quantity`` is without what the customer cancelled."""

    id: int
    kind: str
    abc: str
    basis: str
    ordered: int
    quantity: int
    dropped: int
    value: int
    requested: date
    requested_ship: date
    promised: date
    early: int
    late: int
    allocated: int
    is_backordered: bool
    is_overridden: bool
    backordered: datetime | None = None
    #: What is still to come and nothing is kept for.
    unmet: int = 0
    shipments: list[tuple[datetime, date, int]] = field(default_factory=list)
    deliveries: list[tuple[datetime, date, int]] = field(default_factory=list)

    @property
    def shipped(self) -> int:
        return sum(quantity for *_, quantity in self.shipments)

    @property
    def to_ship(self) -> int:
        return self.quantity - self.dropped - self.shipped

    def kept(self) -> list[tuple[datetime, date, int]]:
        """What the customer's wish is held against."""
        return self.deliveries if self.basis == "delivery" else self.shipments

    def worth(self, quantity: int) -> int:
        """At order price, to the minor unit, half up."""
        return (2 * self.value * quantity + self.ordered) // (2 * self.ordered)


@dataclass
class Order:
    id: int
    site: int
    state: str
    captured: datetime
    captured_on: date
    start: datetime
    start_on: date
    source: str
    lines: list[Line]
    holds: list[Any] = field(default_factory=list)
    shipments: list[Any] = field(default_factory=list)
    released: datetime | None = None
    short_at: datetime | None = None
    was_blocked: bool = False
    was_damaged: bool = False
    was_delayed: bool = False
    was_wrong: bool = False
    was_changed: bool = False
    is_split: bool = False
    #: (line that was ordered, line sent instead, quantity, reason)
    substitutes: list[tuple[int, int, int, str]] = field(default_factory=list)

    def met(self, line: Line, reason: str | None = None) -> int:
        """The value of a line that other items were shipped for, at the line's price."""
        by_id = {one.id: one for one in self.lines}
        return sum(
            line.worth(min(quantity, by_id[sent].shipped))
            for of, sent, quantity, why in self.substitutes
            if of == line.id and reason in (None, why)
        )

    @property
    def own(self) -> list[Line]:
        """Own-stock lines that the customer still wants."""
        return [line for line in self.lines if line.kind == "stock" and line.quantity > 0]


Sum = tuple[int, int]
Time = tuple[float, bool]


class Documents:
    """The documents of a database, read once."""

    def __init__(self, database: Any) -> None:
        with database.read_engine.connect() as connection:
            self._ask: Callable[[str], list[Any]] = lambda sql: list(connection.execute(text(sql)).all())
            calendars = defaultdict(list)
            for row in self._ask("SELECT site_id, valid_from, week, closed FROM site_calendar ORDER BY number"):
                calendars[row.site_id].append((a_day(row.valid_from), json.loads(row.week), json.loads(row.closed)))
            cut_offs: dict[int, dict[int, list[time]]] = defaultdict(lambda: defaultdict(list))
            for row in self._ask(
                "SELECT t.site_id, t.weekday, t.cut_off FROM carrier_cut_off t JOIN carrier_service s ON s.id = t.service_id "
                "JOIN carrier c ON c.id = s.carrier_id WHERE s.is_active AND c.is_active"
            ):
                cut_offs[row.site_id][row.weekday].append(_clock_time(row.cut_off))
            self.transfers = self._ask("SELECT site_id, state, shipped_at, arrives_on FROM stock_transfer")
            self.arrivals = self._ask(
                "SELECT site_id, MIN(arrived_at) AS arrived_at FROM stock_arrival WHERE put_away < quantity GROUP BY site_id, arrival_id"
            )
            self.sites = {
                row.id: Site(
                    ZoneInfo(row.time_zone),
                    _clock_time(row.opens_at),
                    _clock_time(row.closes_at),
                    tuple(calendars[row.id]),
                    cut_offs[row.live],
                )
                for row in self._ask(
                    "SELECT id, COALESCE(twin_id, id) AS live, time_zone, opens_at, closes_at FROM site"
                )
            }
            self.moves = self._ask(
                "SELECT document_type AS kind, document_id AS document, move, at, reason, facts FROM transition "
                "WHERE document_type IN ('order', 'invoice', 'return') ORDER BY id"
            )
            self._cancelled = self._cancellations()
            self.orders = self._orders()
            self._fulfil()
            self._reserved = {
                row.order_id: an_instant(row.at)
                for row in self._ask(
                    "SELECT l.order_id, MAX(r.reserved_at) AS at FROM reservation r JOIN order_line l ON l.id = r.order_line_id "
                    "WHERE r.consumed + r.freed < r.quantity GROUP BY l.order_id"
                )
            }
            self.invoices = self._invoices()
            self._correct()
            self.returns = self._returns()
            self.stock_moves = self._ask(
                "SELECT id, site_id AS site, item_id AS item, quantity, value_minor AS value, reason, note, document_id AS document, "
                "moved_at, recorded_at FROM stock_move"
            )
            # What changes the worth of goods without moving any: costs that come later, another method of valuing.
            self.worth_more = [
                *self._ask(
                    "SELECT c.site_id AS site, l.item_id AS item, l.stock_minor AS value, c.added_at AS at "
                    "FROM late_cost_line l JOIN late_cost c ON c.id = l.late_cost_id"
                ),
                *self._ask(
                    "SELECT c.site_id AS site, r.item_id AS item, r.value_minor AS value, c.since AS at "
                    "FROM stock_revaluation r JOIN site_costing c ON c.id = r.costing_id"
                ),
            ]
            self.receipts = self._ask(
                "SELECT r.id, r.left_minor AS remaining, r.received_at, e.realm FROM receipt r JOIN entity e ON e.id = r.entity_id"
            )

    def _cancellations(self) -> dict[int, list[int]]:
        """[by the customer, by us] per order line."""
        found: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        for move in self.moves:
            if move.kind == "order" and move.move in ("cancel", "cancel_lines"):
                facts = json.loads(move.facts)
                for line, quantity in facts["lines"].items():
                    found[int(line)][0 if facts["by_customer"] else 1] += quantity
        ids = {(row.order_id, row.line_no): row.id for row in self._ask("SELECT id, order_id, line_no FROM order_line")}
        for move in self.moves:
            if move.kind == "order" and move.move == "amend":
                facts = json.loads(move.facts)
                for change in facts["changes"]:
                    # What the customer wants more or less of is ordered so; what is dropped or what we take back is cancelled.
                    if change["kind"] == "drop" or (change["kind"] == "quantity" and not facts["by_customer"]):
                        less = Decimal(change["before"]["quantity"]) - Decimal(change["after"]["quantity"])
                        line = ids[move.document, change["line"]]
                        found[line][0 if facts["by_customer"] else 1] += int(less * 1000)
        return found

    def _orders(self) -> dict[int, Order]:
        lead = self._ask(
            "SELECT id, site_id AS site, channel_id AS channel, customer_group_id AS customer_group, lead_days, valid_from, valid_until "
            "FROM service_commitment"
        )
        lines: dict[int, list[Any]] = defaultdict(list)
        for row in self._ask("SELECT l.*, i.abc FROM order_line l JOIN item i ON i.id = l.item_id ORDER BY l.id"):
            lines[row.order_id].append(row)
        found = {}
        self.part_of: dict[int, int] = {}
        for row in self._ask("SELECT o.*, c.group_id FROM sales_order o JOIN customer c ON c.id = o.customer_id"):
            site, captured = self.sites[row.site_id], an_instant(row.captured_at)
            day = site.day(captured)
            terms = [
                (one.customer_group is not None, str(one.valid_from), one.id, one.lead_days)
                for one in lead
                if (one.site, one.channel) == (row.site_id, row.channel_id)
                and one.customer_group in (None, row.group_id)
                and a_day(one.valid_from) <= day
                and (one.valid_until is None or day < a_day(one.valid_until))
            ]
            days = timedelta(days=max(terms)[3] if terms else 0)
            starts = [max(captured, site.midnight(a_day(one.requested_ship_on) - days)) for one in lines[row.id]]
            found[row.id] = Order(
                row.id, row.site_id, row.state, captured, day, min(starts), site.day(min(starts)), row.source,
                self._whole_lines(lines[row.id]),
            )  # fmt: skip
            found[row.id].is_split = any(one.id in self.part_of for one in lines[row.id])
        for hold in self._ask("SELECT order_id, due_at, released_at FROM order_hold"):
            found[hold.order_id].holds.append(hold)
        for move in self.moves:
            if move.kind == "order" and move.move == "release":
                found[move.document].released = an_instant(move.at)
            if move.kind == "order" and move.move == "amend":
                found[move.document].was_changed = True
            if move.kind == "order" and move.move == "substitute":
                facts, order = json.loads(move.facts), found[move.document]
                of = self.part_of.get(facts["line"], facts["line"])
                of = next((line for line, sent, *_ in order.substitutes if sent == of), of)
                order.substitutes.append((of, facts["substitute_line"], facts["quantity"], move.reason))
            if move.kind == "order" and move.move == "short_pick":
                found[move.document].short_at = an_instant(move.at)
        return found

    def _whole_lines(self, rows: list[Any]) -> list[Line]:
        """The lines as they were ordered: what we split off for a day of ours or another address is part of its line."""
        by_id = {row.id: row for row in rows}
        whole: dict[int, Line] = {}
        for row in rows:
            line, first = self._line(row), by_id.get(row.split_from_id)
            if first is None or first.requested_on != row.requested_on:
                whole[row.id] = line
                continue
            self.part_of[row.id] = first.id
            own = whole[first.id]
            for name in ("ordered", "quantity", "dropped", "value", "allocated", "unmet"):
                setattr(own, name, getattr(own, name) + getattr(line, name))
            own.is_backordered |= line.is_backordered
            own.backordered = min(filter(None, (own.backordered, line.backordered)), default=None)
        return list(whole.values())

    def _line(self, row: Any) -> Line:
        theirs, ours = self._cancelled[row.id]
        assert theirs + ours == row.cancelled, "every cancelled quantity has its move"
        # What is sent instead of a line fills nothing.
        kind = row.kind if row.replaces_id is None else "substitute"
        return Line(
            row.id, kind, row.abc or "", row.basis, row.quantity, row.quantity - theirs, ours, row.value_minor,
            a_day(row.requested_on), a_day(row.requested_ship_on), a_day(row.first_promised_on), row.early_days, row.late_days,
            row.allocated, row.backordered_at is not None, row.price_source == "override", an_instant(row.backordered_at),
            max(0, row.quantity + row.extra - row.shipped - row.cancelled - row.allocated - row.picked),
        )  # fmt: skip

    def _fulfil(self) -> None:
        lines = {line.id: line for order in self.orders.values() for line in order.lines}
        parts: dict[int, list[Any]] = defaultdict(list)
        for part in self._ask("SELECT shipment_id, order_line_id, quantity, damaged FROM shipment_line"):
            parts[part.shipment_id].append(part)
        self.shipped_parts = {
            key: {part.order_line_id: part.quantity for part in found} for key, found in parts.items()
        }
        rows = self._ask(
            "SELECT id, order_id, site_id, picked_at, confirmed_at, delivered_at, invoice_due_at, invoice_id, state FROM shipment ORDER BY confirmed_at, id"
        )
        self.shipments = {row.id: row for row in rows}
        delayed = {
            row.shipment_id for row in self._ask("SELECT shipment_id FROM shipment_trouble WHERE kind = 'delayed'")
        }
        for row in rows:
            order, site = self.orders[row.order_id], self.sites[row.site_id]
            order.was_delayed |= row.id in delayed
            order.shipments.append(row)
            for part in parts[row.id]:
                order.was_damaged |= part.damaged > 0
                line = lines[self.part_of.get(part.order_line_id, part.order_line_id)]
                for at, moves in ((row.confirmed_at, line.shipments), (row.delivered_at, line.deliveries)):
                    if at is not None:
                        moves.append((an_instant(at), site.day(an_instant(at)), part.quantity))

    def _invoices(self) -> dict[int, Any]:
        blocked = {move.document for move in self.moves if move.kind == "invoice" and move.move == "block"}
        rows = self._ask(
            "SELECT id, order_id, site_id, shipment_id, state, posted_at, gross_minor, is_tax_determined FROM invoice ORDER BY id"
        )
        for row in rows:
            self.orders[row.order_id].was_blocked |= row.id in blocked
        self._invoice_of_line: dict[int, list[Any]] = defaultdict(list)
        known = {row.id: row for row in rows}
        self._billed: dict[int, list[Any]] = defaultdict(list)
        for part in self._ask(
            "SELECT p.invoice_id, p.order_line_id, p.quantity, p.unit_price, l.unit_price AS agreed "
            "FROM invoice_line p JOIN order_line l ON l.id = p.order_line_id ORDER BY p.invoice_id"
        ):
            self._billed[part.invoice_id].append(part)
            self._invoice_of_line[part.order_line_id].append(known[part.invoice_id])
        return known

    def _correct(self) -> None:
        """Which invoices were credited by our fault, undecided included; a returned line's last invoice until then is meant."""
        self.wrong: set[int] = set()
        for row in self._ask(
            "SELECT m.id, m.invoice_id, m.posted_at, l.order_line_id FROM credit_memo m "
            "JOIN credit_memo_line l ON l.credit_memo_id = m.id WHERE m.fault <> 'customer'"
        ):
            invoices = [
                one.id
                for one in self._invoice_of_line[row.order_line_id]
                if one.posted_at is not None and an_instant(one.posted_at) <= an_instant(row.posted_at)
            ]
            target = row.invoice_id or max(invoices, default=None)
            if target:
                self.wrong.add(target)
                self.orders[self.invoices[target].order_id].was_wrong = True

    def _returns(self) -> list[Any]:
        received = {m.document: an_instant(m.at) for m in self.moves if m.kind == "return" and m.move == "receive"}
        credited = {
            row.return_id: an_instant(row.posted_at)
            for row in self._ask("SELECT return_id, posted_at FROM credit_memo")
        }
        return [
            (row, received.get(row.id), credited.get(row.id))
            for row in self._ask("SELECT id, site_id AS site, state, requested_at FROM return_order")
        ]

    # Shares: (numerator, denominator) of a site in [start, end) of its days.

    def share(self, key: str, site: int, start: date, end: date, *, apart: str | None = None) -> Sum:
        """A share; ``apart`` asks for lines of that kind in place of own stock."""
        if key.startswith("invoice_"):
            return self._invoice_share(key, site, start, end)
        orders = [order for order in self.orders.values() if order.site == site]
        if key == "substitute_share":
            weighed = [
                (line.requested_ship, order.met(line), line.worth(line.quantity))
                for order in orders
                for line in order.own
            ]
        elif key in _BY_LINE:
            weighed = [
                _BY_LINE[key](line)
                for order in orders
                for line in order.lines
                if line.kind == (apart or "stock") and line.quantity > 0
            ]
        else:
            weighed = [_BY_ORDER[key](order) for order in orders if order.own or key == "order_exception_rate"]
        due = [(x, y) for day, x, y in weighed if start <= day < end]
        return sum(x for x, _ in due), sum(y for _, y in due)

    def _invoice_share(self, key: str, site: int, start: date, end: date) -> Sum:
        x = y = 0
        for row in self.invoices.values():
            if row.site_id != site or row.posted_at is None:
                continue
            if not start <= self.sites[site].day(an_instant(row.posted_at)) < end:
                continue
            parts = self._billed[row.id]
            if key == "invoice_right_at_posting":
                # A rate that a person named when the invoice was released was not found by the rules.
                good = (
                    row.is_tax_determined
                    and all(part.unit_price == part.agreed for part in parts)
                    and {part.order_line_id: part.quantity for part in parts} == self._shipped_on(row)
                )
            else:
                good = row.id not in self.wrong
            weight = row.gross_minor if key == "invoice_accuracy_value" else 1
            x, y = x + weight * good, y + weight
        return x, y

    def _shipped_on(self, invoice: Any) -> dict[int, int]:
        """What left with the shipments of an invoice, by order line; a periodic one has several."""
        found: dict[int, int] = defaultdict(int)
        for shipment in self.shipments.values():
            if shipment.invoice_id == invoice.id:
                for line, quantity in self.shipped_parts[shipment.id].items():
                    found[line] += quantity
        return dict(found)

    # Times: (seconds, finished) of each document of the cohort.

    def times(self, key: str, site: int, start: date, end: date, now: datetime) -> list[Time]:
        """Finished times, and the ages of what is open, of the documents whose clock began in [start, end)."""
        asked: dict[str, Callable[[int, datetime], list[tuple[date, float, bool]]]] = {
            "order_cycle_time": self._cycles,
            "order_cycle_time.work": self._worked_cycles,
            "billing_cycle_time": self._billing,
            "return_credit_time": self._credits,
        }
        return [(seconds, done) for day, seconds, done in asked[key](site, now) if start <= day < end]

    def _cycles(self, site: int, now: datetime) -> list[tuple[date, float, bool]]:
        return [(day, (end - start).total_seconds(), done) for day, start, end, done in self._ways(site, now)]

    def _worked_cycles(self, site: int, now: datetime) -> list[tuple[date, float, bool]]:
        here = self.sites[site]
        return [(day, here.worked(start, end).total_seconds(), done) for day, start, end, done in self._ways(site, now)]

    def _ways(self, site: int, now: datetime) -> list[tuple[date, datetime, datetime, bool]]:
        """Day, start, end so far, and whether it ended, of every order."""
        found = []
        for order in self.orders.values():
            if order.site != site or not order.own:
                continue
            ends = [at for line in order.own for at, *_ in line.shipments]
            if any(line.to_ship > 0 for line in order.own):
                found.append((order.start_on, order.start, now, False))
            elif ends:
                found.append((order.start_on, order.start, max(order.start, *ends), True))
        return found

    def _billing(self, site: int, now: datetime) -> list[tuple[date, float, bool]]:
        posted = {row.id: an_instant(row.posted_at) for row in self.invoices.values()}
        found, billed = [], set()
        for row in self.shipments.values():
            due = an_instant(row.invoice_due_at)
            # A periodic invoice is one document, whose clock its first shipment began; it is the site's that sold, whoever ships.
            if self.orders[row.order_id].site == site and due is not None and row.invoice_id not in billed:
                billed |= {row.invoice_id} - {None}
                done = posted.get(row.invoice_id)
                found.append((self.sites[site].day(due), ((done or now) - due).total_seconds(), done is not None))
        return found

    def _credits(self, site: int, now: datetime) -> list[tuple[date, float, bool]]:
        return [
            (self.sites[site].day(received), ((credited or now) - received).total_seconds(), credited is not None)
            for row, received, credited in self.returns
            if row.site == site and received is not None
        ]

    # Stock.

    def adjusted(self, site: int, start: date, end: date, reason: str | None = None) -> int:
        """Σ |value| of adjustments and counted differences of known cost, without reversed pairs."""
        undone = {move.document for move in self.stock_moves if move.reason == "reversal"}
        return sum(
            abs(move.value)
            for move in self.stock_moves
            if move.site == site and move.reason in ("adjustment", "count") and move.value is not None
            and move.id not in undone and reason in (None, move.note)
            and start <= self.sites[site].day(an_instant(move.moved_at)) < end
        )  # fmt: skip

    def stock_value(self, site: int, at: datetime) -> int | None:
        """What the site's stock was worth at an instant, at known costs."""
        held: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
        for move in self.stock_moves:
            if move.site == site and an_instant(move.recorded_at) <= at:
                sums = held[move.item]
                sums[0] += move.quantity
                sums[1] += move.value or 0
                sums[2] += move.quantity if move.value is None else 0
        for row in self.worth_more:
            if row.site == site and an_instant(row.at) <= at:
                held[row.item][1] += row.value
        there = [sums for sums in held.values() if sums[0]]
        return sum(sums[1] for sums in there) if any(not sums[2] for sums in there) else None

    # What stands now.

    def backlog(self, site: int, now: datetime) -> list[float]:
        """Ages in seconds of orders past their requested ship day and not fully shipped."""
        here, ages = self.sites[site], []
        for order in self.orders.values():
            late = [line.requested_ship for line in order.own if line.to_ship > 0]
            if order.site == site and late and order.state not in ("closed", "cancelled"):
                since = max(order.captured, here.midnight(min(late) + timedelta(days=1)))
                if now > since:
                    ages.append((now - since).total_seconds())
        return sorted(ages)

    def backorders(self, site: int, now: datetime) -> list[tuple[float, int]]:
        """(seconds since it was first short, value that it lacks) of every line that waits."""
        return sorted(
            ((now - line.backordered).total_seconds(), line.worth(min(line.unmet, line.quantity)))
            for order in self.orders.values()
            if order.site == site and order.state not in ("closed", "cancelled")
            for line in order.lines
            if line.backordered is not None and line.unmet and line.kind != "drop_ship"
        )

    def silent(self, site: int, now: datetime) -> dict[str, int]:
        """Documents beyond the limit of their control point, in working hours of the site."""
        here = self.sites[site]
        found: dict[str, int] = defaultdict(int)

        def count(point: str, since: datetime | None, hours: int) -> None:
            found[point] += since is not None and here.worked(since, now) > timedelta(hours=hours)

        for order in self.orders.values():
            if order.site == site and order.state not in ("closed", "cancelled"):
                self._silent_order(order, here, now, count, found)
        posted = {row.id for row in self.invoices.values() if row.posted_at is not None}
        for row in self.shipments.values():
            if self.orders[row.order_id].site == site and row.invoice_id not in posted:
                count("invoice generation", an_instant(row.invoice_due_at), 8)
        for row, received, credited in self.returns:
            if row.site == site:
                # One outside of its policy waits for others to agree: nobody has authorised it.
                if row.state in ("requested", "waiting"):
                    count("return authorisation", an_instant(row.requested_at), 16)
                if received is not None and credited is None:
                    count("credit memo", received, 16)
        for since in self._to_receive(site):
            count("goods receipt", since, 8)
        return {point: number for point, number in found.items() if number}

    def _to_receive(self, site: int) -> Iterator[datetime]:
        """Since when each transfer should be here, and each arrival waits to be put away."""
        for row in self.transfers:
            if row.site_id == site and row.state == "shipped":
                over = self.sites[site].midnight(a_day(row.arrives_on) + timedelta(days=1))
                yield max(an_instant(row.shipped_at), over)
        yield from (an_instant(row.arrived_at) for row in self.arrivals if row.site_id == site)

    def _silent_order(self, order: Order, here: Site, now: datetime, count: Any, found: dict[str, int]) -> None:
        ended = [an_instant(hold.released_at) for hold in order.holds if hold.released_at is not None]
        if order.state == "held":
            due = max(an_instant(hold.due_at) for hold in order.holds if hold.released_at is None)
            found["order release"] += now > due
        elif order.state == "captured":
            count("order release", max([order.captured, *ended]), 4)
        own = [line for line in order.lines if line.kind in ("stock", "free")]
        if order.state == "released" and order.released is not None:
            waiting = [
                line for line in own if line.to_ship - line.allocated - self._picked(order, line) > 0
                and not line.is_backordered
            ]  # fmt: skip
            if waiting:
                due = here.midnight(min(line.requested_ship for line in waiting))
                count("allocation", max(order.released, due, order.short_at or due), 1)
            picking = [line.requested_ship for line in own if line.allocated > 0]
            if picking:
                since = self._reserved[order.id]
                found["picking"] += now > here.collected(since, max(min(picking), here.day(since)))
        picked = [an_instant(row.picked_at) for row in order.shipments if row.state == "picked"]
        if picked:
            count("shipment confirmation", min(picked), 4)

    def _picked(self, order: Order, line: Line) -> int:
        return sum(self.shipped_parts[row.id].get(line.id, 0) for row in order.shipments if row.state == "picked")

    def waiting_receipts(self, realm: str, now: datetime) -> int:
        """Receipts with something not applied for more than eight hours, weekends left out."""
        limit = timedelta(hours=8)
        return sum(
            ANYWHERE.worked(an_instant(row.received_at), now) > limit
            for row in self.receipts
            if row.realm == realm and row.remaining > 0
        )


def _complete(line: Line) -> bool:
    return sum(quantity for *_, quantity in line.kept()) >= line.quantity


def _in_window(line: Line) -> Callable[[date], bool]:
    low, high = line.requested - timedelta(days=line.early), line.requested + timedelta(days=line.late)
    return lambda day: low <= day <= high


def _filled(line: Line) -> tuple[date, int, int]:
    first = line.shipments[0][2] if line.shipments else 0
    return line.requested_ship, int(first >= line.quantity), 1


def _filled_value(line: Line) -> tuple[date, int, int]:
    first = line.shipments[0][2] if line.shipments else 0
    return line.requested_ship, line.worth(min(first, line.quantity)), line.worth(line.quantity)


def _on_time_in_full(line: Line) -> tuple[date, int, int]:
    fits = _in_window(line)
    return line.requested, int(sum(q for _, day, q in line.kept() if fits(day)) >= line.quantity), 1


def _promise_kept(line: Line) -> tuple[date, int, int]:
    return line.promised, int(sum(q for _, day, q in line.kept() if day <= line.promised) >= line.quantity), 1


def _perfect(*parts: str) -> Callable[[Order], tuple[date, int, int]]:
    def judge(order: Order) -> tuple[date, int, int]:
        met = {
            "complete": all(_complete(line) for line in order.own),
            "on_time": all(
                line.kept() and all(_in_window(line)(day) for _, day, _ in line.kept()) for line in order.own
            ),
            "undamaged": not order.was_damaged,
            "documents": not order.was_wrong,
        }
        return max(line.requested for line in order.own), int(all(met[part] for part in parts)), 1

    return judge


def _touchless(order: Order) -> tuple[date, int, int]:
    gone = all(line.shipped >= line.quantity for line in order.own)
    untouched = not order.holds and order.source != "back-entry" and not any(line.is_overridden for line in order.lines)
    untouched = untouched and not order.was_changed
    return max(line.requested_ship for line in order.own), int(gone and untouched), 1


def _excepted(order: Order) -> tuple[date, int, int]:
    confirmed = sum(row.confirmed_at is not None for row in order.shipments)
    was_short = order.short_at is not None or any(line.is_backordered for line in order.lines)
    met = bool(order.holds) or order.was_blocked or was_short or confirmed > 1 or order.is_split
    met |= order.was_damaged or order.was_delayed
    return order.captured_on, int(met), 1


_BY_LINE: dict[str, Callable[[Line], tuple[date, int, int]]] = {
    "fill_rate_lines": _filled,
    "fill_rate_value": _filled_value,
    "otif_lines": _on_time_in_full,
    "promise_accuracy": _promise_kept,
}
_BY_ORDER: dict[str, Callable[[Order], tuple[date, int, int]]] = {
    "perfect_order_rate": _perfect("complete", "on_time", "undamaged", "documents"),
    **{f"perfect_order_{part}": _perfect(part) for part in ("complete", "on_time", "undamaged", "documents")},
    "touchless_rate": _touchless,
    "order_exception_rate": _excepted,
}
SHARES = (
    *_BY_LINE, *_BY_ORDER, "substitute_share", "invoice_right_at_posting", "invoice_accuracy", "invoice_accuracy_value",
)  # fmt: skip
TIMES = ("order_cycle_time", "order_cycle_time.work", "billing_cycle_time", "return_credit_time")


def percentile(times: list[Time], share: float) -> tuple[float, bool] | None:
    """Kaplan–Meier: the shortest time by which at least ``share`` is done; else the oldest age, and that it was not reached."""
    if not times:
        return None
    left, survival = len(times), 1.0
    for seconds in sorted({seconds for seconds, _ in times}):
        done = sum(1 for other, finished in times if other == seconds and finished)
        if done:
            survival *= (left - done) / left
            if survival <= 1 - share + 1e-12:
                return seconds, True
        left -= sum(1 for other, _ in times if other == seconds)
    return max(seconds for seconds, finished in times if not finished), False
