"""The ledger: trial balance, entries, one entry."""

from __future__ import annotations

from flask import render_template

from app.composition.request import reader
from app.queries.ledger import entry_page, trial_balance
from app.queries.places import entities_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key
from app.web.navigation import Entry, Group, navigation_entry
from erpcore.kernel.errors import NotFound

blueprint = area("ledger")
navigation_entry(
    Entry(
        label="Ledger", endpoint="ledger.show_balance", permission=Permission.LEDGER_READ, group=Group.MONEY, order=50
    )
)


@blueprint.get("/ledger")
@require(Permission.LEDGER_READ)
def show_balance() -> str:
    entities = entities_seen(reader(), actor())
    wanted = asked_key("entity")
    entity = next((one for one in entities if one.id == wanted), None)
    if wanted is not None and entity is None:
        raise NotFound("not_found")
    entity = entity or (entities[0] if entities else None)
    balance = trial_balance(reader(), actor(), entity.id) if entity else None
    return render_template(
        "ledger/balance.html", entities=entities, entity=entity, balance=balance, is_part=actor().sites is not None,
        realm=entity.realm if entity else "live",
    )  # fmt: skip


@blueprint.get("/ledger/entries/<int:entry_id>")
@require(Permission.LEDGER_READ)
def show_entry(entry_id: int) -> str:
    page = entry_page(reader(), actor(), entry_id)
    return render_template("ledger/entry.html", page=page, row=page.row, realm=page.row.realm)
