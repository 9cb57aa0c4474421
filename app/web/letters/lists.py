"""How does the list of letters look?"""

from __future__ import annotations

from typing import Any

from flask import url_for

from app.composition.letter_texts import Event
from app.composition.letters import Way
from app.queries.letters import LETTERS, STATES, LetterRow
from app.security.permissions import Permission
from app.web.figures import heading
from app.web.letters.views import blueprint, unsent
from app.web.lists.listing import Cell, Empty, Listing, choice, column, key_filter, pick, site_filter, text_filter
from app.web.lists.page import list_page

_LOOKS = {"sent": "pass", "waiting": "wait", "parked": "fail", "skipped": "none"}


def _subject(row: LetterRow) -> Cell:
    return Cell(row.subject, sub=heading(row.event), href=url_for("letters.show", letter_id=row.id))


def _state(row: LetterRow) -> Cell:
    tries = f"tried {row.attempts} times" if row.attempts > 1 and row.state != "sent" else ""
    return Cell(heading(row.state), sub="into the folder" if row.way == Way.FOLDER else tries, kind=_LOOKS[row.state])


def _also() -> dict[str, Any]:
    return {"unsent": unsent()}


LETTER_LIST = list_page(
    blueprint,
    Listing(
        name="letters", endpoint="letters.show_all", path="/letters", permission=Permission.LETTER_READ, title="Letters",
        lead="What customers were told, by which text, and what waits to be sent", unit="letters", source=LETTERS, sort="-made",
        realms=False, template="letters/list.html", also=_also,
        empty=Empty(
            title="No letter fits", sign="file",
            text="A letter is made when something happens to an order whose customer has an address.",
        ),
        filters=(
            choice("state", STATES), text_filter("Order, customer, address or subject"), site_filter(),
            pick("event", "About", lambda _: [(one.value, heading(one.value)) for one in Event]), key_filter("order", "One order"),
        ),
        columns=(
            column("subject", "Letter", cell=_subject),
            column("event", "About", file_only=True),
            column("state", "State", cell=_state),
            column("order", "Order", cell=lambda row: Cell(row.order, href=url_for("orders.show", order_id=row.order_id))),
            column("customer", "Customer", cell=lambda row: Cell(row.customer, sub=row.to_address)),
            column("to", "Address", "to_address", file_only=True),
            column("site", "Site"),
            column("made", "Made", "made_at"),
            column("sent", "Sent", "sent_at"),
            column("way", "By", file_only=True),
            column("text", "Text", lambda row: f"{row.language}, {f'version {row.template_version}' if row.template_version else 'own text'}"),
            column("error", "Last error", "last_error", file_only=True),
        ),
    ),
)  # fmt: skip
