"""A comparison of the books is made by the worker, kept with both sides, and answers everybody who waits for it."""

from __future__ import annotations

from datetime import timedelta

from app.composition.proofs import ask_for_proof, forget_proofs, last_proof, waiting_proof
from app.composition.uow import reading
from app.jobs.prove import prove_books, prove_if_asked
from app.queries.proof_page import whole_proof
from erpcore.kernel.actor import Actor
from tests.support.core import a_business
from tests.support.steps import shipped


def test_who_asks_waits_for_one_comparison_and_finds_both_sides(database, clock):
    business = a_business(database, at=clock.now())
    business.clock = clock
    shipped(business)
    assert prove_if_asked(database, clock=clock) == 0
    with business.work() as work:
        first = ask_for_proof(work).id
    with business.work() as work:
        assert ask_for_proof(work).id == first
    clock.advance(timedelta(seconds=10))
    assert prove_if_asked(database, clock=clock) > 20
    assert prove_if_asked(database, clock=clock) == 0
    with reading(database) as session:
        assert waiting_proof(session) is None
        run = last_proof(session)
        assert (run.id, run.done_at, run.differing) == (first, clock.now(), 0)
        sides = whole_proof(session, Actor.system("test"), ("stock_on_hand",)).sides
    assert [(one.left, one.right, one.difference) for one in sides] == [(290_000, 290_000, 0)]


def test_a_difference_is_kept_with_its_key_and_old_comparisons_are_forgotten_but_for_the_last(database, clock):
    business = a_business(database, at=clock.now())
    business.clock = clock
    prove_books(database, clock=clock)
    with database.write_engine.begin() as connection:
        connection.exec_driver_sql("UPDATE stock_balance SET on_hand = on_hand + 5")
    clock.advance(timedelta(days=31))
    prove_books(database, clock=clock)
    with reading(database) as session:
        (side,) = whole_proof(session, Actor.system("test"), ("stock_on_hand",)).sides
        assert (side.left - side.right, side.difference, side.first_key) == (15, 15, str(business.items[0]))
    with business.work() as work:
        assert forget_proofs(work) == 1
    clock.advance(timedelta(days=31))
    with business.work() as work:
        assert forget_proofs(work) == 0
