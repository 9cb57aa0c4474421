"""Who hears of an entry that is late or over its threshold, and when? One body after the other, in working hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from erpcore.kernel.work import UnitOfWork
from governance.risks.flow import ENTRY_FLOW, EntryState
from governance.risks.models import RaidEntry
from governance.risks.records import calm, moved, note
from governance.risks.rules import concern


def trigger_by_figure(
    work: UnitOfWork, entry: int, reason: str, facts: Mapping[str, str], *, seen_version: int
) -> bool:
    """Trigger an entry whose figure was beyond its limit. False where somebody was quicker, if only with another limit."""
    row = work.session.get_one(RaidEntry, entry, with_for_update={"key_share": True}, populate_existing=True)
    if row.version != seen_version or row.state != EntryState.OPEN:
        return False
    moved(work, row, "trigger", ENTRY_FLOW.target("trigger", row.state, reason=reason), reason, **facts)
    return True


def pass_on(work: UnitOfWork, entry: int, *, ladder: Sequence[int], due: datetime, today: date) -> bool:
    """Look whether the next body has to hear of an entry: true where something changed.

    The first time that a concern is seen a term begins, which ends at ``due``; when it is over, the next body of the ladder hears of
    it and, where there is a further one, another term begins.
    """
    row = work.session.get_one(RaidEntry, entry, with_for_update={"key_share": True}, populate_existing=True)
    why = concern(EntryState(row.state), row.due_on, today)
    if why is None:
        before = row.concern_since
        calm(work, row, today)
        return before is not None
    if row.concern_since is None:
        row.concern_since, row.escalates_at = work.now, due
        row.version += 1
        return True
    if row.escalates_at is None or row.escalates_at > work.now or row.level >= len(ladder):
        return False
    row.escalated_to, row.level = ladder[row.level], row.level + 1
    row.escalates_at = due if row.level < len(ladder) else None
    note(work, row, "escalate", to=row.escalated_to, level=row.level, why=why.value)
    return True
