"""Where does each line of an order go, and may goods go there?

Whoever enters an order is asked for nothing that is known: without a choice the customer's usual address is taken. What is
missing stops the release, not the taking; files and back-entries tell of what has left already and are not asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.addresses import addresses_by_id, holds_on, missing_parts, usual_addresses
from erpcore.masterdata.queries import SiteFacts, site_facts
from erpcore.orders.commands import CaptureOrder
from erpcore.orders.documents import Line, Order
from erpcore.orders.models import HoldKind
from erpcore.orders.rules import destinations, is_sent

#: Doors behind which somebody can be asked where goods go.
ASKED = ("screen", "api")
Finding = tuple[HoldKind, str, dict[str, Any]]


def read_addresses(work: UnitOfWork, commands: Sequence[CaptureOrder]) -> None:
    """Read what choosing the addresses of these orders asks, for all of them at once."""
    named = {key for c in commands for key in (c.ship_to, *(line.ship_to for line in c.lines)) if key is not None}
    _known(work, named)
    if work.source in ASKED:
        by_day: dict[date, set[int]] = defaultdict(set)
        for c in commands:
            if c.ship_to is None:
                by_day[local_day(work.now, site_facts(work, c.site).time_zone)].add(c.customer)
        for day, buyers in by_day.items():
            _usual_of(work, buyers, day)


def _known(work: UnitOfWork, ids: Iterable[int]) -> dict[int, Any]:
    """The addresses of these ids, each read once per unit of work."""
    found = _memo(work)
    asked = set(ids)
    if unread := asked - found.keys():
        found.update(addresses_by_id(work, unread))
    return {key: found[key] for key in asked if key in found}


def check_addresses(work: UnitOfWork, command: CaptureOrder, customer: int, day: date) -> dict[int, Any]:
    """The addresses that the command names; raises ``RuleBroken`` for one that is not the customer's or holds no more."""
    named = {"ship_to": command.ship_to, **{f"lines-{n}-ship_to": line.ship_to for n, line in enumerate(command.lines)}}
    known = _known(work, {key for key in named.values() if key is not None})
    for field, key in named.items():
        if key is not None:
            require_address(known.get(key), customer, day, field=field)
    return known


def require_address(address: Any, customer: int, day: date, *, field: str) -> None:
    """Raise unless this address is the customer's and holds on the day."""
    if address is None or address.customer_id != customer:
        raise RuleBroken("address_unknown", field=field, address="–")
    if address.valid_until is not None and address.valid_until <= day:
        raise RuleBroken("address_ended", field=field, address=address.code)


def choose_addresses(work: UnitOfWork, command: CaptureOrder, order: Order, site: SiteFacts) -> None:
    """Give a new order its address and country: as asked, else the customer's usual one where somebody could have been asked."""
    day = local_day(work.now, site.time_zone)
    known = check_addresses(work, command, order.customer_id, day)
    address = known.get(command.ship_to) if command.ship_to is not None else None
    if address is None and work.source in ASKED:
        address = _usual(work, order.customer_id, day)
    if address is not None:
        _memo(work)[address.id] = address
        order.ship_to_id = address.id
        order.ship_country = command.ship_country or address.country


def country_of(work: UnitOfWork, ship_to: int | None, order: Order) -> str:
    """The country that a line goes to: its own address's, else the order's."""
    if ship_to is None:
        return order.ship_country
    return str(_known(work, [ship_to])[ship_to].country)


def countries_of(work: UnitOfWork, ids: Iterable[int | None]) -> dict[int | None, str]:
    """The countries of these addresses, all read at once."""
    return {key: str(one.country) for key, one in _known(work, {key for key in ids if key is not None}).items()}


def address_findings(work: UnitOfWork, orders: Sequence[Order]) -> dict[int, list[Finding]]:
    """What of their addresses stands in the way of releasing these orders, by order."""
    asked = [order for order in orders if order.source in ASKED and any(is_sent(line) for line in order.lines)]
    if not asked:
        return {}
    ids = {key for order in asked for key in destinations(order) if key is not None}
    known = addresses_by_id(work, ids) if ids else {}
    usual: dict[date, dict[int, Any]] = {}
    out = {}
    for order in asked:
        day = local_day(work.now, site_facts(work, order.site_id).time_zone)
        if day not in usual and None in destinations(order):
            usual[day] = usual_addresses(work, {one.customer_id for one in asked}, day)
        there = [
            known.get(key) if key is not None else usual[day].get(order.customer_id)
            for key in sorted(destinations(order), key=str)
        ]
        found = [finding for address in there if (finding := _finding(address, day)) is not None]
        # One hold of a kind says it all.
        out[order.id] = list({finding[0]: finding for finding in found}.values())
    return out


def _finding(address: Any, day: date) -> Finding | None:
    if address is None:
        return HoldKind.ADDRESS, "no address to ship to is known", {"missing": ["address"]}
    if not holds_on(address, day):
        return HoldKind.ADDRESS, "the address does not hold any more", {"address": address.id}
    if lacks := missing_parts(address):
        return HoldKind.ADDRESS, f"the address lacks {' and '.join(lacks)}", {"address": address.id, "missing": lacks}
    if address.needs_export_check:
        return HoldKind.EXPORT, "goods to this address wait for an export check", {"address": address.id}
    return None


def addresses_now(work: UnitOfWork, orders: Iterable[Order]) -> dict[int, Any]:
    """The addresses that these orders name, as they stand now. One read for all of them."""
    named = {line.ship_to_id or order.ship_to_id for order in orders for line in order.lines}
    asked = {key for key in named if key is not None}
    return addresses_by_id(work, asked) if asked else {}


def shipped_to(
    work: UnitOfWork, order: Order, lines: Iterable[Line], now: Mapping[int, Any] | None = None
) -> dict[int, int | None]:
    """The address as it stands now that each of these lines goes to, by line; ``None`` where none is known.

    An order that was asked for its address and has none goes to the customer's usual one: that is what its release looked at.
    ``now``: the addresses of the order, where they are read already.
    """
    chosen = {line.id: line.ship_to_id or order.ship_to_id for line in lines}
    asked = {key for key in chosen.values() if key is not None}
    known: dict[int, Any] = {}
    if asked:
        known = addresses_by_id(work, asked) if now is None else {key: now[key] for key in asked}
    if None in chosen.values() and order.source in ASKED:
        day = local_day(work.now, site_facts(work, order.site_id).time_zone)
        usual = _usual(work, order.customer_id, day)
        if usual is not None:
            known[usual.id] = usual
            chosen = {key: usual.id if address is None else address for key, address in chosen.items()}
    return {key: None if address is None else known[address].id for key, address in chosen.items()}


def _usual(work: UnitOfWork, customer: int, day: date) -> Any:
    """The customer's usual address on a day; ``None`` where there is none."""
    return _usual_of(work, [customer], day)[customer]


def _usual_of(work: UnitOfWork, buyers: Iterable[int], day: date) -> dict[int, Any]:
    """The usual address of each customer on a day, asked once per unit of work."""
    found: dict[tuple[int, date], Any] = work.memo.setdefault("usual ship_to", {})
    asked = set(buyers)
    if unread := {one for one in asked if (one, day) not in found}:
        usual = usual_addresses(work, unread, day)
        found.update({(one, day): usual.get(one) for one in unread})
    return {one: found[one, day] for one in asked}


def _memo(work: UnitOfWork) -> dict[int, Any]:
    found: dict[int, Any] = work.memo.setdefault("ship_to", {})
    return found
