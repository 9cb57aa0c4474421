"""The floor that our figures are compared with does the work it claims."""

import sqlite3

from benchmarks import raw_floor


def rows_written(path):
    with sqlite3.connect(path) as connection:
        found = {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in raw_floor.TABLES
        }
    connection.close()
    return found


def test_an_order_leaves_sixty_rows():
    order = raw_floor.orders(1)[0]
    assert sum(len(rows) for step in order.steps() for rows in step.rows.values()) == 60


def test_both_ways_leave_the_same_rows_and_balanced_books(tmp_path):
    left = {}
    for name, write in (("step", raw_floor.write_by_step), ("batch", raw_floor.write_in_batches)):
        store = raw_floor.SqliteStore(tmp_path / name)
        raw_floor.build(store)
        write(store, raw_floor.orders(7))
        store.close()
        left[name] = rows_written(tmp_path / name)
    assert left["step"] == left["batch"]
    assert len(left["step"]["event"]) == 7 * 8
    assert sum(amount for *_, amount in left["step"]["entry_line"]) == 0
    assert {row[3] for row in left["step"]["sales_order"]} == {"paid"}
    assert sum(row[1] for row in left["step"]["balance"]) == raw_floor.ITEMS * raw_floor.STOCK - sum(
        quantity for order in raw_floor.orders(7) for _, _, quantity, _ in order.lines
    )
