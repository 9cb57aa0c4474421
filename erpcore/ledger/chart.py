"""Accounts that Finance adds to a company's chart, for journals by hand."""

from __future__ import annotations

from sqlalchemy import select

from erpcore.kernel.errors import RuleBroken
from erpcore.kernel.first import add_first
from erpcore.kernel.work import UnitOfWork
from erpcore.ledger.models import Account, AccountKind
from erpcore.masterdata.queries import entity_facts


def add_account(work: UnitOfWork, entity: int, *, code: str, name: str, kind: str) -> int:
    """Add an account that no posting rule uses; returns its id. Raises ``RuleBroken("account_taken")`` for a number in use."""
    work.actor.require("ledger:entry:post")
    facts = entity_facts(work, entity)
    if facts.realm != work.realm:
        raise RuleBroken("other_realm", site=facts.code, realm=facts.realm, asked=work.realm)
    if kind not in set(AccountKind):
        raise RuleBroken("choice_unknown", field="kind", value=kind)
    code, name = code.strip(), name.strip()
    for field, value in (("code", code), ("name", name)):
        if not value:
            raise RuleBroken("account_incomplete", field=field)
    taken = select(Account.id).where(Account.entity_id == entity, Account.code == code)
    if work.session.execute(taken).first() is not None:
        raise RuleBroken("account_taken", field="code", account=code)
    key = work.ids.one()
    add_first(
        work,
        Account(id=key, entity_id=entity, role=None, code=code, name=name, kind=kind),
        "account_taken",
        account=code,
    )
    work.audit("account_added", "ledger_account", key, entity=entity, code=code, of=kind)
    work.memo.pop(f"chart:{entity}", None)
    return key
