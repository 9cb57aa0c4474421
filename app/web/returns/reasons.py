"""Why goods come back, by item, customer and site, each figure a way to the returns behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import render_template, request, url_for

from app.composition.request import now, reader
from app.queries.places import EntityPick, entities_seen, sites_seen
from app.queries.return_reasons import AskedReasons, By, ReasonRow, reason_returns, reasons_page
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.areas import asked_key
from app.web.exports import csv_file, xlsx_file
from app.web.figures import heading
from app.web.ledger.reports import asked_period, entity_wanted
from app.web.returns.views import blueprint
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.kernel.money import from_minor

_HEADS = (
    "Reason", "Code", "Name", "Returns", "Not credited yet", "Quantity", "Unit", "Currency", "Value", "Days, half of them",
    "Days, nine of ten", "Lines returned", "Lines delivered", "Lines returned in percent of delivered",
)  # fmt: skip
BY_WORDS = {By.REASON: "Reasons alone", By.ITEM: "Items", By.CUSTOMER: "Customers", By.SITE: "Sites"}


@dataclass(frozen=True)
class _Wanted:
    """What the address asks for, and of which company."""

    entity: EntityPick
    asked: AskedReasons

    def values(self, **changes: Any) -> dict[str, Any]:
        """What an address of the same days says."""
        asked = self.asked
        return {
            "entity": asked.entity, "since": asked.period.since, "until": asked.period.until, "by": asked.by.value,
            "site": asked.site, **changes,
        }  # fmt: skip


def _wanted() -> _Wanted | None:
    """Read the address; ``None`` for who sees no company. Raises ``NotFound`` for another's company or site."""
    entity = entity_wanted()
    if entity is None:
        return None
    site, by = asked_key("site"), request.args.get("by", "")
    if site is not None and site not in {one.id for one in sites_seen(reader(), actor()) if one.entity_id == entity.id}:
        raise NotFound("site_unknown", site=site)
    asked = AskedReasons(
        entity=entity.id, currency=entity.currency, time_zone=entity.time_zone, site=site,
        period=asked_period(local_day(now(), entity.time_zone))[0], by=By(by) if by in set(By) else By.ITEM,
    )  # fmt: skip
    return _Wanted(entity, asked)


@blueprint.get("/returns/reasons")
@require(Permission.RETURN_READ)
def show_reasons() -> str:
    wanted = _wanted()
    if wanted is None:
        return render_template("returns/reasons.html", entity=None, realm="live")
    entity = wanted.entity

    def behind(row: ReasonRow) -> str:
        values = wanted.values(reason=row.reason or None, key=row.key or None)
        return url_for("returns.show_reason_returns", **values)

    return render_template(
        "returns/reasons.html", entity=entity, asked=wanted.asked, realm=entity.realm, words=BY_WORDS,
        page=reasons_page(reader(), actor(), wanted.asked, now()), entities=entities_seen(reader(), actor()),
        sites=[one for one in sites_seen(reader(), actor()) if one.entity_id == entity.id],
        to_file=lambda kind: url_for(f"returns.reasons_{kind}", **wanted.values()), behind=behind,
    )  # fmt: skip


@blueprint.get("/returns/reasons/returns")
@require(Permission.RETURN_READ)
def show_reason_returns() -> str:
    wanted, key = _wanted(), asked_key("key")
    if wanted is None:
        raise NotFound("not_found")
    reason = request.args.get("reason") or None
    page = reason_returns(reader(), actor(), wanted.asked, now(), reason=reason, key=key or 0)
    if not page.returns and (reason is not None or key):
        raise NotFound("not_found")
    return render_template(
        "returns/reason_returns.html", entity=wanted.entity, page=page, asked=wanted.asked, realm=wanted.entity.realm,
        title=" · ".join(one for one in (heading(reason) if reason else "All returns", page.row.label) if one),
        back=url_for("returns.show_reasons", **wanted.values()),
    )  # fmt: skip


def _file(make: Any) -> Any:
    wanted = _wanted()
    if wanted is None:
        raise NotFound("not_found")
    asked, currency = wanted.asked, wanted.entity.currency
    page = reasons_page(reader(), actor(), asked, now(), most=None)

    def line(row: ReasonRow) -> list[Any]:
        share = "" if row.permille is None else from_minor(row.permille * 10, "EUR")
        some = ["" if one is None else one for one in (row.quantity, row.unit)]
        days = ["" if one is None else one for one in (row.half, row.most)]
        return [
            row.reason or row.label, row.label if row.key else "", row.name, row.returns, row.waiting, *some, currency,
            from_minor(row.value_minor, currency), *days, row.lines, row.delivered, share,
        ]  # fmt: skip

    def rows() -> Iterator[list[Any]]:
        for row in (*page.rows, page.total):
            yield line(row)

    name = f"return-reasons-{asked.by.value}-{wanted.entity.code}-{asked.period.since}-{asked.period.until}"
    return make(name, _HEADS, rows())


@blueprint.get("/returns/reasons.csv")
@require(Permission.RETURN_READ)
def reasons_csv() -> Any:
    return _file(csv_file)


@blueprint.get("/returns/reasons.xlsx")
@require(Permission.RETURN_READ)
def reasons_xlsx() -> Any:
    return _file(xlsx_file)
