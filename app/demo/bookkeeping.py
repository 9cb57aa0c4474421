"""Finance writes journals by hand: one is in the books with four eyes, one waits for a second person."""

from __future__ import annotations

from datetime import timedelta

from app.demo.desk import Desk
from erpcore.kernel.clock import local_day
from erpcore.ledger.chart import add_account
from erpcore.ledger.journals import JournalLineIn, WriteJournal, move_journal, write_journal
from erpcore.masterdata.models import Realm

#: Whose books.
_SITE = (Realm.LIVE.value, "DUI")
_RENT, _CLEANING = 1_240_000, 86_500


def write_journals(desk: Desk) -> None:
    """Rent is accrued and approved by the owner of the process; the cleaning of the same month waits for that."""
    node = desk.world.nodes[_SITE]
    finance, approver = desk.staff["finance"], desk.staff["process.billing"]
    day = local_day(desk.clock.now(), "Europe/Berlin") - timedelta(days=1)
    with desk.work(finance, Realm.LIVE) as work:
        rent = add_account(work, node.entity, code="6100", name="Rent and premises", kind="expense")
        owed = add_account(work, node.entity, code="2400", name="Accrued expenses", kind="liability")

    def written(reason: str, minor: int, evidence: str) -> int:
        command = WriteJournal(
            entity=node.entity, site=node.id, entry_on=day, reason=reason, evidence=evidence,
            lines=[JournalLineIn(rent, minor, 0), JournalLineIn(owed, 0, minor)],
        )  # fmt: skip
        with desk.work(finance, Realm.LIVE) as work:
            journal = write_journal(work, command)
            move_journal(work, journal, "submit")
        return journal

    journal = written("Rent of the month", _RENT, "Lease of the hall at Duisburg, paragraph 4: due at the month's end.")
    with desk.work(approver, Realm.LIVE) as work:
        move_journal(work, journal, "approve", note="As in the lease.")
    with desk.work(finance, Realm.LIVE) as work:
        move_journal(work, journal, "post")
    written(
        "Cleaning of the month", _CLEANING, "The invoice comes in the next month; amount of the framework contract."
    )
