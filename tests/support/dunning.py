"""Builders of dunning: a procedure of three levels, people who propose and confirm, and the days it takes."""

from __future__ import annotations

from datetime import date, timedelta

from app.jobs.dunning import issue_confirmed
from app.security.roles import ROLES, Role
from erpcore.billing.dunning.procedures import WriteProcedure, write_procedure
from erpcore.billing.dunning.rules import Level
from erpcore.billing.dunning.runs import confirm_run, propose_run
from erpcore.kernel.actor import Actor

LEVELS = (
    Level(level=1, days_overdue=5, min_minor=1_000, fee_minor=0, letter="reminder", respite_days=10),
    Level(level=2, days_overdue=20, min_minor=1_000, fee_minor=500, letter="demand", respite_days=10),
    Level(
        level=3, days_overdue=40, min_minor=1_000, fee_minor=1_500, letter="final", respite_days=7, note="We are sorry."
    ),
)
FIRST, SECOND = 7001, 7002


def somebody(number, role=Role.FINANCE):
    """A person of a role at all sites."""
    permissions = frozenset(str(one) for one in ROLES[role].permissions)
    return Actor(id=number, role=str(role), permissions=permissions)


def a_procedure(business, *, levels=LEVELS, **changes):
    """A procedure in force from today on."""
    with business.work() as work:
        return write_procedure(
            work,
            WriteProcedure(
                **{
                    "entity": business.entity, "name": "Usual", "valid_from": date(2026, 3, 2), "levels": levels,
                    "interval_days": 7, "min_total_minor": 0, **changes,
                }
            ),
        )  # fmt: skip


def proposed(business):
    """A run of today, proposed by the first person."""
    with business.work(somebody(FIRST)) as work:
        return propose_run(work, business.entity)


def issued(business):
    """A run of today, confirmed by the second person and issued."""
    run = proposed(business).run
    with business.work(somebody(SECOND)) as work:
        confirm_run(work, run)
    issue_confirmed(business.database, clock=business.clock, run=run)
    return run


def later(business, days):
    business.clock.advance(timedelta(days=days))
