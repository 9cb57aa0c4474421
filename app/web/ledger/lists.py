"""How does the list of ledger entries look?"""

from __future__ import annotations

from flask import url_for

from app.composition.request import reader
from app.queries.journal_lines import LINES, LineRow
from app.queries.ledger import ENTRIES, EntryRow, account_label, rules_used
from app.queries.listing import Asked
from app.queries.places import entities_seen
from app.security.permissions import Permission
from app.security.require import actor
from app.web.figures import heading, price
from app.web.ledger.views import blueprint
from app.web.lists.listing import (
    Cell,
    Empty,
    Listing,
    channel_filter,
    column,
    day_filter,
    flag,
    key_filter,
    money,
    pick,
    site_filter,
    text_filter,
)
from app.web.lists.page import list_page


def companies(_: Asked) -> list[tuple[int, str]]:
    """The companies that the person may choose among."""
    return [(one.id, one.label) for one in entities_seen(reader(), actor())]


def _entry(row: EntryRow) -> Cell:
    return Cell(str(row.id), href=url_for("ledger.show_entry", entry_id=row.id))


ENTRY_LIST = list_page(
    blueprint,
    Listing(
        name="ledger-entries", endpoint="ledger.show_entries", path="/ledger/entries", permission=Permission.LEDGER_READ,
        title="Ledger entries", lead="Posted by rules, balanced when written, never changed", unit="entries", source=ENTRIES,
        sort="-day", realms=False, template="ledger/entries.html",
        empty=Empty(title="No entry fits", text="Take a filter away.", sign="file"),
        filters=(
            text_filter("Words of the entry"),
            pick("entity", "Company", companies),
            pick("rule", "Rule", lambda _: [(name, heading(name)) for name in rules_used(reader())]),
            day_filter("day", "Day"), key_filter("account", "Account", lambda key: account_label(reader(), key)),
        ),
        columns=(
            column("id", "Entry", cell=_entry),
            column("day", "Day", "entry_on"),
            column("rule", "Rule", cell=lambda row: Cell(heading(row.rule), sub=row.text or "")),
            column("text", "Text", file_only=True),
            column("document", "Document", lambda row: f"{heading(row.document_type)} {row.document_id}"),
            column("entity", "Company", file_only=True),
            column("site", "Site"),
            money("amount", "Amount", "amount_minor"),
            column("currency", "Currency", file_only=True),
            column("rounding", "Rounding", cell=lambda row: price(row.rounding) if row.rounding else "–", num=True),
        ),
    ),
)  # fmt: skip


def _line(row: LineRow) -> Cell:
    return Cell(str(row.entry_id), sub=row.text or "", href=url_for("ledger.show_entry", entry_id=row.entry_id))


LINE_LIST = list_page(
    blueprint,
    Listing(
        name="ledger-lines", endpoint="ledger.show_lines", path="/ledger/lines", permission=Permission.LEDGER_READ,
        title="Ledger lines", lead="What an account or a figure of a report is made of, one side of an entry a row", unit="lines",
        source=LINES, sort="-day", realms=False, template="ledger/lines.html",
        empty=Empty(title="No line fits", text="Take a filter away.", sign="file"),
        filters=(
            pick("entity", "Company", companies), key_filter("account", "Account", lambda key: account_label(reader(), key)),
            day_filter("since", "First day"), day_filter("until", "Last day"), site_filter(), channel_filter(),
            flag("siteless", "Of no site"), flag("channelless", "Of no channel"),
        ),
        columns=(
            column("entry", "Entry", "entry_id", cell=_line),
            column("day", "Day", "entry_on"),
            column("account", "Account"),
            column("rule", "Rule", cell=lambda row: heading(row.rule)),
            column("document", "Document", lambda row: f"{heading(row.document_type)} {row.document_id}"),
            column("party", "Party"),
            column("entity", "Company", file_only=True),
            column("site", "Site"),
            column("channel", "Channel"),
            money("debit", "Debit", "debit_minor"),
            money("credit", "Credit", "credit_minor"),
            column("currency", "Currency", file_only=True),
            column("text", "Text", file_only=True),
        ),
    ),
)  # fmt: skip
