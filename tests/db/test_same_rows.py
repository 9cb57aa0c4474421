"""The floor of an import writes the rows that it says it writes."""

import pytest
from sqlalchemy import insert, text

from benchmarks.registry import Bench
from benchmarks.same_rows import seconds_to_write_again
from erpcore.kernel.audit import AuditEntry


class OnThese(Bench):
    """A bench whose databases are the tests' own."""

    def __init__(self, fresh_database):
        super().__init__()
        self.made = []
        self._fresh = fresh_database

    def new_database(self, kind):
        self.made.append(self._fresh(kind))
        return self.made[-1]


@pytest.fixture
def filled(database):
    rows = [
        {"position": 1, "ordinal": number, "kind": "note", "subject_type": "thing", "subject_id": number, "actor": 0}
        for number in range(7)
    ]
    with database.write_engine.begin() as connection:
        connection.execute(insert(AuditEntry), [{**row, "role": "system:test", "content": "{}"} for row in rows])
    return database


def test_the_same_rows_stand_in_the_other_database(filled, fresh_database):
    from app.composition.uow import connect

    with OnThese(fresh_database) as bench:
        seconds, rows = seconds_to_write_again(bench, filled.url, commits=3)
    again = connect(bench.made[0])
    with again.read_engine.connect() as connection:
        written = connection.execute(text("SELECT ordinal FROM audit_entry ORDER BY ordinal")).scalars().all()
    again.dispose()
    assert rows == 7
    assert written == list(range(7))
    assert seconds > 0
