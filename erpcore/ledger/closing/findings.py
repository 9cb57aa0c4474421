"""What the checks of a closing found, and what somebody with authority took as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, select

from erpcore.kernel.errors import Conflict, NotFound, RuleBroken
from erpcore.kernel.first import add_first
from erpcore.kernel.history import record_move
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.closing.models import Closing, ClosingAcceptance, ClosingFinding
from erpcore.ledger.closing.tasks import changeable_closing
from erpcore.ledger.periods import AUTHORITY


class Finding(NamedTuple):
    """What a check found, in words; it agrees or it does not. ``may_accept``: somebody may take it as it is."""

    name: str
    agrees: bool
    found: str
    may_accept: bool = False


def newest_findings(work: UnitOfWork, closing: int) -> dict[str, ClosingFinding]:
    """What each check found last, by its name."""
    newest = (
        select(func.max(ClosingFinding.id)).where(ClosingFinding.closing_id == closing).group_by(ClosingFinding.name)
    )
    return {row.name: row for row in work.session.scalars(select(ClosingFinding).where(ClosingFinding.id.in_(newest)))}


def keep_findings(work: UnitOfWork, closing: Closing, findings: Sequence[Finding]) -> dict[str, int]:
    """Keep what differs from what was found before; returns the id of what each check found, by its name."""
    before, out = newest_findings(work, closing.id), {}
    for one in findings:
        old = before.get(one.name)
        if old is not None and (old.agrees, old.found) == (one.agrees, one.found):
            out[one.name] = old.id
            continue
        out[one.name] = work.ids.one()
        work.session.add(
            ClosingFinding(
                id=out[one.name], closing_id=closing.id, name=one.name, agrees=one.agrees, found=one.found, at=work.now
            )
        )
    closing.checked_at = work.now
    work.session.flush()
    return out


def accept_finding(work: UnitOfWork, finding: int, *, reason: str, acceptable: Sequence[str]) -> None:
    """Take what a check found as it is. Raises ``RuleBroken`` for a check that has to agree (``acceptable`` names the others),
    for what was found before and is not so any more, and without a reason.
    """
    work.actor.require(AUTHORITY)
    row = work.session.get(ClosingFinding, finding)
    if row is None:
        raise NotFound("closing_finding_unknown", id=finding)
    closing = changeable_closing(work, row.closing_id)
    if not reason.strip():
        raise RuleBroken("reason_required", field="reason", document="closing", move="accept")
    if row.name not in acceptable:
        raise RuleBroken("closing_check_must_agree", check=row.name)
    if row.agrees or newest_findings(work, row.closing_id)[row.name].id != finding:
        raise Conflict("closing_finding_old")
    acceptance = ClosingAcceptance(
        finding_id=finding, reason=reason.strip(), accepted_by=work.actor.id, accepted_at=work.now
    )
    add_first(work, acceptance, "closing_finding_accepted")
    work.audit(
        "closing_finding_accepted", "closing", row.closing_id, check=row.name, found=row.found, reason=reason.strip()
    )
    record_move(
        work, "closing", row.closing_id, "accept", closing.state, closing.state, reason=reason.strip(), facts={"check": row.name}
    )  # fmt: skip


def failing(work: UnitOfWork, kept: dict[str, int], findings: Sequence[Finding]) -> list[Finding]:
    """What keeps the books from being locked: what does not agree and nobody took as it is."""
    accepted = set(
        work.session.scalars(
            select(ClosingAcceptance.finding_id).where(ClosingAcceptance.finding_id.in_(kept.values()))
        )
    )
    return [one for one in findings if not one.agrees and not (one.may_accept and kept[one.name] in accepted)]
