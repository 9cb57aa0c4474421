"""The same request twice, and a trail that cannot be rewritten."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from sqlalchemy import event, text

from app.cli.prove import prove
from app.composition.anchors import anchors_known, check_chain, keep_anchor
from app.composition.uow import reading, unit_of_work
from app.jobs.registry import Context, anchor
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import Anchor, last_link, verify_chain
from erpcore.kernel.errors import Busy, Conflict
from erpcore.kernel.requests import claim, claim_documents, forget_expired, settle
from tests.support.threads import at_once

ANN, BOB = Actor(id=7, role="billing"), Actor(id=8, role="billing")


def test_the_second_time_gives_the_first_result(database, clock):
    with unit_of_work(database, actor=ANN, clock=clock) as work:
        assert claim(work, "k-1", {"amount": 5}) is None
        settle(work, "k-1", {"order": 42})
    with unit_of_work(database, actor=ANN, clock=clock) as work:
        assert claim(work, "k-1", {"amount": 5}) == {"order": 42}


def test_the_same_key_with_other_content_is_a_conflict(database, clock):
    with unit_of_work(database, actor=ANN, clock=clock) as work:
        claim(work, "k-1", {"amount": 5})
        settle(work, "k-1", {})
    with pytest.raises(Conflict, match="request_key_reused"), unit_of_work(database, actor=ANN, clock=clock) as work:
        claim(work, "k-1", {"amount": 6})


def test_a_key_belongs_to_the_person_who_used_it(database, clock):
    for actor in (ANN, BOB):
        with unit_of_work(database, actor=actor, clock=clock) as work:
            assert claim(work, "k-1", {"amount": actor.id}) is None


def test_a_request_that_failed_can_be_made_again(database, clock):
    with pytest.raises(RuntimeError), unit_of_work(database, actor=ANN, clock=clock) as work:
        _fail_after_claiming(work)
    with unit_of_work(database, actor=ANN, clock=clock) as work:
        assert claim(work, "k-1", {}) is None


def _fail_after_claiming(work):
    claim(work, "k-1", {})
    raise RuntimeError


def test_of_two_with_the_same_key_one_does_it(database, clock):
    done = []

    def submit():
        with unit_of_work(database, actor=ANN, clock=clock) as work:
            first = claim(work, "k-1", {"amount": 5})
            if first is None:
                settle(work, "k-1", {"done": True})
        done.append(first)

    assert at_once(submit, submit, submit) == [None] * 3
    assert sorted(done, key=str) == [None, {"done": True}, {"done": True}]


def test_documents_are_known_by_key_and_content(database, clock):
    with unit_of_work(database, actor=ANN, clock=clock) as work:
        assert claim_documents(work, "import:x", {"A": "1" * 64, "B": "2" * 64}) == {}
    with unit_of_work(database, actor=ANN, clock=clock) as work:
        assert claim_documents(work, "import:x", {"A": "1" * 64, "B": "9" * 64, "C": "3" * 64}) == {
            "A": True,
            "B": False,
        }


def test_expired_keys_are_forgotten_and_those_of_imports_never(database, clock):
    from datetime import timedelta

    with unit_of_work(database, actor=ANN, clock=clock) as work:
        claim(work, "k-1", {})
        claim_documents(work, "import:x", {"A": "1" * 64})
    clock.advance(timedelta(days=31))
    with unit_of_work(database, actor=ANN, clock=clock) as work:
        assert forget_expired(work) == 1
    with reading(database) as session:
        assert session.execute(text("SELECT scope FROM request_key")).scalars().all() == ["import:x"]


def a_trail(database, clock, links=3):
    for number in range(links):
        with unit_of_work(database, actor=ANN, clock=clock) as work:
            work.audit("waiver.granted", "waiver", number, reason="x")
            work.audit("vote.cast", "decision", number)


def test_the_chain_is_whole_as_it_was_written(database, clock):
    a_trail(database, clock)
    with reading(database) as session:
        report = verify_chain(session)
    assert (report.links, report.broken_at) == (3, None)


@pytest.mark.parametrize(
    ("tamper", "at"),
    [
        ("UPDATE audit_entry SET content = replace(content, '\"x\"', '\"y\"') WHERE position = 2", 2),
        ("UPDATE audit_entry SET actor = 99 WHERE position = 3", 3),
        ("DELETE FROM audit_entry WHERE position = 1 AND ordinal = 1", 1),
        ("DELETE FROM audit_link WHERE position = 2", 3),
        ("UPDATE audit_link SET hash = replace(hash, substr(hash, 1, 1), '-') WHERE position = 3", 3),
    ],
)
def test_whoever_rewrites_the_trail_behind_the_triggers_is_found(database, clock, tamper, at):
    a_trail(database, clock)
    with database.write_engine.begin() as connection:
        if database.is_sqlite:
            names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            for name in names:
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(tamper))
    with reading(database) as session:
        assert verify_chain(session).broken_at == at


def test_two_importers_of_the_same_documents_take_them_once(database, clock):
    taken = []

    def run():
        with unit_of_work(database, actor=ANN, clock=clock) as work:
            known = claim_documents(work, "import:x", {f"D{n}": "1" * 64 for n in range(50)})
        taken.append(len(known))

    results = at_once(run, run)
    assert [result for result in results if result is not None and not isinstance(result, Busy)] == []
    assert sorted(taken) == [0, 50]


def _behind_the_triggers(database, *statements):
    with database.write_engine.begin() as connection:
        if database.is_sqlite:
            names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            for name in names:
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))


def _checked(database, anchors=()):
    with reading(database) as session:
        report = verify_chain(session, anchors)
    return report.broken_at, report.why


def test_a_forged_entry_is_found(database, clock):
    a_trail(database, clock)
    _behind_the_triggers(
        database, "UPDATE audit_entry SET content = replace(content, '\"x\"', '\"y\"') WHERE position = 2"
    )
    assert _checked(database) == (2, "the content does not give the recorded hash")


def test_a_removed_entry_is_found(database, clock):
    a_trail(database, clock)
    _behind_the_triggers(
        database, "DELETE FROM audit_entry WHERE position = 2", "DELETE FROM audit_link WHERE position = 2"
    )
    assert _checked(database) == (3, "a link is missing")


def test_reordered_entries_are_found_within_a_link_and_between_links(database, clock):
    a_trail(database, clock)
    _behind_the_triggers(
        database, "UPDATE audit_entry SET ordinal = 9 WHERE position = 2 AND ordinal = 0",
        "UPDATE audit_entry SET ordinal = 0 WHERE position = 2 AND ordinal = 1",
        "UPDATE audit_entry SET ordinal = 1 WHERE position = 2 AND ordinal = 9",
    )  # fmt: skip
    assert _checked(database) == (2, "the content does not give the recorded hash")


def test_two_links_that_changed_places_are_found(database, clock):
    a_trail(database, clock)
    swap = "UPDATE {} SET position = {} WHERE position = {}"
    _behind_the_triggers(
        database,
        *[
            swap.format(table, to, of)
            for table in ("audit_entry", "audit_link")
            for of, to in ((1, 90), (2, 1), (90, 2))
        ],
    )
    assert _checked(database)[0] == 1


def test_a_tail_that_was_cut_off_is_found_by_whoever_knows_a_later_link(database, clock, tmp_path):
    a_trail(database, clock)
    with reading(database) as session:
        last = last_link(session)
    assert [keep_anchor(tmp_path, database.url, clock, last) for _ in range(2)] == [1, 0]
    known = anchors_known(tmp_path, database.url)
    assert known == [Anchor(3, last[1])]
    assert _checked(database, known) == (None, None)
    _behind_the_triggers(
        database, "DELETE FROM audit_entry WHERE position = 3", "DELETE FROM audit_link WHERE position = 3"
    )
    assert _checked(database) == (None, None)
    assert _checked(database, known) == (3, "links are missing at the end: one with the number 3 was kept elsewhere")


@pytest.mark.parametrize("command", ["check", "prove"])
def test_an_anchor_of_a_link_written_while_the_chain_is_checked_is_no_tail_cut_off(
    database, clock, tmp_path, monkeypatch, command
):
    a_trail(database, clock)

    @contextmanager
    def overtaken(of, *, snapshot=False):
        with reading(of, snapshot=snapshot) as session:
            assert last_link(session)[0] == 3
            with unit_of_work(database, actor=ANN, clock=clock) as work:
                work.audit("waiver.granted", "waiver", 8, reason="meanwhile")
            with reading(database) as later:
                keep_anchor(tmp_path, database.url, clock, last_link(later))
            yield session

    if command == "check":
        monkeypatch.setattr("app.composition.anchors.reading", overtaken)
        assert check_chain(database, tmp_path).broken_at is None
    else:
        monkeypatch.setattr("app.cli.prove.reading", overtaken)
        monkeypatch.setenv("WAVEGATE_DATABASE_URL", database.url)
        monkeypatch.setenv("WAVEGATE_INSTANCE", str(tmp_path))
        result = CliRunner().invoke(prove, ["--json"])
        assert (result.exit_code, result.exception) == (0, None), result.output
    assert anchors_known(tmp_path, database.url)[-1].position == 4


def test_an_anchor_is_kept_only_of_a_link_that_is_on_disk(database, clock, tmp_path, monkeypatch):
    a_trail(database, clock)
    done = []

    def note(_connection, _cursor, statement, *_rest):
        if "pg_logical_emit_message" in statement:
            done.append("on disk")

    def kept(*arguments):
        done.append("kept")
        return keep_anchor(*arguments)

    monkeypatch.setattr("app.jobs.registry.keep_anchor", kept)
    event.listen(database.read_engine, "before_cursor_execute", note)
    try:
        assert anchor(Context(database, clock, None, None, tmp_path)) == 1
    finally:
        event.remove(database.read_engine, "before_cursor_execute", note)
    # SQLite waits for the disk within its commit.
    assert done == (["kept"] if database.is_sqlite else ["on disk", "kept"])


def test_a_tail_that_was_written_anew_is_found_by_whoever_knows_the_old_one(database, clock, tmp_path):
    a_trail(database, clock)
    with reading(database) as session:
        keep_anchor(tmp_path, database.url, clock, last_link(session))
    _behind_the_triggers(
        database, "DELETE FROM audit_entry WHERE position = 3", "DELETE FROM audit_link WHERE position = 3"
    )
    with unit_of_work(database, actor=ANN, clock=clock) as work:
        work.audit("waiver.granted", "waiver", 7, reason="another story")
    assert _checked(database) == (None, None)
    assert _checked(database, anchors_known(tmp_path, database.url)) == (
        3,
        "the link is not the one that was kept elsewhere",
    )
