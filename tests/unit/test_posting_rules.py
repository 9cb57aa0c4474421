"""Posting rules and reports without a database: what a rule lets through, and which period comes before another."""

from datetime import date

import pytest

from app.composition.subscriptions import event_catalogue
from erpcore.inventory.models import MoveReason
from erpcore.kernel.errors import RuleBroken
from erpcore.ledger.models import AccountRole
from erpcore.ledger.posting_rules import POSTING_RULES, contra_of, require_side, rule_of
from erpcore.ledger.statements import Period


def test_every_rule_is_called_by_a_known_event_and_has_both_sides():
    assert {rule.event for rule in POSTING_RULES} <= event_catalogue().names()
    assert all(rule.is_free or (rule.debits and rule.credits) for rule in POSTING_RULES)
    assert len({(rule.document, rule.name) for rule in POSTING_RULES}) == len(POSTING_RULES)


def test_every_reason_of_a_move_that_posts_by_itself_has_a_rule():
    silent = {MoveReason.ISSUE, MoveReason.RETURN, MoveReason.PLACEMENT, MoveReason.STATUS}
    assert {rule.name for rule in POSTING_RULES if rule.document == "stock_move"} == set(MoveReason) - silent
    assert contra_of("stock_move", MoveReason.TRANSFER, AccountRole.INVENTORY) is AccountRole.TRANSFER


def test_a_side_that_no_rule_allows_is_refused():
    require_side("invoice", "invoice", AccountRole.RECEIVABLE, 100)
    require_side("invoice", "invoice", AccountRole.REVENUE, 100)
    require_side("stock_move", "count", AccountRole.INVENTORY, -100)
    for role, amount in ((AccountRole.RECEIVABLE, -100), (AccountRole.TAX, 100), (AccountRole.BANK, 100)):
        with pytest.raises(RuleBroken) as refused:
            require_side("invoice", "invoice", role, amount)
        assert refused.value.code == "posting_rule_broken"
    with pytest.raises(RuleBroken) as refused:
        rule_of("receipt", "invoice")
    assert refused.value.code == "posting_rule_unknown"


@pytest.mark.parametrize(
    ("since", "until", "before"),
    [
        (date(2026, 4, 1), date(2026, 4, 30), (date(2026, 3, 1), date(2026, 3, 31))),
        (date(2026, 1, 1), date(2026, 3, 31), (date(2025, 10, 1), date(2025, 12, 31))),
        (date(2026, 1, 1), date(2026, 12, 31), (date(2025, 1, 1), date(2025, 12, 31))),
        (date(2024, 3, 1), date(2024, 3, 31), (date(2024, 2, 1), date(2024, 2, 29))),
        (date(2026, 4, 1), date(2026, 4, 6), (date(2026, 3, 26), date(2026, 3, 31))),
        (date(2026, 4, 6), date(2026, 4, 6), (date(2026, 4, 5), date(2026, 4, 5))),
    ],
)
def test_the_period_before_has_as_many_months_or_days(since, until, before):
    found = Period(since=since, until=until).before
    assert (found.since, found.until) == before
