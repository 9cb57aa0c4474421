"""The posting rules with an example of each out of the books."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session

from erpcore.kernel.actor import Actor
from erpcore.ledger.models import JournalEntry
from erpcore.ledger.posting_rules import POSTING_RULES
from erpcore.ledger.rule_shape import PostingRule

#: So many of the newest entries of a rule are looked through: an example is worth no more.
AMONG = 1_000


@dataclass(frozen=True, kw_only=True)
class RuleRow:
    """A rule, and the newest entry that the person may see of it."""

    rule: PostingRule
    example: int | None


def rules_with_examples(session: Session, actor: Actor) -> list[RuleRow]:
    """Every rule there is, in the order of the table, with an example among the newest entries of its name. One query."""
    columns = [_newest(actor, rule).label(f"at{number}") for number, rule in enumerate(POSTING_RULES)]
    found = session.execute(select(*columns)).one()
    return [RuleRow(rule=rule, example=key) for rule, key in zip(POSTING_RULES, found, strict=True)]


def _newest(actor: Actor, rule: PostingRule) -> ScalarSelect[int]:
    newest = (
        select(JournalEntry.id, JournalEntry.document_type, JournalEntry.site_id)
        .where(JournalEntry.rule == rule.name)
        .order_by(JournalEntry.entry_on.desc(), JournalEntry.id.desc())
        .limit(AMONG)
        .subquery()
    )
    query = select(func.max(newest.c.id)).where(newest.c.document_type == rule.document)
    if actor.sites is not None:
        query = query.where(newest.c.site_id.in_(sorted(actor.sites)))
    return query.scalar_subquery()
