"""Refusals read as English: with the right article, and about the end that is wrong."""

from __future__ import annotations

from datetime import date

import pytest

from app.messages import sentence, with_article
from erpcore.kernel.errors import RuleBroken


@pytest.mark.parametrize(
    ("document", "said"), [("order", "an order"), ("wave", "a wave"), ("invoice", "an invoice"), ("carrier_rule", "a carrier rule")]
)  # fmt: skip
def test_a_document_has_its_article(document, said):
    told = sentence(RuleBroken("reason_required", document=document, move="override"))
    assert told == f"Say why: “override” of {said} is kept with its reason."
    assert with_article("") == "a "


def test_an_end_before_the_beginning_is_said_to_be_that_however_far_in_the_future_it_lies():
    far, farther = date(2090, 1, 1), date(2090, 2, 1)
    assert sentence(RuleBroken("validity_empty", since=farther, until=far)) == (
        "It begins on 01 Feb 2090, so with its end on 01 Jan 2090 it would hold for no time. Choose a later end."
    )
    assert sentence(RuleBroken("validity_empty", since=far, ends=far, until=farther)) == (
        "It ends on 01 Jan 2090 already, before 01 Feb 2090. Choose an earlier end."
    )
    assert sentence(RuleBroken("validity_empty", until=far)) == (
        "01 Jan 2090 is not in the future, so it would hold for no time. Choose a later end."
    )
