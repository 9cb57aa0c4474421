"""The moves of a place: the newest first, the older ones behind them, and a mistake of long ago can still be taken back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.composition.uow import reading
from erpcore.inventory.adjusting import Adjust, AdjustmentReason, adjust
from tests.support.controls import assert_books_agree
from tests.support.core import OPEN, RULES, a_business
from tests.support.operate import open_cells


@pytest.fixture
def business(database, clock):
    made = a_business(database, at=clock.now(), limit=500_000)
    made.clock = clock
    open_cells(made)
    return made


def _adjusted(business, times):
    """So many corrections of one piece each, a minute apart; the first of them last."""
    with business.work() as work:
        for number in range(times):
            command = Adjust(
                site=business.site, item=business.items[0], quantity=Decimal(1), reason=AdjustmentReason.OTHER,
                note=f"correction {number}",
            )  # fmt: skip
            adjust(work, [command], rules=RULES, cells=OPEN)
            business.clock.advance(timedelta(minutes=1))


def test_older_moves_follow_behind_the_newest_and_each_is_shown_once(signed_in, business, database):
    _adjusted(business, 60)
    browser, here = signed_in("warehouse_supervisor"), f"/stock/{business.site}/{business.items[0]}"
    with reading(database) as session:
        found = session.execute(
            text("SELECT id FROM stock_move WHERE item_id = :item ORDER BY moved_at DESC, id DESC"),
            {"item": business.items[0]},
        )
        moves = [row.id for row in found]
    page = browser.get(here)
    seen = [number for number in range(60) if f"correction {number}<" in page.html]
    assert seen == list(range(35, 60))
    assert f"{len(moves)}, 25 of them here" in page.text
    older = browser.get(f"{here}?before={moves[24]}")
    assert f'href="{here}?before={moves[24]}#moves"' in page.html
    assert [number for number in range(60) if f"correction {number}<" in older.html] == list(range(10, 35))
    last = browser.get(f"{here}?before={moves[49]}")
    assert [number for number in range(60) if f"correction {number}<" in last.html] == list(range(10))
    assert "Older moves" not in last.text
    assert "No older move" in browser.get(f"{here}?before={moves[-1]}").text


def test_a_correction_that_many_moves_followed_is_still_taken_back(signed_in, business, database):
    _adjusted(business, 30)
    with reading(database) as session:
        first = session.execute(text("SELECT id FROM stock_move WHERE note LIKE '%correction 0'")).scalar_one()
    browser = signed_in("warehouse_supervisor")
    here = f"/stock/{business.site}/{business.items[0]}/moves/{first}/reverse"
    browser.get(here)
    browser.post(here, {"reason": "never was"})
    with reading(database) as session:
        back = session.execute(
            text(f"SELECT quantity FROM stock_move WHERE reason = 'reversal' AND document_id = {first}")
        )
        assert back.scalars().all() == [-1000]
    browser.get(f"/stock/{business.site}/{business.items[1]}/moves/{first}/reverse", status=404)
    assert_books_agree(database)
