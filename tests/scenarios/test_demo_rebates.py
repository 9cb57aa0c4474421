"""The demo's rebates: one came over its tier, a return took one back below, one is settled, one waits for a second person."""

from __future__ import annotations

from tests.support.demo import rows

OPEN = "s.accrued_minor - s.settled_minor + s.difference_minor"


def test_a_tier_is_crossed_both_ways_and_one_agreement_is_settled(demo):
    of = "FROM rebate_agreement a JOIN rebate_standing s ON s.agreement_id = a.id"
    found = {row[0]: tuple(row[1:]) for row in rows(demo, f"SELECT a.name, a.state, s.level, {OPEN} {of}")}
    assert {name: row[0] for name, row in found.items()} == {
        "Bonus of the trade": "agreed", "Opening bonus of key accounts": "settled", "Bonus by volume": "agreed",
        "So much a piece": "draft",
    }  # fmt: skip
    assert found["Bonus of the trade"][1] == 2
    assert found["Opening bonus of key accounts"][2] == 0
    crossed = (
        "SELECT a.name, r.document_type, COUNT(*) FROM rebate_accrual r JOIN rebate_agreement a ON a.id = r.agreement_id "
        "WHERE r.adjusted_minor <> 0 GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert {(name, kind) for name, kind, _ in rows(demo, crossed)} >= {
        ("Bonus of the trade", "invoice"), ("Bonus by volume", "invoice"), ("Bonus by volume", "credit_memo"),
    }  # fmt: skip
    assert rows(demo, "SELECT COUNT(*) FROM rebate_credit") != [(0,)]
