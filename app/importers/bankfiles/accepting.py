"""What is proposed for bank entries is accepted by a person: one, several, or all above a confidence that they name."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from app.queries.cash_desk import MOST_TOGETHER, Suggestion, came_of, lines_waiting, suggest
from erpcore.billing.bank_lines import AssignLine, Part, assign_lines, open_lines
from erpcore.billing.cash_credit import ApplyCredit
from erpcore.billing.cash_known import hold_payers, typed_receipts
from erpcore.billing.cash_matching import SURE, Proposal
from erpcore.kernel.errors import Conflict, RuleBroken
from erpcore.kernel.work import UnitOfWork


def accept_chosen(work: UnitOfWork, entity: int, shown: Mapping[int, str], chosen: Collection[int]) -> list[int]:
    """Accept what was proposed for the chosen of the entries that were shown (line and token); returns the receipts' ids.

    All that were shown are looked at, since two may be proposed for one invoice. Raises ``Conflict("proposal_changed")`` when
    another proposal is made now than the one that was shown.
    """
    waiting = lines_waiting(work.session, entity, {*shown, *chosen}, limit=MOST_TOGETHER)
    found = {one.line.id: one for one in suggest(work.session, work.actor, entity, waiting)}
    if not chosen:
        raise RuleBroken("nothing_chosen")
    if any(key not in found or found[key].token != shown.get(key) for key in chosen):
        raise Conflict("proposal_changed")
    return _assign(work, [found[key] for key in sorted(chosen)])


def accept_sure(work: UnitOfWork, entity: int, percent: int) -> list[int]:
    """Accept every proposal of at least this confidence, of the oldest entries that wait; returns the receipts' ids.
    Entries whose money looks typed before are left to a person.

    Raises ``RuleBroken("confidence_too_low")`` below what may be accepted unseen.
    """
    if not SURE <= percent <= 100:
        raise RuleBroken("confidence_too_low", field="percent", least=SURE)
    waiting = lines_waiting(work.session, entity, limit=MOST_TOGETHER)
    found = [one for one in suggest(work.session, work.actor, entity, waiting) if one.proposal.confidence >= percent]
    # Entries before their payers, as whoever assigns one does.
    open_lines(work, [one.line.id for one in found])
    hold_payers(work, (one.proposal.customer for one in found if one.proposal.customer))
    typed = typed_receipts(work.session, entity, came_of(found))
    return _assign(work, [one for one in found if one.line.id not in typed])


def credits_of(proposal: Proposal) -> list[ApplyCredit]:
    """The credit memos that a proposal sets against invoices."""
    return [
        ApplyCredit(credit=credit, invoice=invoice, amount_minor=minor) for credit, invoice, minor in proposal.credits
    ]


def _assign(work: UnitOfWork, found: list[Suggestion]) -> list[int]:
    commands = []
    for one in found:
        proposal = one.proposal
        if proposal.customer is None:
            raise RuleBroken("nothing_proposed", line=one.line.id)
        commands.append(
            AssignLine(
                line=one.line.id, customer=proposal.customer, explanation=f"{proposal.confidence} %: {proposal.why}",
                parts=[Part(invoice=invoice, amount_minor=minor) for invoice, minor in proposal.parts],
                credits=credits_of(proposal),
            )
        )  # fmt: skip
    return assign_lines(work, commands) if commands else []
