"""The ledger: trial balance, entries, one entry."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import render_template, request, url_for

from app.composition.request import reader
from app.queries.ledger import LedgerFilter, entry_page, list_entries, rules_used, trial_balance
from app.queries.orders import PAGE
from app.queries.places import entities_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import area, asked_key, asked_page
from app.web.chosen import viewer
from app.web.navigation import Entry, Group, navigation_entry
from erpcore.kernel.errors import NotFound

blueprint = area("ledger")
navigation_entry(
    Entry(
        label="Ledger", endpoint="ledger.show_balance", permission=Permission.LEDGER_READ, group=Group.OPERATE, order=50
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


@blueprint.get("/ledger/entries")
@require(Permission.LEDGER_READ)
def show_entries() -> str:
    entities = entities_seen(reader(), actor())
    wanted = LedgerFilter(
        entity=asked_key("entity"), account=asked_key("account"), day=_day(request.args.get("day", "")),
        rule=request.args.get("rule", "")[:32], page=asked_page(),
    )  # fmt: skip
    rows, total = list_entries(reader(), viewer(), wanted)
    realm = next((one.realm for one in entities if one.id == wanted.entity), "live")
    return render_template(
        "ledger/entries.html", rows=rows, total=total, asked=wanted, entities=entities, rules=rules_used(reader()),
        pages=max(1, -(-total // PAGE)), address=_address, realm=realm,
    )  # fmt: skip


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _address(asked: LedgerFilter, page: int) -> str:
    values: dict[str, Any] = {
        "entity": asked.entity, "account": asked.account, "rule": asked.rule or None,
        "day": asked.day.isoformat() if asked.day else None, "page": page if page > 1 else None,
    }  # fmt: skip
    return url_for("ledger.show_entries", **{name: value for name, value in values.items() if value is not None})


@blueprint.get("/ledger/entries/<int:entry_id>")
@require(Permission.LEDGER_READ)
def show_entry(entry_id: int) -> str:
    page = entry_page(reader(), actor(), entry_id)
    return render_template("ledger/entry.html", page=page, row=page.row, realm=page.row.realm)
