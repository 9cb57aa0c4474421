"""How does the register look as a list?"""

from __future__ import annotations

from typing import Any

from flask import url_for

from app.composition.request import reader
from app.queries.listing import Asked
from app.queries.variant_terms import site_name
from app.queries.variants import VARIANTS, VariantRow, people_to_choose
from app.security.permissions import Permission
from app.security.require import actor
from app.web.conformance.presenters import step_words
from app.web.figures import heading, money, on, words
from app.web.lists.listing import (
    Cell,
    Empty,
    Filter,
    Kind,
    Listing,
    channel_filter,
    column,
    flag,
    key_filter,
    pick,
    site_filter,
    text_filter,
)
from app.web.lists.page import list_page
from app.web.variants.tabs import register_tabs
from app.web.variants.views import blueprint
from erpcore.kernel.money import from_minor
from erpcore.ports import POLICY_POINTS
from governance.variants.flow import VariantState
from governance.variants.kinds import Kind as VariantKind
from governance.variants.validity import Standing

LOOKS = {
    Standing.EFFECTIVE: "pass", Standing.LATER: "wait", Standing.SUBMITTED: "wait", Standing.DRAFT: "none",
    Standing.REJECTED: "fail", Standing.OWNERLESS: "fail", Standing.UNFIT: "fail",
}  # fmt: skip
WORDS = {
    Standing.EFFECTIVE: "In force", Standing.LATER: "Begins later", Standing.SUBMITTED: "Waits for a decision",
    Standing.OVER: "Never decided", Standing.OWNERLESS: "Not valid: the owner left",
    Standing.UNFIT: "Not valid: the core has no such value",
}  # fmt: skip


def stands(standing: str) -> tuple[str, str]:
    """How a standing is drawn, and its words."""
    one = Standing(standing)
    return LOOKS.get(one, "none"), WORDS.get(one, heading(one))


blueprint.add_app_template_filter(stands, "stands")


def _code(row: VariantRow) -> Cell:
    return Cell(row.title, sub=f"{row.code} · {words(row.kind)}", href=url_for("variants.show_one", variant_id=row.id))


def _state(row: VariantRow) -> Cell:
    look, text = stands(row.standing)
    sub = "review due" if row.is_review_due and row.standing is Standing.EFFECTIVE else ""
    if row.state == VariantState.UNDER_REVIEW:
        sub = "under review"
    return Cell(text, kind=look, sub=sub, sub_kind="warn" if sub == "review due" else "")


def _owner(row: VariantRow) -> Cell:
    return Cell(row.owner, sub="has left" if row.owner_left_at else "", sub_kind="fail" if row.owner_left_at else "")


def _until(row: VariantRow) -> Cell:
    return Cell(on(row.end_day) if row.end_day else "the next one", sub=f"from {on(row.first_day)}")


def _cost(row: VariantRow) -> Cell:
    return Cell(
        "–" if row.cost_minor is None else money(row.cost_minor, row.cost_currency or ""),
        sub="" if row.cost_minor is None else "per month",
    )


def _cost_value(row: VariantRow) -> Any:
    return None if row.cost_minor is None else from_minor(row.cost_minor, row.cost_currency or "EUR")


def _owners(_asked: Asked) -> list[tuple[int, str]]:
    return people_to_choose(reader())


def _site_name(key: Any) -> str:
    return site_name(reader(), actor(), key)


def _states() -> list[tuple[str, str]]:
    return [(one, heading(one)) for one in VariantState]


VARIANT_LIST = list_page(
    blueprint,
    Listing(
        name="variants", endpoint="variants.show_all", path="/register", permission=Permission.VARIANT_VIEW,
        title="Process register", lead="Where something else than the standard was agreed: for whom, until when, who answers, and why",
        unit="variants", source=VARIANTS, sort="-asked", template="register/list.html", realms=False,
        also=lambda: {"tabs": register_tabs("variants.show_all")},
        empty=Empty(title="No variant fits", text="Everybody works by the standard here. Who needs something else asks for a variant; others decide."),
        filters=(
            Filter(name="state", label="State", kind=Kind.CHOICE, hide_empty=True, options=lambda _: _states()),
            flag("effective", "In force now"), flag("ending", "Ends within a month"), flag("review", "Review due"),
            flag("expired", "Expired"), flag("left", "Owner has left"), text_filter("Code, title or owner"),
            pick("kind", "Kind", lambda _: [(one, heading(one)) for one in VariantKind]),
            pick("point", "Policy point", lambda _: [(name, point.title) for name, point in POLICY_POINTS.items()]),
            site_filter(), channel_filter(), pick("owner", "Owner", _owners), key_filter("reaches", "Reaches the site", _site_name),
            Filter(name="process", label="Process", kind=Kind.TEXT), Filter(name="deviation", label="Deviation", kind=Kind.TEXT),
        ),
        columns=(
            column("code", "Variant", cell=_code),
            column("title", "Title", file_only=True),
            column("kind", "Kind", file_only=True),
            column("changes", "What it changes", cell=lambda row: Cell(row.changes, sub=step_words(row.step) if row.step else "")),
            column("where", "For", cell=lambda row: Cell(row.where)),
            column("step", "Step", file_only=True),
            column("state", "State", "standing", cell=_state),
            column("owner", "Owner", cell=_owner),
            column("from", "From", lambda row: row.first_day.isoformat(), file_only=True),
            column("until", "Until", lambda row: row.end_day.isoformat() if row.end_day else "", cell=_until),
            column("rationale", "Rationale", file_only=True),
            column("review", "Next review", "next_review_on", file_only=True),
            column("cost", "Cost of keeping", _cost_value, cell=_cost, num=True),
            column("currency", "Currency", "cost_currency", file_only=True),
            column("asked", "Asked (UTC)", "requested_at", file_only=True),
        ),
    ),
)  # fmt: skip
