"""The audit trail as a list: by object, person and time, with the way to each object; in files too."""

from __future__ import annotations

from typing import Any

from flask import current_app, url_for

from app.composition.request import reader
from app.queries.audit import AUDIT, AuditRow, kinds_of_objects, people_who_acted
from app.security.permissions import Permission
from app.security.require import actor
from app.web.areas import area
from app.web.figures import heading
from app.web.lists.listing import Cell, Empty, Listing, column, day_filter, key_filter, pick, text_filter
from app.web.lists.page import list_page
from app.web.navigation import Entry, Group, navigation_entry

blueprint = area("audit")
navigation_entry(
    Entry(label="Audit trail", endpoint="audit.show_all", permission=Permission.AUDIT_READ, group=Group.STEER, order=90)
)
#: Where an object is shown, by its kind: endpoint and the argument that is its id or code.
_PAGES = {
    "approval_request": ("approvals.show", "request_id"), "approval_rule": ("approvals.show_rule", "rule_id"),
    "decision": ("decisions.show", "decision_id"), "wave": ("waves.show", "wave_id"), "gate": ("gates.show", "gate_id"),
    "waiver": ("gates.waiver", "waiver_id"), "account": ("people.show", "account_id"),
    "body": ("decisions.committee", "body_id"), "adjustment": ("inbound.adjustment", "adjustment_id"),
    "price_rule": ("prices.show", "rule_id"), "policy_value": ("policies.show_value", "value_id"),
    "raid_entry": ("risks.show", "entry_id"), "variant": ("variants.show_one", "variant_id"),
    "order": ("orders.show", "order_id"), "item": ("items.show", "code"),
    "customer": ("customers.show", "code"), "supplier": ("suppliers.show", "supplier_id"),
}  # fmt: skip


def _where(row: AuditRow) -> str:
    """The address of the object; empty where it has no page of its own, or none that this person may open."""
    place = _PAGES.get(row.subject_type)
    if place is None:
        return ""
    key = row.code if place[1] == "code" else row.subject_id
    if not key or not actor().may(getattr(current_app.view_functions[place[0]], "permission", "")):
        return ""
    named: dict[str, Any] = {place[1]: key}
    return url_for(place[0], **named)


def _object(row: AuditRow) -> Cell:
    same = url_for("audit.show_all", object=row.subject_type, number=row.subject_id) if row.subject_id else ""
    return Cell(
        heading(row.subject_type),
        sub=row.code or ("" if row.subject_id is None else str(row.subject_id)),
        href=_where(row) or same,
    )


def _people() -> list[tuple[int, str]]:
    return people_who_acted(reader()) if actor().may(Permission.USER_READ) else []


AUDIT_LIST = list_page(
    blueprint,
    Listing(
        name="audit", endpoint="audit.show_all", path="/audit", permission=Permission.AUDIT_READ, title="Audit trail",
        lead="Every act that gives or uses power, in one chain: who did what to which object, and when", unit="acts",
        source=AUDIT, sort="-at", realms=False, template="audit/list.html",
        empty=Empty(title="No act fits", sign="lock", text="Decisions, approvals, variants, roles and changes of master data stand here."),
        filters=(
            text_filter("Act or what it says"),
            pick("object", "Object", lambda _: [(kind, heading(kind)) for kind in kinds_of_objects(reader())]),
            key_filter("number", "One object", lambda value: f"number {value}"), pick("person", "Person", lambda _: _people()),
            day_filter("since", "From"), day_filter("until", "Until"),
        ),
        columns=(
            column("at", "When", "at"),
            column("link", "Link", "position", num=True),
            column("kind", "Act", cell=lambda row: Cell(heading(row.kind.replace(".", " ")), sub=row.kind)),
            column("object", "Object", "subject_type", cell=_object),
            column("object_id", "Number", "subject_id", file_only=True),
            column("who", "Who", cell=lambda row: Cell(row.who, sub=heading(row.role.removeprefix("system:")) if row.who else "")),
            column("role", "Role", file_only=True),
            column("facts", "What", "said", cell=lambda row: Cell(row.said[:300] + ("…" if len(row.said) > 300 else ""))),
        ),
    ),
)  # fmt: skip
