"""The register as a whole for programs: its health, and where variants gather."""

from __future__ import annotations

from datetime import date, datetime

from app.api.framework import operation
from app.api.values import Answer
from app.composition.request import now, reader
from app.queries.register_health import Held, register_health
from app.queries.register_map import register_map
from app.security.permissions import Permission
from app.security.require import actor
from governance.variants.kinds import Kind

TAG = "Variants"


class MonthAnswer(Answer):
    """Variants in force at the end of a month; the last one is now."""

    at: datetime
    controlled_variations: int
    strategic_exceptions: int


class HeldAnswer(Answer):
    """A variant in force and what ran under it in the last 30 days (`lately`) and ever. Without `is_counted` it is set line by
    line, of which is only known that it was used. Costs are minor units: per month, and for each document of the last 30 days.
    """

    id: int
    code: str
    title: str
    kind: Kind
    where: str
    days: int
    valid_until: datetime | None
    lately: int
    ever: int
    last_on: date | None
    is_counted: bool
    cost_minor: int | None
    cost_currency: str | None
    cost_per_document_minor: int | None
    is_standard_by_now: bool


class OverlapAnswer(Answer):
    """Two variants that set a point where their scopes meet; what `wins` says runs there."""

    point: str
    wins: int
    loses: int


class ProposalAnswer(Answer):
    """A variant that could be retired, and why; to be handed as the reason to its review or end."""

    variant: int
    code: str
    reason: str


class HealthAnswer(Answer):
    """The health of what the caller sees of the register. `doubt`: why the figures cannot be believed now; then nothing is unused."""

    months: list[MonthAnswer]
    in_force: list[HeldAnswer]
    unused: list[int]
    idle: list[int]
    expiring: list[int]
    overlaps: list[OverlapAnswer]
    proposals: list[ProposalAnswer]
    expired_in_use: int
    documents_under_variants: int
    since: date
    doubt: str


class CellAnswer(Answer):
    """Variants in force that reach the site in this process, and documents stamped since, of which so many under a variant."""

    site: int
    process: str
    variants: int
    documents: int
    under_a_variant: int


class MapAnswer(Answer):
    """Sites × processes; cells with neither a variant nor a document are left out. `process` is empty where nothing names it."""

    cells: list[CellAnswer]
    since: date
    doubt: str


def _held(one: Held) -> HeldAnswer:
    term, use = one.term, one.use
    return HeldAnswer(
        id=term.id, code=term.code, title=term.title, kind=Kind(term.kind), where=term.where, days=one.days,
        valid_until=term.ends_at, lately=use.lately, ever=use.ever, last_on=use.last_on, is_counted=use.is_counted,
        cost_minor=term.cost_minor, cost_currency=term.cost_currency, cost_per_document_minor=one.per_document,
        is_standard_by_now=one.is_same,
    )  # fmt: skip


@operation(
    "GET", "/register/health", permission=Permission.VARIANT_VIEW, summary="The health of the register", tag=TAG,
    answer=HealthAnswer,
)  # fmt: skip
def show_register_health() -> HealthAnswer:
    page = register_health(reader(), actor(), now())
    return HealthAnswer(
        months=[
            MonthAnswer(
                at=one.at, controlled_variations=one.by_kind.get(Kind.CONTROLLED_VARIATION, 0),
                strategic_exceptions=one.by_kind.get(Kind.STRATEGIC_EXCEPTION, 0),
            )
            for one in page.months
        ],
        in_force=[_held(one) for one in page.held], unused=[one.term.id for one in page.unused],
        idle=[one.term.id for one in page.idle], expiring=[one.term.id for one in page.expiring],
        overlaps=[OverlapAnswer(point=one.point, wins=one.wins.id, loses=one.loses.id) for one in page.overlaps],
        proposals=[
            ProposalAnswer(variant=one.held.term.id, code=one.held.term.code, reason=one.why) for one in page.proposals
        ],
        expired_in_use=page.expired.documents, documents_under_variants=page.expired.stamped, since=page.since,
        doubt=page.doubt,
    )  # fmt: skip


@operation(
    "GET",
    "/register/map",
    permission=Permission.VARIANT_VIEW,
    summary="Variants by site and process",
    tag=TAG,
    answer=MapAnswer,
)
def show_register_map() -> MapAnswer:
    page = register_map(reader(), actor(), now())
    return MapAnswer(
        cells=[
            CellAnswer(
                site=site, process=process, variants=cell.variants, documents=cell.stamped, under_a_variant=cell.under
            )
            for (site, process), cell in sorted(page.cells.items())
        ],
        since=page.since, doubt=page.doubt,
    )  # fmt: skip
