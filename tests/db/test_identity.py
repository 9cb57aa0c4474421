"""People, roles, sign-ins and tokens on both databases."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.composition.uow import reading, unit_of_work
from app.identity.models import LoginThrottle, RoleGrant
from app.identity.queries import list_people, list_tokens, roles_of
from app.identity.services import CreateUser, GrantRole, create_user, grant_role, revoke_role
from app.identity.sessions import end_all_sign_ins, find_sign_in, open_sign_in
from app.identity.throttle import blocked_until, count_failure, throttle_keys
from app.identity.tokens import CreateToken, create_token, find_token, revoke_token
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import verify_chain
from erpcore.kernel.errors import Conflict, NotAllowed

SYSTEM = Actor.system("test")


@pytest.fixture
def kim(database, clock):
    with unit_of_work(database, actor=SYSTEM, clock=clock) as work:
        account = create_user(work, CreateUser(sign_in="Kim@Example.com", name="Kim"))
        work.session.flush()
        grant_role(
            work, GrantRole(account=account.id, role="pmo", reason="office", until=clock.now() + timedelta(days=10))
        )
        return account.id


def test_a_role_holds_from_its_first_until_before_its_last_instant(database, clock, kim):
    with reading(database) as session:
        at = [clock.now() + timedelta(days=10) - timedelta(microseconds=1), clock.now() + timedelta(days=10)]
        assert [[granted.role for granted in roles_of(session, kim, moment)] for moment in at] == [["pmo"], []]


def test_a_role_may_be_given_again_once_it_has_ended(database, clock, kim):
    with pytest.raises(Conflict), unit_of_work(database, actor=SYSTEM, clock=clock) as work:
        grant_role(work, GrantRole(account=kim, role="pmo", reason="twice"))
    with unit_of_work(database, actor=SYSTEM, clock=clock) as work:
        grant_role(work, GrantRole(account=kim, role="pmo", reason="later", since=clock.now() + timedelta(days=10)))
    with reading(database) as session:
        assert session.scalar(select(func.count()).select_from(RoleGrant)) == 2


def test_a_sign_in_ends_with_its_role_with_time_and_everywhere_at_once(database, clock, kim):
    with unit_of_work(database, actor=SYSTEM, clock=clock) as work:
        tokens = [open_sign_in(work, kim, role=None, lasting=timedelta(hours=12)) for _ in range(2)]
    with reading(database) as session:
        assert [find_sign_in(session, token, clock.now()).name for token in tokens] == ["Kim", "Kim"]
        assert find_sign_in(session, tokens[0], clock.now() + timedelta(hours=12)) is None
        assert find_sign_in(session, "made up", clock.now()) is None
    with unit_of_work(database, actor=SYSTEM, clock=clock) as work:
        assert end_all_sign_ins(work, kim) == 2
    with reading(database) as session:
        assert [find_sign_in(session, token, clock.now()) for token in tokens] == [None, None]


def test_nobody_signs_in_to_a_role_they_do_not_have(database, clock, kim):
    with pytest.raises(NotAllowed), unit_of_work(database, actor=SYSTEM, clock=clock) as work:
        open_sign_in(work, kim, role="administrator", lasting=timedelta(hours=1))


def test_a_token_speaks_for_its_role_as_long_as_that_is_held(database, clock, kim):
    command = CreateToken(
        account=kim,
        name="feed",
        role="pmo",
        permissions=frozenset({"readiness:wave:plan"}),
        lasting=timedelta(days=300),
    )
    with unit_of_work(database, actor=SYSTEM, clock=clock) as work:
        token, secret = create_token(work, command)
        key = token.id
    with reading(database) as session:
        holder = find_token(session.connection(), secret, clock.now())
        assert (holder.account_id, holder.role, holder.permissions) == (kim, "pmo", {"readiness:wave:plan"})
        assert find_token(session.connection(), secret, clock.now() + timedelta(days=10)) is None, "the role has ended"
        assert [one.shown for one in list_tokens(session)] == [secret[:10]]
    with unit_of_work(database, actor=SYSTEM, clock=clock) as work:
        revoke_token(work, key, reason="no longer used")
    with reading(database) as session:
        assert find_token(session.connection(), secret, clock.now()) is None
        assert verify_chain(session).broken_at is None


def test_two_first_failures_at_once_both_count(database, clock):
    keys = throttle_keys("kim@example.com", None)
    barrier = threading.Barrier(2)

    def fail():
        barrier.wait()
        with unit_of_work(database, actor=SYSTEM, clock=clock) as work:
            count_failure(work, keys)

    threads = [threading.Thread(target=fail) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(database) as session:
        assert session.scalar(select(LoginThrottle.failures)) == 2
        assert blocked_until(session, keys, clock.now()) is None


def test_people_are_listed_with_what_they_are_now(database, clock, kim):
    with unit_of_work(database, actor=SYSTEM, clock=clock) as work:
        open_sign_in(work, kim, role=None, lasting=timedelta(hours=1))
    with reading(database) as session:
        (person,) = list_people(session, clock.now())
    assert (person.sign_in, person.open_sign_ins, [granted.role for granted in person.roles]) == (
        "kim@example.com",
        1,
        ["pmo"],
    )
    with unit_of_work(database, actor=SYSTEM, clock=clock) as work:
        revoke_role(work, person.roles[0].id, reason="moved")
    with reading(database) as session:
        (person,) = list_people(session, clock.now())
    assert (person.open_sign_ins, person.roles) == (0, ())


def test_what_is_past_its_time_is_forgotten(database, clock, kim):
    from app.identity.models import SignIn
    from app.jobs.registry import JOBS, Context
    from erpcore.kernel import requests

    with unit_of_work(database, actor=SYSTEM, clock=clock) as work:
        open_sign_in(work, kim, role=None, lasting=timedelta(hours=12))
        count_failure(work, throttle_keys("kim@example.com", "192.0.2.7"))
        requests.claim(work, "key-00000001", {})
        requests.settle(work, "key-00000001", {})
    job = next(job for job in JOBS if job.name == "forget-expired")
    assert job.run(Context(database, clock)) == 0
    clock.advance(timedelta(days=30, hours=13))
    assert job.run(Context(database, clock)) == 2
    with reading(database) as session:
        counts = [
            session.scalar(select(func.count()).select_from(one))
            for one in (SignIn, LoginThrottle, requests.RequestKey)
        ]
    assert counts == [0, 0, 0]
