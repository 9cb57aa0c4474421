"""What margin was left, by channel, customer and item, each figure a way to the entries behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import render_template, request, url_for

from app.composition.request import now, reader
from app.queries.margins import AskedMargin, By, MarginRow, margin_entries, margin_page
from app.queries.places import EntityPick, all_channels, entities_seen, sites_seen
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key
from app.web.exports import csv_file, xlsx_file
from app.web.ledger.reports import asked_period, entity_wanted, report_tabs
from app.web.ledger.views import blueprint
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.kernel.money import from_minor

_HEADS = ("Code", "Name", "Currency", "Revenue", "Cost of sales", "Margin", "Margin in percent of revenue")
BY_WORDS = {By.CHANNEL: "Channels", By.CUSTOMER: "Customers", By.ITEM: "Items"}


def _asked(entity: EntityPick) -> AskedMargin:
    """Read the address; what makes no sense in it is as if it were not there. Raises ``NotFound`` for a site one does not see."""
    site, channel = asked_key("site"), asked_key("channel")
    if site is not None and site not in {one.id for one in sites_seen(reader(), actor()) if one.entity_id == entity.id}:
        raise NotFound("site_unknown", site=site)
    by = request.args.get("by", "")
    return AskedMargin(
        entity=entity.id, period=asked_period(local_day(now(), entity.time_zone))[0], site=site, channel=channel,
        by=By(by) if by in set(By) else By.CHANNEL,
    )  # fmt: skip


def _values(asked: AskedMargin, **changes: Any) -> dict[str, Any]:
    return {
        "entity": asked.entity, "since": asked.period.since, "until": asked.period.until, "by": asked.by.value,
        "site": asked.site, "channel": asked.channel, **changes,
    }  # fmt: skip


@blueprint.get("/ledger/margin")
@require(Permission.LEDGER_READ)
def show_margin() -> str:
    entity = entity_wanted()
    if entity is None:
        return render_template("ledger/margin.html", entity=None, realm="live")
    asked = _asked(entity)
    return render_template(
        "ledger/margin.html", entity=entity, page=margin_page(reader(), actor(), asked), asked=asked, realm=entity.realm,
        reports=report_tabs(None, entity.id, asked.period), words=BY_WORDS,
        entities=entities_seen(reader(), actor()), channels=all_channels(reader()), is_part=actor().sites is not None,
        sites=[one for one in sites_seen(reader(), actor()) if one.entity_id == entity.id],
        to_file=lambda kind: url_for(f"ledger.margin_{kind}", **_values(asked)),
        behind=lambda row: url_for("ledger.show_margin_entries", **_values(asked, key=row.key)),
    )  # fmt: skip


@blueprint.get("/ledger/margin/entries")
@require(Permission.LEDGER_READ)
def show_margin_entries() -> str:
    entity, key = entity_wanted(), asked_key("key")
    if entity is None or key is None:
        raise NotFound("not_found")
    asked = _asked(entity)
    page = margin_entries(reader(), actor(), asked, key)
    if not page.row.label:
        raise NotFound("not_found")
    return render_template(
        "ledger/margin_entries.html", entity=entity, page=page, asked=asked, realm=entity.realm,
        back=url_for("ledger.show_margin", **_values(asked)),
    )  # fmt: skip


def _file(make: Any) -> Any:
    entity = entity_wanted()
    if entity is None:
        raise NotFound("not_found")
    asked = _asked(entity)
    page = margin_page(reader(), actor(), asked, most=None)

    def line(row: MarginRow) -> list[Any]:
        figures = [from_minor(one, entity.currency) for one in (row.revenue, row.cost, row.margin)]
        share = "" if row.permille is None else from_minor(row.permille * 10, "EUR")
        return [row.label, row.name, entity.currency, *figures, share]

    def rows() -> Iterator[list[Any]]:
        for row in (*page.rows, page.rest, page.total):
            yield line(row)

    name = f"margin-{asked.by.value}-{entity.code}-{asked.period.since}-{asked.period.until}"
    return make(name, _HEADS, rows())


@blueprint.get("/ledger/margin.csv")
@require(Permission.LEDGER_READ)
def margin_csv() -> Any:
    return _file(csv_file)


@blueprint.get("/ledger/margin.xlsx")
@require(Permission.LEDGER_READ)
def margin_xlsx() -> Any:
    return _file(xlsx_file)
