"""The demo is built by a program as a person would, tells a true story, and lets the reader end it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from click.testing import CliRunner

from app.cli import cli
from app.composition import golive
from app.composition.cells import RegisteredCells
from app.composition.policies import RegisterRules
from app.composition.uow import connect, reading, unit_of_work
from app.config import PasswordCost
from app.demo.build import build_demo, until_of
from app.demo.plan import DemoOptions
from app.identity.passwords import password_matches
from app.identity.queries import list_people
from app.queries.controls import compare_controls
from app.security.roles import Role, title_of
from erpcore.kernel.clock import SetClock
from erpcore.kernel.errors import RuleBroken
from erpcore.ledger.models import AccountRole
from erpcore.ledger.posting_rules import require_side
from erpcore.orders.services import CaptureOrder, NewLine, capture_orders
from governance.decisions.queries import decision_log, decision_view
from governance.decisions.rules import Choice, Outcome
from governance.decisions.voting import CastVote
from readiness.gates.queries import gates, latest_snapshots
from readiness.measures.proof import compare_up_to_cursor, compare_with_rebuild
from readiness.measures.queries import Asked, Scope, read_many
from tests.support import recomputation as plain
from tests.support.demo import ORDERS, PASSWORD, SIZE, UNTIL, WEEKS, person, rows, site

DAY_ONE, LAST = date(2026, 10, 1), date(2026, 12, 1)


def words(database) -> dict[tuple[str, str], tuple[str, Decimal]]:
    with reading(database) as session:
        return {(row.wave_code, str(row.phase)): (str(row.word), row.score) for row in gates(session)}


def test_the_command_says_what_the_gates_say_who_may_sign_in_and_where_the_pack_is(built, demo):
    for wave in ("W1", "W2", "W3"):
        assert re.search(rf"^{wave} ", built.said, re.MULTILINE)
    for role in Role:
        assert re.search(rf"^{re.escape(title_of(role))} ", built.said, re.MULTILINE), role
    assert PASSWORD in built.said
    assert (built.folder / "decision-pack-W2.pdf").read_bytes().startswith(b"%PDF-")
    ids = {row[0] for row in rows(demo, "SELECT id FROM gate")}
    assert {int(found) for found in re.findall(r"/gates/(\d+)", built.said)} == ids


def test_the_world_has_three_countries_seven_sites_four_channels_and_four_waves(demo):
    assert rows(demo, "SELECT country, currency FROM entity WHERE realm = 'live' ORDER BY code") == [
        ("Germany", "EUR"), ("Switzerland", "CHF"), ("United Kingdom", "GBP"),
    ]  # fmt: skip
    kinds = rows(
        demo,
        "SELECT s.kind, COUNT(*) FROM site s JOIN entity e ON e.id = s.entity_id WHERE e.realm = 'live' GROUP BY 1 ORDER BY 1",
    )
    assert dict(map(tuple, kinds)) == {"branch": 2, "distribution_centre": 3, "drop_ship": 1, "third_party": 1}
    assert rows(demo, "SELECT COUNT(*) FROM channel") == [(4,)]
    assert rows(demo, "SELECT code, state FROM wave ORDER BY code") == [
        ("W1", "hypercare"), ("W2", "in_rehearsal"), ("W3", "in_rehearsal"), ("W4", "planned"),
    ]  # fmt: skip


def test_a_branch_was_made_from_a_template_and_waits_for_its_wave(demo):
    ((place, made),) = rows(demo, "SELECT place_id, made FROM template_use")
    assert place == site(demo, "BRE")
    assert rows(demo, "SELECT COUNT(*) FROM wave_scope s JOIN wave w ON w.id = s.wave_id WHERE w.code = 'W4' AND s.site_id = :site",
                site=place) == [(4,)]  # fmt: skip
    assert rows(demo, "SELECT COUNT(*) FROM cell_grant WHERE site_id = :site", site=place) == [(0,)]
    assert '"commitments":[' in made


def test_the_second_wave_says_who_masters_everything_and_the_third_is_held_back_by_what_it_has_not_said(demo):
    with reading(demo) as session:
        found = latest_snapshots(session, [row.id for row in gates(session)])
        said = {
            row.wave_code: next(
                (line["word"] for line in found[row.id].content["criteria"] if line["code"] == "interim"), None
            )
            for row in gates(session)
            if row.id in found and row.phase == "entry" and row.state == "frozen"
        }
    assert said == {"W2": "pass", "W3": "fail"}


def test_the_gate_of_who_stays_live_stands_on_the_age_of_what_customers_wait_for(demo):
    criterion = (
        "SELECT g.phase, c.statistic, c.pass_mark FROM gate_criterion c JOIN gate g ON g.id = c.gate_id"
        " WHERE c.measure = 'backorder_age'"
    )
    assert list(map(tuple, rows(demo, criterion))) == [("stay_live", "p90", 7 * 86_400_000_000)]


def test_people_do_their_part_and_systems_theirs(demo):
    by_people = {row[0] for row in rows(demo, "SELECT DISTINCT type FROM event_log WHERE actor <> 0")}
    assert {"shipment.picked", "order.hold_released", "return.authorised", "stock.adjusted"} <= by_people
    by_systems = {row[0] for row in rows(demo, "SELECT DISTINCT type FROM event_log WHERE actor = 0")}
    assert {"order.released", "order.allocated", "invoice.posted", "shipment.delivered"} <= by_systems


def test_everybody_can_sign_in_and_every_role_is_held_by_somebody(demo):
    with reading(demo) as session:
        people = list_people(session, UNTIL)
    assert {granted.role for one in people for granted in one.roles} == set(Role)
    assert all(len(one.roles) == 1 and one.may_sign_in and not one.must_change for one in people)
    sponsor = next(one for one in people if one.sign_in == "sponsor")
    assert password_matches(PASSWORD, sponsor.password_hash, PasswordCost())
    assert not password_matches("another-password-1", sponsor.password_hash, PasswordCost())


def test_the_books_agree_and_nothing_is_parked(demo):
    with reading(demo, snapshot=True) as session:
        compared = compare_controls(session)
        assert [row for row in compared if row.difference] == []
        assert len(compared) > 100
        assert all(total.difference == 0 for total in compare_up_to_cursor(session))
        assert compare_with_rebuild(session).agrees
    assert rows(demo, "SELECT COUNT(*) FROM parked_event") == [(0,)]
    ((debit, credit),) = rows(demo, "SELECT SUM(debit_minor), SUM(credit_minor) FROM journal_line")
    assert debit == credit > 0


@pytest.mark.parametrize(("code", "realm"), [("DUI", "live"), ("LDS", "live"), ("PRA", "rehearsal")])
def test_each_figure_is_what_the_documents_say(demo, code, realm):
    here = site(demo, code, realm)
    log = plain.told(demo)
    found = plain.orders(log, here)
    scope = Scope(realm=realm, sites=frozenset({here}))
    as_of = UNTIL + timedelta(days=60)
    invoices = ("invoice_right_at_posting", "invoice_accuracy", "invoice_accuracy_value")
    asked = [Asked(key=key, scope=scope, window_days=600) for key in (*plain.RATES, *invoices)]
    with reading(demo) as session:
        figures = {one.measure: one for one in read_many(session, asked, as_of=as_of)}
    for key, recomputed in plain.RATES.items():
        assert (figures[key].numerator, figures[key].denominator) == recomputed(found, DAY_ONE, LAST), key
        assert figures[key].denominator > 0
    for key in invoices:
        expected = plain.invoices(log, key, DAY_ONE, LAST, here)
        assert (figures[key].numerator, figures[key].denominator) == expected, key


def test_one_site_is_clearly_worse_than_the_others(demo):
    wanted = ("perfect_order_rate", "otif_lines", "invoice_right_at_posting", "touchless_rate")
    asked = [
        Asked(key=key, scope=Scope(sites=frozenset({site(demo, code)})), window_days=600)
        for key in wanted
        for code in ("DUI", "KOL", "LDS")
    ]
    with reading(demo) as session:
        found = iter(read_many(session, asked, as_of=UNTIL + timedelta(days=40)))
    for key in wanted:
        duisburg, cologne, leeds = (float(next(found).value) for _ in range(3))
        assert leeds < min(duisburg, cologne) - 0.03, key


def test_wave_1_went_live_by_a_conditional_go_whose_condition_was_met(demo):
    with reading(demo) as session:
        (first,) = [row for row in decision_log(session) if row.title == "Go-live of wave 1"]
        view = decision_view(session, first.id, now=UNTIL)
    assert first.outcome is Outcome.CONDITIONAL_GO
    assert [seat.vote.choice for seat in view.seats if seat.vote].count(Choice.NO_GO) == 1
    assert [str(condition.state) for condition in view.conditions] == ["met"]
    sources = rows(demo, "SELECT source, COUNT(*) FROM cell_grant GROUP BY 1 ORDER BY 1")
    assert dict(map(tuple, sources)) == {"already_live": 8, "decision": 16}


def test_nothing_was_ordered_at_duisburg_before_its_go_and_every_live_order_names_its_grant(demo):
    ((first, opened),) = rows(
        demo,
        "SELECT MIN(o.captured_at), (SELECT MIN(opened_at) FROM cell_grant WHERE source = 'decision') FROM sales_order o "
        "WHERE o.site_id = :site",
        site=site(demo, "DUI"),
    )
    assert first > opened
    ungranted = "SELECT COUNT(*) FROM sales_order o JOIN entity e ON e.id = o.entity_id WHERE e.realm = 'live' AND o.grant_id IS NULL"
    assert rows(demo, ungranted) == [(0,)]


def test_wave_3_is_not_ready_and_lacks_evidence_in_places(demo):
    assert words(demo)["W3", "entry"][0] == "not_ready"
    with reading(demo) as session:
        (row,) = [one for one in gates(session) if one.wave_code == "W3"]
        lines = latest_snapshots(session, [row.id])[row.id].content["criteria"]
    said = {line["word"] for line in lines}
    assert {"pass", "fail", "no_evidence"} <= said
    assert next(line for line in lines if line["code"] == "trained")["sentence"] == "No statement yet by Gareth Plumley"


def test_gates_were_looked_at_every_day_and_a_waiver_counts_that_somebody_else_granted(demo):
    days = rows(
        demo,
        "SELECT COUNT(DISTINCT s.day), MIN(s.day), MAX(s.day) FROM gate_snapshot s JOIN gate g ON g.id = s.gate_id "
        "JOIN wave w ON w.id = g.wave_id WHERE w.code = 'W2' AND s.is_counted",
    )
    ((count, first, last),) = days
    assert (date.fromisoformat(last) - date.fromisoformat(first)).days + 1 == count >= 7
    ((asked, granted),) = rows(demo, "SELECT requested_by, granted_by FROM waiver WHERE state = 'granted'")
    assert asked != granted


def test_a_vote_in_the_committee_opens_the_cell_and_the_refused_order_goes_through(copied):
    clock = SetClock(UNTIL)
    with reading(copied) as session:
        (row,) = [one for one in decision_log(session) if one.closed_at is None]
        view = decision_view(session, row.id, now=UNTIL)
    assert {seat.function for seat in view.seats if seat.vote is None} == {"Sponsor", "Operations", "Sales"}
    order = _an_order(copied)
    with pytest.raises(RuleBroken) as refusal:
        _capture(copied, order, clock)
    assert refusal.value.code == "cell_closed"
    assert (refusal.value.facts["wave"], refusal.value.facts["waits_for"]) == ("W2", "decision")
    for sign_in, function, role in (
        ("sponsor", "Sponsor", Role.SPONSOR), ("operations", "Operations", Role.STEERING_MEMBER),
    ):  # fmt: skip
        seat = next(one.id for one in view.seats if one.function == function)
        vote = CastVote(
            decision_id=row.id, decision_seat_id=seat, choice=Choice.CONDITIONAL_GO, reason="I am convinced",
            waivers=view.waivers,
        )  # fmt: skip
        with unit_of_work(copied, actor=person(copied, sign_in, role), clock=clock) as work:
            golive.cast_vote(work, vote)
    with unit_of_work(copied, actor=person(copied, "pmo", Role.PMO), clock=clock) as work:
        assert golive.close_vote(work, row.id).effect is golive.Effect.OPENED
    assert _capture(copied, order, clock).value_minor > 0


def _an_order(database) -> CaptureOrder:
    pratteln = site(database, "PRA")
    ((entity,),) = rows(database, "SELECT entity_id FROM site WHERE id = :site", site=pratteln)
    ((customer,),) = rows(
        database,
        "SELECT c.id FROM customer c JOIN customer_group g ON g.id = c.group_id WHERE c.entity_id = :entity "
        "AND g.code = 'trade' ORDER BY c.id LIMIT 1",
        entity=entity,
    )
    ((item,),) = rows(database, "SELECT id FROM item WHERE entity_id = :entity ORDER BY id LIMIT 1", entity=entity)
    ((channel,),) = rows(database, "SELECT id FROM channel WHERE code = 'wholesale'")
    return CaptureOrder(
        site=pratteln, channel=channel, customer=customer, lines=[NewLine(item=item, quantity=Decimal(5))]
    )


def _capture(database, order, clock):
    with unit_of_work(database, actor=person(database, "pra.desk", Role.CUSTOMER_SERVICE), clock=clock) as work:
        return capture_orders(work, [order], rules=RegisterRules(), cells=RegisteredCells())[0]


def test_the_same_seed_and_day_give_the_same_figures_on_postgresql(demo, fresh_database):
    other = connect(fresh_database("postgresql"))
    try:
        build_demo(other, DemoOptions(until=UNTIL, orders=ORDERS, weeks=WEEKS), password=PASSWORD)
        assert words(other) == words(demo)
        for query in (
            "SELECT COUNT(*), SUM(value_minor) FROM sales_order",
            "SELECT state, COUNT(*), SUM(gross_minor) FROM invoice GROUP BY 1 ORDER BY 1",
            "SELECT type, COUNT(*) FROM event_log GROUP BY 1 ORDER BY 1",
            "SELECT s.code, SUM(b.value_minor) FROM stock_balance b JOIN site s ON s.id = b.site_id GROUP BY 1 ORDER BY 1",
        ):
            assert [tuple(map(str, row)) for row in rows(other, query)] == [
                tuple(map(str, r)) for r in rows(demo, query)
            ]
    finally:
        other.dispose()


def test_every_entry_is_one_that_its_posting_rule_allows(demo):
    found = rows(
        demo,
        "SELECT DISTINCT e.document_type, e.rule, a.role, CASE WHEN l.debit_minor > 0 THEN 1 ELSE -1 END FROM journal_line l "
        "JOIN journal_entry e ON e.id = l.entry_id JOIN ledger_account a ON a.id = l.account_id",
    )
    for document, rule, role, sign in found:
        require_side(document, rule, AccountRole(role) if role else None, sign)
    assert {(document, rule) for document, rule, _, _ in found} >= {
        ("invoice", "invoice"), ("credit_memo", "credit_memo"), ("shipment", "cost_of_sales"), ("receipt", "receipt"),
        ("application", "application"), ("return", "returned_to_stock"), ("stock_move", "opening"),
    }  # fmt: skip


def test_a_database_in_use_is_left_alone(built):
    shown = CliRunner().invoke(cli, ["demo", *SIZE, "--database", built.url, "--no-serve"])
    assert shown.exit_code == 1
    assert "in use already" in shown.output


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        (datetime(2026, 11, 20, 18, 0, tzinfo=UTC), datetime(2026, 11, 20, 18, 0, tzinfo=UTC)),
        (datetime(2026, 11, 20, 0, 30, tzinfo=UTC), datetime(2026, 11, 19, 21, 0, tzinfo=UTC)),
    ],
)
def test_a_demo_built_in_the_night_ends_on_the_evening_before(now, ends):
    assert until_of(now) == ends
