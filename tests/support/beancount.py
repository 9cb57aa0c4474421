"""The books as an independent book-keeper reads them, and the balances that we have."""

from __future__ import annotations

import subprocess
import sys

from sqlalchemy import text

from app.composition.uow import reading
from app.reports.journal_export import account_name
from erpcore.kernel.money import from_minor

#: Beancount is somebody else's program under another licence: it runs by itself and says what it found.
READER = """
import sys
from beancount import loader
from beancount.core import realization
entries, errors, options = loader.load_file(sys.argv[1])
for error in errors:
    print("ERROR", error.source, error.message)
for account in realization.iter_children(realization.realize(entries)):
    for position in account.balance:
        print(account.account, position.units.number, position.units.currency)
"""


def read_by_beancount(path):
    shown = subprocess.run([sys.executable, "-c", READER, str(path)], capture_output=True, text=True, check=True)
    return shown.stdout.splitlines()


def balances(database):
    """What stands on each account, by company and currency."""
    with reading(database) as session:
        rows = session.execute(
            text(
                "SELECT n.code, a.kind, a.code, a.name, e.currency, SUM(l.debit_minor - l.credit_minor) FROM journal_line l "
                "JOIN journal_entry e ON e.id = l.entry_id JOIN entity n ON n.id = e.entity_id "
                "JOIN ledger_account a ON a.id = l.account_id GROUP BY 1, 2, 3, 4, 5"
            )
        ).all()
    return {
        (account_name(entity, kind, code, name), currency): from_minor(int(minor), currency)
        for entity, kind, code, name, currency, minor in rows
        if minor
    }
