"""Accruals of a period's end: what is due, what stands in the books, the run that posts the difference, its lines, and the cut-off test."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import render_template, request, url_for

from app.composition.request import now, reader
from app.composition.terms import late_rulesets
from app.queries.accruals import ACCRUALS, KINDS, LineRow, end_page, runs_of
from app.queries.cut_off import cut_off_page
from app.queries.places import EntityPick, all_channels, entities_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key
from app.web.ledger.lists import companies
from app.web.ledger.periods import entity_asked
from app.web.ledger.views import blueprint
from app.web.lists.listing import (
    Cell,
    Empty,
    Listing,
    channel_filter,
    column,
    key_filter,
    money,
    pick,
    site_filter,
    text_filter,
)
from app.web.lists.page import list_page
from app.web.steps import take_step
from erpcore.billing.accruals.cutoff import AROUND
from erpcore.billing.accruals.services import RunAccruals, run_accruals
from erpcore.kernel.clock import local_day, out_of_time
from erpcore.kernel.errors import NotFound


def until_asked(entity: EntityPick) -> date:
    """The first day after the period that is asked for; without one, the first of this month."""
    try:
        found = date.fromisoformat(request.values.get("until", ""))
    except ValueError:
        found = date.min
    return local_day(now(), entity.time_zone).replace(day=1) if out_of_time(found) else found


@blueprint.get("/ledger/accruals")
@require(Permission.LEDGER_READ)
def show_accruals() -> str:
    entity = entity_asked(asked_key("entity"))
    return _shown(entity, until_asked(entity) if entity else date.min)


def _shown(entity: EntityPick | None, until: date, refusal: str = "") -> str:
    return render_template(
        "ledger/accruals.html", entity=entity, entities=entities_seen(reader(), actor()), until=until, refusal=refusal,
        page=end_page(reader(), actor(), entity.id, until) if entity else None,
        runs=runs_of(reader(), entity.id) if entity else [], realm=entity.realm if entity else "live",
        is_over=entity is not None and until <= local_day(now(), entity.time_zone), is_part=actor().sites is not None,
    )  # fmt: skip


@blueprint.post("/ledger/accruals/<int:entity_id>")
@require(Permission.PERIOD_CLOSE)
def run(entity_id: int) -> Any:
    """Post what is due and not there, and turn it back on the day after."""
    entity = entity_asked(entity_id)
    if entity is None:
        raise NotFound("not_found")
    until, made = until_asked(entity), []
    return take_step(
        lambda work: made.append(
            run_accruals(work, RunAccruals(entity=entity.id, until=until), late=late_rulesets(work.session))
        ),
        realm=entity.realm,
        done=lambda: f"AR-{made[-1].run}: {made[-1].lines} lines are posted and turned back." if made[-1].lines else "Nothing was left to be posted.",
        to=url_for("ledger.show_accruals", entity=entity.id, until=until.isoformat()),
        again=lambda refusal: _shown(entity, until, refusal),
    )  # fmt: skip


@blueprint.get("/ledger/cut-off")
@require(Permission.LEDGER_READ)
def show_cut_off() -> str:
    """The cut-off test of a period's end, by channel and shipment."""
    entity, channel = entity_asked(asked_key("entity")), asked_key("channel")
    channels = all_channels(reader())
    if channel is not None and channel not in {one.id for one in channels}:
        raise NotFound("channel_unknown", channel=channel)
    until = until_asked(entity) if entity else date.min
    return render_template(
        "ledger/cut_off.html", entity=entity, entities=entities_seen(reader(), actor()), until=until, channel=channel,
        channels=channels, around=AROUND, is_part=actor().sites is not None, realm=entity.realm if entity else "live",
        page=cut_off_page(reader(), actor(), entity.id, until, channel) if entity else None,
    )  # fmt: skip


def _document(row: LineRow) -> Cell:
    if row.shipment_id is None:
        return Cell(row.channel, sub=row.basis or "")
    said = f"invoice {row.invoice}" if row.invoice else f"order {row.order}" if row.order else ""
    if not actor().may(Permission.SHIPMENT_READ):
        return Cell(row.shipment or "", sub=said)
    return Cell(row.shipment or "", sub=said, href=url_for("shipments.show", shipment_id=row.shipment_id))


def _entry(entry: int) -> Cell:
    return Cell(str(entry), href=url_for("ledger.show_entry", entry_id=entry))


ACCRUAL_LIST = list_page(
    blueprint,
    Listing(
        name="accrual-lines", endpoint="ledger.show_accrual_lines", path="/ledger/accrual-lines", permission=Permission.LEDGER_READ,
        title="Lines of accruals", lead="Each with the shipment or the channel it comes from, and the two entries it posted",
        unit="lines", source=ACCRUALS, sort="-until", realms=False, template="ledger/accrual_lines.html",
        empty=Empty(title="No line fits", text="Nothing was accrued, or a filter hides it.", sign="file"),
        filters=(
            text_filter("Shipment, order or invoice"), pick("entity", "Company", companies),
            pick("kind", "Kind", lambda _: [(kind.value, title) for kind, title in KINDS.items()]),
            site_filter(), channel_filter(), key_filter("run", "Run", lambda key: f"AR-{key}"),
        ),
        columns=(
            column("id", "Line", file_only=True),
            column("kind", "Kind", lambda row: row.title, cell=lambda row: Cell(row.title, sub=f"AR-{row.run_id}")),
            column("until", "Before"),
            column("document", "Of", lambda row: row.shipment or row.channel, cell=_document),
            column("order", "Order", file_only=True),
            column("invoice", "Invoice", file_only=True),
            column("entity", "Company", file_only=True),
            column("site", "Site"),
            column("channel", "Channel"),
            money("amount", "Amount", "amount_minor"),
            column("currency", "Currency", file_only=True),
            column("basis", "Basis", file_only=True),
            column("entry", "Posted", "entry_id", cell=lambda row: _entry(row.entry_id)),
            column("reversal", "Turned back", "reversal_id", cell=lambda row: _entry(row.reversal_id)),
        ),
    ),
)  # fmt: skip
