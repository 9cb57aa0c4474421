"""Where does a thing of the impact graph have its own page, and where does a walk from it stand?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from flask import url_for

from app.queries.impact.kinds import Kind, Ref
from app.queries.impact.shelves import Name
from app.security.permissions import Permission
from app.security.require import actor
from governance.raci.rules import DOMAINS
from readiness.measures.catalogue import MEASURES

_Maker = Callable[[Ref, Name], str]

_RECORDS: Mapping[Kind, _Maker] = {
    Kind.PROCESS: lambda ref, _: url_for("processes.show", process=ref.id),
    Kind.STEP: lambda _, name: url_for("processes.show_step", process=name.keys[0], step=name.keys[1]),
    Kind.POINT: lambda ref, _: url_for("policies.show_point", point=ref.id),
    Kind.VARIANT: lambda ref, _: url_for("variants.show_one", variant_id=ref.id),
    Kind.CHECK: lambda _, name: url_for("conformance.show", process=name.keys[0]),
    Kind.PRICE_RULE: lambda ref, _: url_for("prices.show", rule_id=ref.id),
    Kind.PRICE_LIST: lambda ref, _: url_for("prices.show_list", list_id=ref.id),
    Kind.ITEM: lambda _, name: url_for("items.show", code=name.keys[0], company=name.keys[1]),
    Kind.CUSTOMER: lambda _, name: url_for("customers.show", code=name.keys[0], company=name.keys[1]),
    Kind.WAVE: lambda ref, _: url_for("waves.show", wave_id=ref.id),
    Kind.GATE: lambda ref, _: url_for("gates.show", gate_id=ref.id),
    Kind.CRITERION: lambda _, name: url_for("gates.criterion", gate_id=name.keys[1], code=name.keys[0]),
    Kind.MEASURE: lambda ref, _: url_for("measures.show", key=_first_figure(ref.id)),
    Kind.CONTROL_POINT: lambda _, name: url_for("measures.control_point", point=name.keys[0]),
    Kind.BENEFIT: lambda _, name: url_for("roadmap.show_case", programme_id=name.keys[0]),
    Kind.STAGE_CRITERION: lambda _, name: url_for("roadmap.show_phase", phase_id=name.keys[0]),
    Kind.RISK: lambda ref, _: url_for("risks.show", entry_id=ref.id),
    Kind.QUESTION: lambda ref, _: url_for("questions.show", question_id=ref.id),
    Kind.INTERIM: lambda _, name: url_for("interim.show", wave_id=name.keys[0]),
    Kind.DOMAIN: lambda ref, _: url_for("raci.show", kind="data_domain", subject=ref.id) if ref.id in DOMAINS else "",
    Kind.APPROVAL_RULE: lambda ref, _: url_for("approvals.show_rule", rule_id=ref.id),
    Kind.BODY: lambda ref, _: url_for("decisions.committee", body_id=ref.id),
    Kind.PERSON: lambda ref, _: url_for("people.show", account_id=ref.id) if actor().may(Permission.USER_READ) else "",
    Kind.DOCUMENTS: lambda _, name: _documents(*name.keys),
}  # fmt: skip


def record_address(ref: Ref, name: Name) -> str:
    """The page of the record itself; empty where it has none, or none for this person."""
    maker = _RECORDS.get(ref.kind)
    return maker(ref, name) if maker is not None else ""


def _documents(tally: str, kind: str, key: str) -> str:
    """The list that the count is of, narrowed as far as the list can be."""
    if tally == "open-orders" and kind == Kind.SITE:
        return url_for("orders.show_all", site=key)
    if tally == "open-orders" and kind == Kind.CHANNEL:
        return url_for("orders.show_all", channel=key)
    if tally == "open-orders" and kind == Kind.CUSTOMER:
        return url_for("orders.show_all", customer=key)
    if tally == "open-orders" and kind == Kind.VARIANT:
        return url_for("variants.show_one", variant_id=key, _anchor="ran")
    if tally == "customers":
        return url_for("customers.show_all", group=key)
    if tally == "prices":
        return url_for("prices.show_all")
    return url_for("approvals.show_all", waits=1) if tally == "requests" else ""


def _first_figure(measure: str) -> str:
    """A measure of several statistics has a page for each; the first stands for it."""
    statistics = MEASURES[measure].statistics
    return f"{measure}.{statistics[0]}" if statistics else measure


def walk_address(ref: Ref, trail: Iterable[Ref] = (), *, anchor: str | None = None) -> str:
    """The walk from this thing, with the way by which one came; empty for a count, where every walk ends."""
    if ref.kind is Kind.DOCUMENTS:
        return ""
    via = [str(one) for one in trail] or None
    return url_for("impact.show", what=ref.kind.value, thing=ref.id, via=via, _anchor=anchor)
