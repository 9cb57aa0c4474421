"""Builders: a quote in any state, by the people who write and approve quotes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from erpcore.kernel.actor import Actor
from erpcore.orders.quotes.accepting import AcceptQuote, accept_quotes
from erpcore.orders.quotes.services import NewQuote, Terms, enter_quotes, send_quotes
from erpcore.orders.services import NewLine
from tests.support.core import OPEN, RULES

WRITER = Actor(
    id=41, role="customer_service",
    permissions=frozenset({"orders:quote:write", "orders:order:capture", "orders:price:override"}),
)  # fmt: skip
#: Ten days after the Monday on which the tests' business begins.
UNTIL = date(2026, 3, 12)


def terms(business, lines=((0, 10),), *, until=UNTIL, **more):
    """What is offered: (item position, quantity) lines, or lines as they are."""
    made = [
        one if isinstance(one, NewLine) else NewLine(item=business.items[one[0]], quantity=Decimal(one[1]))
        for one in lines
    ]
    return Terms(lines=made, valid_until=until, **more)


def entered(business, lines=((0, 10),), *, by=WRITER, **more):
    """A draft."""
    command = NewQuote(
        site=business.site, channel=business.channel, customer=business.customer, terms=terms(business, lines, **more)
    )
    with business.work(by, source="screen") as work:
        return enter_quotes(work, [command], rules=RULES, cells=OPEN)[0]


def sent(business, lines=((0, 10),), *, by=WRITER, **more):
    """A quote that was sent, or waits for the approval of its prices."""
    quote = entered(business, lines, by=by, **more)
    with business.work(by, source="screen") as work:
        return send_quotes(work, [quote.id], rules=RULES)[0]


def accept(business, quote, *, by=WRITER, **more):
    """The order that comes of the quote."""
    with business.work(by, source="screen") as work:
        return accept_quotes(work, [AcceptQuote(quote=quote.id, **more)], rules=RULES, cells=OPEN)[0]
