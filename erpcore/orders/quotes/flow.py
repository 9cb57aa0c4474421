"""The life of a quote as a table."""

from __future__ import annotations

from erpcore.kernel.flow import Flow, Move
from erpcore.orders.quotes.models import QuoteState as S

WRITE = "orders:quote:write"

QUOTE = Flow(
    "quote",
    S,
    S.DRAFT,
    (
        Move(name="change", sources=(S.DRAFT,), target=S.DRAFT, permission=WRITE),
        Move(name="send", sources=(S.DRAFT,), target=S.SENT, permission=WRITE, event="quote.issued"),
        Move(name="ask", sources=(S.DRAFT,), target=S.WAITING, permission=WRITE),
        Move(name="approve", sources=(S.WAITING,), target=S.SENT, permission="orders:price:approve_desk", event="quote.issued"),
        Move(name="give_back", sources=(S.WAITING,), target=S.DRAFT, permission="orders:price:approve_desk", reason_required=True),
        Move(name="accept", sources=(S.SENT,), target=S.ACCEPTED, permission="orders:order:capture", event="quote.accepted"),
        Move(name="decline", sources=(S.DRAFT, S.WAITING, S.SENT), target=S.DECLINED, permission=WRITE, reason_required=True,
             event="quote.declined"),
        Move(name="expire", sources=(S.SENT,), target=S.EXPIRED, permission=WRITE, event="quote.expired"),
        Move(name="supersede", sources=(S.DRAFT, S.WAITING, S.SENT), target=S.SUPERSEDED, permission=WRITE),
    ),
)  # fmt: skip

#: From these another revision may be written.
REVISABLE = (S.SENT, S.DECLINED, S.EXPIRED)
