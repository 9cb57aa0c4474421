"""What stands in the register, what does one variant say, and what became of it?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, aliased

from app.identity.models import Account
from app.identity.queries import names_of
from app.queries.listing import Asked, Found, Position, SqlList
from app.queries.policies import SCOPE_TABLES, ScopePart, ValueStep, scope_parts, seen_by, value_steps
from app.queries.variant_runs import Ran, ran_under
from app.queries.variant_terms import of_process, reaching
from app.queries.worked_out import AskedList
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import local_day
from erpcore.kernel.errors import NotFound
from erpcore.ports import POLICY_POINTS, PolicyPoint
from governance.approvals.models import ApprovalRequest
from governance.variants.flow import AGREED
from governance.variants.kinds import Kind
from governance.variants.models import Variant, VariantDeviation, VariantValue
from governance.variants.permissions import VariantPermission
from governance.variants.queries import standards_at, unfit_variants
from governance.variants.validity import GRACE, Standing, effective_at, facts_of, standing

#: An end, or a review, that is nearer than this is soon.
SOON = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class PointValue:
    """A value of a variant beside the standard; ``point`` ``None``: the core has no such point any more."""

    name: str
    value: Any
    point: PolicyPoint | None
    standard: Any

    @property
    def title(self) -> str:
        return self.point.title if self.point is not None else self.name.replace("_", " ").capitalize()

    @property
    def shown(self) -> str:
        return self.point.shown(self.value) if self.point is not None else str(self.value)

    @property
    def standard_shown(self) -> str:
        return self.point.shown(self.standard) if self.point is not None else "–"


@dataclass(frozen=True, kw_only=True)
class VariantRow:
    """A variant in the register. ``standing``: its state, or what the time, its owner or the core made of it. ``cost_minor`` is
    per month; ``ends_at`` when it ended or will.
    """

    id: int
    code: str
    title: str
    kind: str
    step: str | None
    scope: tuple[ScopePart, ...]
    zone: str
    valid_from: datetime
    valid_until: datetime | None
    ended_at: datetime | None
    state: str
    standing: Standing
    version: int
    owner_id: int
    owner: str
    owner_left_at: datetime | None
    rationale: str | None
    cost_minor: int | None
    cost_currency: str | None
    next_review_on: date | None
    is_review_due: bool
    requested_by: int
    requested_at: datetime
    values: tuple[PointValue, ...] = ()
    deviations: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """For whom it holds, the most specific first."""
        return ", ".join(part.name for part in self.scope) or "everybody"

    @property
    def site_id(self) -> int | None:
        """The one site that it is for; ``None`` where it reaches beyond one."""
        return next((part.id for part in self.scope if part.dimension == "site"), None)

    @property
    def changes(self) -> str:
        """What it changes in one line."""
        said = [f"{one.title}: {one.shown}" for one in self.values]
        said += [f"by hand: {one.replace('_', ' ')}" for one in self.deviations]
        return "; ".join(said)

    @property
    def ends_at(self) -> datetime | None:
        return self.ended_at or self.valid_until

    @property
    def lapses_at(self) -> datetime | None:
        """Until when it holds without an owner."""
        return None if self.owner_left_at is None else self.owner_left_at + GRACE

    @property
    def first_day(self) -> date:
        return local_day(self.valid_from, self.zone)

    @property
    def end_day(self) -> date | None:
        """The first day on which the standard holds again, where its days begin."""
        return None if self.ends_at is None else local_day(self.ends_at, self.zone)


@dataclass(frozen=True, kw_only=True)
class VariantPage:
    """One variant whole. ``record`` has what is said about it; ``request`` is the approval that it waits for, or last asked for."""

    row: VariantRow
    record: Variant
    steps: tuple[ValueStep, ...]
    request: ApprovalRequest | None
    supersedes: VariantRow | None
    superseded_by: tuple[VariantRow, ...]
    ran: Ran
    deputy: str


def _query() -> Any:
    query: Any = select(Variant, Account.name.label("owner_name")).outerjoin(Account, Account.id == Variant.owner_id)
    for name, table in SCOPE_TABLES.items():
        query = query.add_columns(table.code.label(f"{name}_code"), table.name.label(f"{name}_name"))
        query = query.outerjoin(table, table.id == getattr(Variant, f"{name}_id"))
    return query


def _row(found: Any, now: datetime, unfit: Collection[int]) -> VariantRow:
    one: Variant = found.Variant
    due = one.state in AGREED and one.next_review_on is not None and one.next_review_on <= local_day(now, one.zone)
    return VariantRow(
        id=one.id, code=one.code, title=one.title, kind=one.kind, step=one.step, scope=scope_parts(found, one), zone=one.zone,
        valid_from=one.valid_from, valid_until=one.valid_until, ended_at=one.ended_at, state=one.state,
        standing=standing(facts_of(one, one.id not in unfit), now), version=one.version, owner_id=one.owner_id,
        owner=found.owner_name or "–", owner_left_at=one.owner_left_at, rationale=one.rationale_category,
        cost_minor=one.cost_minor, cost_currency=one.cost_currency, next_review_on=one.next_review_on, is_review_due=due,
        requested_by=one.requested_by, requested_at=one.requested_at,
    )  # fmt: skip


def _with_parts(
    session: Session, rows: Sequence[VariantRow], now: datetime, unfit: Collection[int]
) -> list[VariantRow]:
    """With their values and deviations: three queries for any number."""
    ids = sorted(row.id for row in rows)
    standards = standards_at(session, now, unfit=unfit)
    values: dict[int, list[PointValue]] = {}
    for found in session.scalars(
        select(VariantValue).where(VariantValue.variant_id.in_(ids)).order_by(VariantValue.point)
    ):
        point = POLICY_POINTS.get(found.point)
        usual = standards.get(found.point, point.standard if point else None)
        one = PointValue(name=found.point, value=orjson.loads(found.value), point=point, standard=usual)
        values.setdefault(found.variant_id, []).append(one)
    deviations: dict[int, list[str]] = {}
    for covered in session.scalars(
        select(VariantDeviation).where(VariantDeviation.variant_id.in_(ids)).order_by(VariantDeviation.deviation)
    ):
        deviations.setdefault(covered.variant_id, []).append(covered.deviation)
    return [
        replace(row, values=tuple(values.get(row.id, ())), deviations=tuple(deviations.get(row.id, ()))) for row in rows
    ]


def _ends_soon(now: datetime) -> Any:
    return and_(Variant.state.in_(AGREED), Variant.valid_until > now, Variant.valid_until <= now + SOON)


def _past(now: datetime) -> Any:
    return and_(Variant.state.in_(AGREED), Variant.valid_until <= now)


def _list(now: datetime, unfit: Collection[int]) -> SqlList[VariantRow]:
    value, deviation = aliased(VariantValue), aliased(VariantDeviation)
    return SqlList(
        select=_query, row=lambda found: _row(found, now, unfit), tie=(Variant.id,), usual="-asked", scope=seen_by,
        finish=lambda session, rows: _with_parts(session, rows, now, unfit), by=("state", Variant.state),
        flags=("effective", "expired", "ending", "review", "left"), text=(Variant.code, Variant.title, Account.name),
        sorts={
            "code": Variant.id, "title": Variant.title, "kind": Variant.kind, "from": Variant.valid_from,
            "until": Variant.valid_until, "owner": Account.name, "asked": Variant.requested_at, "cost": Variant.cost_minor,
            "state": Variant.state,
        },
        wanted={
            "state": lambda wanted, _: Variant.state == wanted,
            "kind": lambda wanted, _: Variant.kind == wanted,
            "process": lambda wanted, _: of_process(wanted),
            "reaches": lambda wanted, _: reaching(wanted),
            "site": lambda wanted, _: Variant.site_id == wanted,
            "channel": lambda wanted, _: Variant.channel_id == wanted,
            "owner": lambda wanted, _: Variant.owner_id == wanted,
            "point": lambda wanted, _: select(value.point).where(value.variant_id == Variant.id, value.point == wanted).exists(),
            "deviation": lambda wanted, _: select(deviation.deviation).where(
                deviation.variant_id == Variant.id, deviation.deviation == wanted
            ).exists(),
            "effective": lambda _wanted, eyes: effective_at(eyes.now, unfit),
            "expired": lambda _wanted, eyes: _past(eyes.now),
            "ending": lambda _wanted, eyes: _ends_soon(eyes.now),
            "review": lambda _wanted, eyes: and_(
                effective_at(eyes.now, unfit), Variant.next_review_on <= eyes.now.date()
            ),
            "left": lambda _wanted, _eyes: and_(Variant.state.in_(AGREED), Variant.owner_left_at.is_not(None)),
        },
    )  # fmt: skip


def _one_page(session: Session, actor: Actor, asked: Asked, now: datetime) -> Found[VariantRow]:
    return _list(now, unfit_variants(session)).page(session, actor, asked, now)


def _all_rows(session: Session, actor: Actor, asked: Asked, now: datetime) -> Iterator[VariantRow]:
    return _list(now, unfit_variants(session)).every(session, actor, asked, now)


def _behind(
    session: Session, actor: Actor, asked: Asked, now: datetime, after: Position, limit: int
) -> list[VariantRow]:
    return _list(now, unfit_variants(session)).after(session, actor, asked, now, after=after, limit=limit)


#: The register. ``ending``: within a month; ``review``: one is due; ``left``: whoever answered for it has gone.
VARIANTS: AskedList[VariantRow] = AskedList(
    sorts=dict.fromkeys(("code", "title", "kind", "from", "until", "owner", "asked", "cost", "state")),
    one_page=_one_page, all_rows=_all_rows, behind=_behind,
)  # fmt: skip


def variant_rows(session: Session, actor: Actor, ids: Collection[int], now: datetime) -> list[VariantRow]:
    """These variants, as far as the person may see them. Five queries, one where none is found, none for none."""
    return _rows(session, _found(session, actor, ids), now)


def variant_row(session: Session, actor: Actor, variant_id: int, now: datetime) -> VariantRow:
    """What one variant changes, where and when; raises ``NotFound`` for an unknown one and for another site's. Five queries."""
    return _rows(session, [_one_found(session, actor, variant_id)], now)[0]


