"""Where does each line of an order go, and may goods go there?

Whoever enters an order is asked for nothing that is known: without a choice the customer's usual address is taken. What is
missing stops the release, not the taking; files and back-entries tell of what has left already and are not asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def check_addresses(work: UnitOfWork, command: CaptureOrder, customer: int, day: date) -> dict[int, Any]:
    """The addresses that the command names; raises ``RuleBroken`` for one that is not the customer's or holds no more."""
    named = {"ship_to": command.ship_to, **{f"lines-{n}-ship_to": line.ship_to for n, line in enumerate(command.lines)}}
    asked = {key for key in named.values() if key is not None}
    if not asked:
        return {}
    known = addresses_by_id(work, asked)
    for field, key in named.items():
        if key is not None:
            require_address(known.get(key), customer, day, field=field)
    _memo(work).update(known)
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
        address = usual_addresses(work, [order.customer_id], day).get(order.customer_id)
    if address is not None:
        _memo(work)[address.id] = address
        order.ship_to_id = address.id
        order.ship_country = command.ship_country or address.country


def country_of(work: UnitOfWork, ship_to: int | None, order: Order) -> str:
    """The country that a line goes to: its own address's, else the order's."""
    if ship_to is None:
        return order.ship_country
    found = _memo(work)
    if ship_to not in found:
        found.update(addresses_by_id(work, [ship_to]))
    return str(found[ship_to].country)


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


def shipped_to(work: UnitOfWork, order: Order, lines: Iterable[Line]) -> dict[int, int | None]:
    """The address as it stands now that each of these lines goes to, by line; ``None`` where none is known.

    An order that was asked for its address and has none goes to the customer's usual one: that is what its release looked at.
    """
    chosen = {line.id: line.ship_to_id or order.ship_to_id for line in lines}
    asked = {key for key in chosen.values() if key is not None}
    known = addresses_by_id(work, asked) if asked else {}
    if None in chosen.values() and order.source in ASKED:
        day = local_day(work.now, site_facts(work, order.site_id).time_zone)
        usual = _usual(work, order.customer_id, day)
        if usual is not None:
            known[usual.id] = usual
            chosen = {key: usual.id if address is None else address for key, address in chosen.items()}
    return {key: None if address is None else known[address].id for key, address in chosen.items()}


def _usual(work: UnitOfWork, customer: int, day: date) -> Any:
    """The customer's usual address on a day, asked once for all of their orders in hand."""
    found: dict[tuple[int, date], Any] = work.memo.setdefault("usual ship_to", {})
    if (customer, day) not in found:
        found[customer, day] = usual_addresses(work, [customer], day).get(customer)
    return found[customer, day]


def _memo(work: UnitOfWork) -> dict[int, Any]:
    found: dict[int, Any] = work.memo.setdefault("ship_to", {})
    return found
