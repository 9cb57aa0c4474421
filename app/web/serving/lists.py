"""How do the lists of service commitments, of sourcing lanes, and of charges and services look?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import url_for

from app.composition.request import reader
from app.queries.charges import CHARGES, LEAVES, ChargeRow
from app.queries.places import all_groups
from app.queries.serving import COMMITMENTS, EVERYWHERE, LANES, STANDINGS, CommitmentRow, LaneRow, one_lane
from app.security.permissions import Permission
from app.security.require import actor, require
from app.web.figures import counted, on, words
from app.web.lists.listing import (
    Cell,
    Empty,
    Listing,
    channel_filter,
    choice,
    column,
    company_filter,
    flag,
    money,
    pick,
    site_filter,
    step,
    text_filter,
)
from app.web.lists.page import list_html, list_page
from app.web.serving.views import blueprint
from app.web.steps import take_step
from erpcore.masterdata.charges import KINDS
from erpcore.masterdata.lanes import drop_lane

_STANDS = {"now": "Hold now", "later": "Not yet", "ended": "Have ended"}
_HOLDS = {"now": "", "later": "not yet", "ended": "has ended"}


def _may_change() -> bool:
    return actor().may(Permission.MASTERDATA_CHANGE)


def _committed(row: CommitmentRow) -> Cell:
    verb = "leaves" if row.basis == "ship" else "arrives"
    when = f"{verb} after {counted(row.days, 'day')}" if row.days else f"{verb} the same day"
    if not row.transit_days:
        return Cell(when)
    leaves = counted(row.lead_days, "day") if row.lead_days else "no day"
    return Cell(when, sub=f"{leaves} to leave, {counted(row.transit_days, 'day')} on the way")


def _window(row: CommitmentRow) -> str:
    if row.early_days and row.late_days:
        return f"{counted(row.early_days, 'day')} early to {counted(row.late_days, 'day')} late"
    if row.early_days:
        return f"up to {counted(row.early_days, 'day')} early"
    return f"up to {counted(row.late_days, 'day')} late" if row.late_days else "the day itself"


def _target(row: CommitmentRow) -> Decimal | None:
    return None if row.fill_target_permille is None else Decimal(row.fill_target_permille) / 10


def _holds(row: CommitmentRow) -> Cell:
    until = on(row.valid_until) if row.valid_until else "further notice"
    return Cell(f"{on(row.valid_from)} – {until}", sub=_HOLDS[row.standing], muted=row.standing == "ended")


def _end(row: CommitmentRow) -> Cell:
    if row.standing == "ended" or not _may_change():
        return Cell("")
    about = f"the commitment of {row.site}, {row.channel}, {row.group or 'all others'}"
    return step("End…", about, href=url_for("serving.end", commitment_id=row.id))


COMMITMENT_LIST = list_page(
    blueprint,
    Listing(
        name="service-commitments", endpoint="serving.show", path="/service-commitments",
        permission=Permission.MASTERDATA_READ, title="Service commitments",
        lead="What customers are promised by site and channel. The committed day of an order’s line comes from here and never changes",
        unit="commitments", source=COMMITMENTS, template="serving/commitments.html",
        empty=Empty(
            title="No commitment fits", sign="list",
            text="Without one an order is committed for its own day. Say what each site promises in each channel.",
        ),
        filters=(
            choice("standing", STANDINGS, said=_STANDS),
            text_filter("Site, channel or customers"), site_filter(), channel_filter(),
            pick("group", "Customers", lambda _: [(0, "all others"), *all_groups(reader())]),
            pick("basis", "Committed day", lambda _: [("ship", "the day it leaves"), ("delivery", "the day it arrives")]),
        ),
        columns=(
            column("site", "Site and channel", cell=lambda row: Cell(row.site, sub=row.channel), page_only=True),
            column("site", "Site", file_only=True),
            column("channel", "Channel", file_only=True),
            column("customers", "Customers", lambda row: row.group or "all others"),
            column("basis", "Committed is", file_only=True),
            column("committed", "Committed day", "days", cell=_committed, page_only=True),
            column("lead", "Days to leave", "lead_days", file_only=True),
            column("transit", "Days on the way", "transit_days", file_only=True),
            column("cut_off", "Cut-off", lambda row: f"{row.cut_off:%H:%M}" if row.cut_off else "none"),
            column("served", "On"),
            column("window", "On time within", _window, page_only=True),
            column("early", "Days early", "early_days", file_only=True),
            column("late", "Days late", "late_days", file_only=True),
            column("target", "Fill target, %", _target, cell=lambda row: f"{_target(row):.1f} %" if row.fill_target_permille else "–", num=True),
            column("from", "Holds", "valid_from", cell=_holds, page_only=True),
            column("from", "Holds from", "valid_from", file_only=True),
            column("until", "Until before", "valid_until", file_only=True),
            column("end", "Next step", lambda _row: "", cell=_end, page_only=True),
        ),
    ),
)  # fmt: skip


def _drop(row: LaneRow) -> Cell:
    if not _may_change():
        return Cell("")
    about = f"the lane from {row.site} to {row.country}"
    return step("Drop", about, post=url_for("serving.forget_lane", lane_id=row.id))


LANE_LIST = list_page(
    blueprint,
    Listing(
        name="sourcing-lanes", endpoint="serving.show_lanes", path="/sourcing-lanes", permission=Permission.MASTERDATA_READ,
        title="Sourcing lanes",
        lead="What it takes to serve a country from a site. Where a sourcing rule looks for the nearest or cheapest site, it compares these",
        unit="lanes", source=LANES, sort="from", template="serving/lanes.html", also=lambda: {"refused": ""},
        empty=Empty(
            title="No lane fits", sign="list",
            text="Without lanes all sites count as equally far and dear, and a rule falls back to the site that sells.",
        ),
        filters=(flag("others", "For every other country"), text_filter("Site or country"), site_filter()),
        columns=(
            column("from", "From", "site"),
            column("to", "To", "country", cell=lambda row: "every other country" if row.country == EVERYWHERE else row.country),
            column("days", "On the way (days)", "transit_days", file_only=True),
            column("days", "On the way", "transit_days", cell=lambda row: counted(row.transit_days, "day"), num=True, page_only=True),
            money("cost", "Cost of a line", "cost_minor"),
            column("currency", "Currency", file_only=True),
            column("drop", "Next step", lambda _row: "", cell=_drop, page_only=True),
        ),
    ),
)  # fmt: skip


@blueprint.post("/sourcing-lanes/<int:lane_id>/drop")
@require(Permission.MASTERDATA_CHANGE)
def forget_lane(lane_id: int) -> Any:
    row = one_lane(reader(), actor(), lane_id)
    return take_step(
        lambda work: drop_lane(work, lane_id), realm=row.realm, done=f"The lane from {row.site} to {row.country} is gone.",
        to=url_for("serving.show_lanes"), again=lambda why: list_html(LANE_LIST, refused=why),
    )  # fmt: skip


def _kind(row: ChargeRow) -> Cell:
    return Cell(words(row.kind), sub="a rush costs this" if row.is_rush else "")


def _change(row: ChargeRow) -> Cell:
    if not _may_change():
        return Cell("")
    return step("Change…", row.code, href=url_for("serving.keep_charge", item=row.item))


CHARGE_LIST = list_page(
    blueprint,
    Listing(
        name="charges", endpoint="serving.show_charges", path="/charges", permission=Permission.MASTERDATA_READ,
        title="Charges and services",
        lead="What is sold besides goods. It has no stock, is ordered like any item, and is invoiced with what it leaves with",
        unit="charges and services", source=CHARGES, sort="code", template="serving/charges.html",
        empty=Empty(
            title="No charge fits", sign="list",
            text="Freight, handling or installation can be ordered and invoiced once they are declared and have a price.",
        ),
        filters=(
            choice("kind", KINDS), flag("rush", "For a rush"), text_filter("Code or name"),
            company_filter(),
            pick("leaves", "Leaves", lambda _: [(str(key), said) for key, said in LEAVES.items()]),
        ),
        columns=(
            column("code", "Code", cell=lambda row: Cell(row.code, sub=row.name)),
            column("name", "Name", file_only=True),
            column("company", "Company", "entity"),
            column("kind", "What it is", cell=_kind),
            column("rush", "A rush costs this", "is_rush", file_only=True),
            column("leaves", "Leaves and is invoiced", lambda row: LEAVES[row.leaves]),
            column("change", "Next step", lambda _row: "", cell=_change, page_only=True),
        ),
    ),
)  # fmt: skip