def _found(session: Session, actor: Actor, ids: Collection[int]) -> Sequence[Any]:
    if not ids:
        return []
    return session.execute(seen_by(_query(), actor).where(Variant.id.in_(sorted(ids))).order_by(Variant.id)).all()


def _one_found(session: Session, actor: Actor, variant_id: int) -> Any:
    found = _found(session, actor, {variant_id})
    if not found:
        raise NotFound("variant_unknown", variant=variant_id)
    return found[0]


def _rows(session: Session, found: Sequence[Any], now: datetime) -> list[VariantRow]:
    if not found:
        return []
    unfit = unfit_variants(session)
    return _with_parts(session, [_row(one, now, unfit) for one in found], now, unfit)


def codes_of(session: Session, actor: Actor, ids: Collection[int]) -> dict[int, str]:
    """The codes of these variants, as far as the person may see them. One query, none for none."""
    if not ids:
        return {}
    query = seen_by(select(Variant.id, Variant.code), actor).where(Variant.id.in_(sorted(ids)))
    return {row.id: row.code for row in session.execute(query)}


def variant_page(session: Session, actor: Actor, variant_id: int, now: datetime) -> VariantPage:
    """One variant whole; raises ``NotFound`` for an unknown one and for another site's."""
    found = _one_found(session, actor, variant_id)
    record: Variant = found.Variant
    (row,) = _rows(session, [found], now)
    later = session.scalars(select(Variant.id).where(Variant.supersedes_id == variant_id)).all()
    before = set() if record.supersedes_id is None else {record.supersedes_id}
    kin = {one.id: one for one in variant_rows(session, actor, {*later, *before}, now)}
    deputies = {} if record.deputy_id is None else names_of(session, [record.deputy_id])
    request = session.get(ApprovalRequest, record.approval_id) if record.approval_id is not None else None
    return VariantPage(
        row=row, record=record, steps=tuple(value_steps(session, [variant_id])[variant_id]), request=request,
        supersedes=kin.get(record.supersedes_id or 0), superseded_by=tuple(kin[key] for key in later if key in kin),
        ran=ran_under(session, record), deputy=deputies.get(record.deputy_id or 0, ""),
    )  # fmt: skip


def people_to_choose(session: Session) -> list[tuple[int, str]]:
    """Everybody with an open account, by name."""
    rows = session.execute(
        select(Account.id, Account.name)
        .where(Account.closed_at.is_(None))
        .order_by(Account.name, Account.id)
        .limit(2000)
    )
    return [(row.id, row.name) for row in rows]


def agreed_of_point(session: Session, actor: Actor, point: str, now: datetime) -> list[VariantRow]:
    """The variants in force or to come of a point, which one that this person may ask for may supersede."""
    query = (
        select(Variant.id)
        .join(VariantValue, VariantValue.variant_id == Variant.id)
        .where(
            VariantValue.point == point, Variant.state.in_(AGREED),
            or_(Variant.valid_until.is_(None), Variant.valid_until > now),
        )
    )  # fmt: skip
    if actor.sites is not None:
        query = query.where(Variant.site_id.in_(sorted(actor.sites)))
    if not actor.may(VariantPermission.CONSENT):
        query = query.where(Variant.kind != Kind.STANDARD_CHANGE)
    ids = session.scalars(query).all()
    return variant_rows(session, actor, ids, now)
