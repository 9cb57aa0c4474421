"""Entries of the RAID register that trigger themselves, and those that the next body must hear of, each in a transaction of its own.

A figure that cannot be believed triggers nothing, and stands on the entry's page as missing evidence.
"""

from __future__ import annotations

from app.composition.risk_desk import days_at, ladders, term_ends, watched
from app.composition.uow import Database, reading, unit_of_work
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock, local_day
from governance.risks.escalation import pass_on, trigger_by_figure
from governance.risks.flow import EntryState
from governance.risks.models import RaidEntry
from governance.risks.queries import to_pass_on, watching
from governance.risks.rules import concern
from readiness.gates.wording import figure
from readiness.measures.catalogue import find_figure
from readiness.measures.reading import Reading

_JOB = "risks"


def watch_risks(database: Database, *, clock: Clock) -> int:
    """How many entries were triggered by their figure, or went on to another body or back to their owner."""
    return trigger_crossed(database, clock=clock) + pass_on_due(database, clock=clock)


def trigger_crossed(database: Database, *, clock: Clock) -> int:
    """Trigger every open entry whose figure is beyond its limit now."""
    with reading(database) as session:
        open_ones = [one for one in watching(session) if one.state == EntryState.OPEN]
        read = watched(session, open_ones, clock.now())
        crossed = [
            (one.id, one.version, *_said(one, read[one.id].reading))
            for one in open_ones
            if one.id in read and read[one.id].is_beyond
        ]
    done = 0
    for entry, version, reason, facts in crossed:
        with unit_of_work(database, actor=Actor.system(_JOB), clock=clock) as work:
            done += trigger_by_figure(work, entry, reason, facts, seen_version=version)
    return done


def _said(one: RaidEntry, read: Reading) -> tuple[str, dict[str, str]]:
    """Why an entry is triggered, in a sentence and as facts."""
    unit = read.unit.value
    title = find_figure(str(one.figure)).measure.title
    value, limit = figure(read.value, unit), figure(one.figure_limit, unit)
    facts = {"figure": str(one.figure), "value": str(read.value), "limit": str(one.figure_limit), "scope": read.scope}
    return f"{title} reads {value} at {read.scope}, which is {one.side} the limit of {limit}.", facts


def pass_on_due(database: Database, *, clock: Clock) -> int:
    """Begin the terms of entries that became late or triggered, and let the next body hear of those whose term is over."""
    now = clock.now()
    utc = local_day(now, "UTC")
    with reading(database) as session:
        found = to_pass_on(session, now, utc)
        days = days_at(session, {one.site for one in found if one.site is not None}, now)
        dated = [(one, utc if one.site is None else days.get(one.site, utc)) for one in found]
        # Most of those that are due today are not late yet: nothing is done about them.
        dated = [
            (one, today) for one, today in dated if one.is_watched or concern(one.state, one.due_on, today) is not None
        ]
        bodies = ladders(session, {one.body for one, _ in dated})
        terms = {one.id: term_ends(session, one.site, now, one.escalation_hours) for one, _ in dated}
    done = 0
    for one, today in dated:
        with unit_of_work(database, actor=Actor.system(_JOB), clock=clock) as work:
            done += pass_on(work, one.id, ladder=bodies.get(one.body, (one.body,)), due=terms[one.id], today=today)
    return done
