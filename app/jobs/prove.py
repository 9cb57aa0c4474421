"""Comparing the books with themselves, and telling the measures what was found."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from app.composition.proofs import keep_proof, waiting_proof
from app.composition.uow import Database, reading, unit_of_work
from app.queries.controls import Comparison, compare_controls, events_read_to
from app.queries.trouble_control import compare_ownership
from app.queries.variant_control import compare_variants
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock, SystemClock
from erpcore.kernel.events import Place
from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.models import Entity
from erpcore.ports import standard_ruleset
from erpcore.published import ControlCompared

JOB = "prove"


def publish_comparisons(work: UnitOfWork, found: Sequence[Comparison], read_to: int) -> int:
    """Report each comparison of an entity as an event; returns how many. The measure ``control_difference`` reads them."""
    entities = {row.id: row for row in work.session.execute(select(Entity)).scalars()}
    told = [row for row in found if row.entity is not None]
    for row in told:
        entity = entities[row.entity or 0]
        place = Place(
            realm=entity.realm, entity=entity.id, site=row.site, ruleset=standard_ruleset().hash,
            currency=entity.currency, time_zone=entity.time_zone,
        )  # fmt: skip
        event = ControlCompared(
            control=row.control, unit=row.unit, left=row.left, right=row.right, difference=row.difference, tolerance=0,
            read_to=read_to,
        )  # fmt: skip
        key = work.ids.one()
        work.publish(event, place, step="record_to_report.post", subject=("control", key, 1), journey=key)
    return len(told)


def prove_books(database: Database, *, clock: Clock | None = None) -> list[Comparison]:
    """Compare both sides of every control at one moment, keep and publish what was found."""
    with reading(database, snapshot=True) as session:
        found = compare_controls(session) + compare_ownership(session, (clock or SystemClock()).now())
        found += compare_variants(session)
        read_to = events_read_to(session)
    with unit_of_work(database, actor=Actor.system(JOB), clock=clock) as work:
        publish_comparisons(work, found, read_to)
        keep_proof(work, found, read_to)
    return found


def prove_if_asked(database: Database, *, clock: Clock | None = None) -> int:
    """Compare at once where somebody waits for it; returns how many comparisons that gave."""
    with reading(database) as session:
        if waiting_proof(session) is None:
            return 0
    return len(prove_books(database, clock=clock))
