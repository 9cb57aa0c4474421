"""Policy points for programs: the catalogue with the variants that set them, and the rules of a place or an order."""

from __future__ import annotations

from datetime import date, datetime

from app.api.framework import operation
from app.api.v1.numbers import Key
from app.api.values import Answer, Body
from app.composition.policy_desk import would_run
from app.composition.request import now, reader
from app.queries.order_detail import order_page
from app.queries.order_rules import DocumentRule, order_rules
from app.queries.places import sites_seen
from app.queries.policies import ValueRow, policy_points, running
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.errors import NotFound
from erpcore.ports import PolicyPoint
from governance.variants.register import Scope

TAG = "Policies"

Value = bool | int | str


class ScopeAnswer(Answer):
    """What a value is limited to; null: not looked at."""

    item_group: int | None = None
    customer_group: int | None = None
    channel: int | None = None
    site: int | None = None
    entity: int | None = None


class ScopeBody(Body):
    """What a value is limited to: at least one of what its point may differ by."""

    item_group: Key | None = None
    customer_group: Key | None = None
    channel: Key | None = None
    site: Key | None = None
    entity: Key | None = None


class ValueAnswer(Answer):
    """A value of a variant; `id` is the variant's. `standing` is `submitted`, `effective`, `later`, `expired`, `over`, `rejected`, `withdrawn`, `retired`, `revoked`, `ownerless` or `unfit`."""

    id: int
    point: str
    value: Value
    scope: ScopeAnswer
    where: str
    valid_from: datetime
    valid_until: datetime | None
    state: str
    standing: str
    reason: str
    requested_by: int
    requested_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    decision_reason: str | None
    ended_by: int | None
    ended_at: datetime | None
    end_reason: str | None
    version: int


class PointAnswer(Answer):
    """A policy point. `choices` or `minimum` to `maximum` (in `unit`) may stand there; `may_differ_by` is empty for a locked one."""

    name: str
    title: str
    area: str
    kind: str
    sentence: str
    standard: Value
    choices: list[Value]
    minimum: int | None
    maximum: int | None
    unit: str | None
    may_differ_by: list[str]
    holding: list[ValueAnswer]
    later: list[ValueAnswer]
    waiting: list[ValueAnswer]


class PointsAnswer(Answer):
    """The whole catalogue."""

    items: list[PointAnswer]


class PlaceQuery(Body):
    """A place and a day; without a day, now."""

    site: Key
    channel: Key | None = None
    customer_group: Key | None = None
    item_group: Key | None = None
    on: date | None = None


class RuleAnswer(Answer):
    """A point's value and the approved value that set it; `origin` null: the standard."""

    point: str
    value: Value
    is_standard: bool
    origin: int | None
    where: str | None


class RulesAnswer(Answer):
    """Every point of a place."""

    items: list[RuleAnswer]


class LineRulesAnswer(Answer):
    """Lines with rules of their own and what differs from the order's."""

    lines: list[int]
    differs: list[RuleAnswer]


class OrderRulesAnswer(Answer):
    """The rules an order was stamped with when it was promised."""

    ruleset: str
    items: list[RuleAnswer]
    lines: list[LineRulesAnswer]


def _value(row: ValueRow) -> ValueAnswer:
    scope = ScopeAnswer(**{part.dimension: part.id for part in row.scope})
    return ValueAnswer(
        scope=scope, **{name: getattr(row, name) for name in ValueAnswer.model_fields if name != "scope"}
    )  # fmt: skip


def _point(point: PolicyPoint, standard: Value, **values: list[ValueAnswer]) -> PointAnswer:
    return PointAnswer(
        name=point.name, title=point.title, area=point.area, kind=point.freedom.value, sentence=point.sentence,
        standard=standard, choices=list(point.choices), minimum=None if point.choices else point.minimum,
        maximum=None if point.choices else point.maximum, unit=point.unit.value if point.unit else None,
        may_differ_by=list(point.dimensions), **values,
    )  # fmt: skip


@operation("GET", "/policy-points", permission=Permission.VARIANT_VIEW, summary="The policy points", tag=TAG, answer=PointsAnswer)  # fmt: skip
def list_policy_points() -> PointsAnswer:
    return PointsAnswer(
        items=[
            _point(
                row.point, row.standard, holding=[_value(one) for one in row.holding], later=[_value(one) for one in row.later],
                waiting=[_value(one) for one in row.waiting],
            )
            for row in policy_points(reader(), actor(), now())
        ]
    )  # fmt: skip


@operation(
    "GET", "/policy-rules", permission=Permission.VARIANT_VIEW, summary="What would run at a place", tag=TAG, query=PlaceQuery,
    answer=RulesAnswer,
)  # fmt: skip
def show_policy_rules(query: PlaceQuery) -> RulesAnswer:
    site = next((one for one in sites_seen(reader(), actor(), realms=("live",)) if one.id == query.site), None)
    if site is None:
        raise NotFound("site_unknown", field="site", site=query.site)
    scope = Scope(
        item_group=query.item_group, customer_group=query.customer_group, channel=query.channel, site=site.live_id,
        entity=site.entity_id,
    )  # fmt: skip
    found = would_run(reader(), actor(), now(), scope, site.time_zone, query.on)
    return RulesAnswer(
        items=[
            RuleAnswer(
                point=one.point.name, value=one.value, is_standard=one.origin is None,
                origin=one.origin.id if one.origin else None, where=one.origin.where if one.origin else None,
            )
            for one in running(reader(), found, now())
        ]
    )  # fmt: skip


def _rule(rule: DocumentRule) -> RuleAnswer:
    origin = rule.origin
    return RuleAnswer(
        point=rule.name, value=rule.value, is_standard=rule.is_standard, origin=origin.id if origin else None,
        where=origin.where if origin else None,
    )  # fmt: skip


@operation(
    "GET", "/orders/{order_id}/rules", permission=Permission.ORDER_READ, summary="The rules an order runs under", tag=TAG,
    answer=OrderRulesAnswer,
)  # fmt: skip
def show_order_rules(order_id: int) -> OrderRulesAnswer:
    page = order_page(reader(), actor(), order_id)
    found = order_rules(reader(), page.ruleset, page.lines, now())
    return OrderRulesAnswer(
        ruleset=page.ruleset, items=[_rule(one) for one in (*found.departs, *found.standard)],
        lines=[
            LineRulesAnswer(lines=list(part.lines), differs=[_rule(one) for one in part.differs]) for part in found.lines
        ],
    )  # fmt: skip
