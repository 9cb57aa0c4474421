"""Whoever writes master data or permissions keeps it in the audit trail: a service without an act fails here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

#: The models of master data and of permissions, by name; a row of theirs says how business is done, not that it was done.
KEPT = frozenset({
    "Entity", "EntityAddress", "Site", "SiteCalendar", "Channel", "CustomerGroup", "ItemGroup", "Customer", "CustomerAddress", "Item", "ItemUnit",
    "TaxRate", "TaxRegistration", "TaxExemption", "ExchangeRate", "ItemCounterpart", "ServiceCommitment", "SourcingLane", "ChargeTerms", "ItemSubstitute", "Supplier", "SupplierItem", "PriceRule",
    "PriceList", "Zone", "Location", "CountCadence", "Carrier", "CarrierService", "CarrierCutOff", "CarrierRule", "CartonType",
    "LetterTemplate", "AgentScript", "CustomerContact", "StockProtection", "RoleGrant", "ApiToken", "ProgrammeCell",
})  # fmt: skip
#: Tables beside them that hold what is derived from others or what was done.
NOT_KEPT = frozenset({"ItemWord", "StoredRuleset", "Carriage", "Trouble", "DeliveryProof"})
OF_MASTER_DATA = (
    "erpcore/masterdata/models.py", "erpcore/masterdata/addresses.py", "erpcore/masterdata/tax_models.py", "erpcore/masterdata/rate_models.py", "erpcore/masterdata/company_address.py", "erpcore/pricing/models.py",
    "erpcore/fulfilment/carriers/models.py",
)  # fmt: skip
WHERE = (
    "erpcore",
    "governance",
    "readiness",
    "training",
    "app/identity",
    "app/composition",
    "app/importers",
    "app/jobs",
)
#: Writes that change nothing of what the rows say, each with its reason.
NO_CHANGE = {
    "erpcore/masterdata/search.py:keep_words": "words to find an item by are derived from its name",
    "app/composition/replaying/replay.py:_furnish": "a replay runs in a database of its own that is thrown away",
}
_WRITING = {"insert", "update", "delete", "pg_insert", "sqlite_insert", "write_rows", "Change", "add_first"}


def _called(node: ast.AST) -> Iterator[ast.Call]:
    return (one for one in ast.walk(node) if isinstance(one, ast.Call))


def _name(node: ast.AST) -> str:
    """``Site`` of ``Site``, ``models.Site`` and ``Site.__table__``."""
    if isinstance(node, ast.Attribute):
        return _name(node.value) if node.attr in ("__table__", "c") else node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _writes(function: ast.FunctionDef, accounts: bool) -> bool:
    """Whether the function makes, changes or deletes rows of master data."""
    kept = KEPT | ({"Account"} if accounts else frozenset())
    locks = False
    for call in _called(function):
        if _name(call.func) in kept and call.keywords and not call.args:
            return True
        arguments = {_name(one) for one in call.args}
        if _name(call.func) in _WRITING and arguments & kept:
            return True
        locks = locks or bool(arguments & kept and any(one.arg == "with_for_update" for one in call.keywords))
        locks = locks or (
            _name(call.func) == "with_for_update" and any(_name(one) in kept for one in ast.walk(call.func))
        )
    assigned = (
        target
        for one in ast.walk(function)
        if isinstance(one, ast.Assign)
        for part in one.targets
        for target in (part.elts if isinstance(part, ast.Tuple) else [part])
    )
    return locks and any(isinstance(one, ast.Attribute) and _name(one.value) != "work" for one in assigned)


def _keeps(function: ast.FunctionDef) -> bool:
    return any(
        (isinstance(call.func, ast.Attribute) and call.func.attr == "audit") or _name(call.func) == "audit_all"
        for call in _called(function)
    )


def silent_writers(path: str, source: str) -> list[str]:
    """The functions of a module that write master data while neither they nor every one that calls them there keeps an act."""
    tree = ast.parse(source)
    functions = {one.name: one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}
    calls = {name: {_name(call.func) for call in _called(one)} & set(functions) for name, one in functions.items()}

    def is_kept(name: str, seen: frozenset[str] = frozenset()) -> bool:
        if _keeps(functions[name]) or any(_keeps(functions[one]) for one in calls[name] - {name}):
            return True
        callers = [one for one, called in calls.items() if name in called and one != name and one not in seen]
        return name.startswith("_") and bool(callers) and all(is_kept(one, seen | {name}) for one in callers)

    accounts = path.startswith(("app/identity", "erpcore/ledger"))
    return [name for name, one in functions.items() if _writes(one, accounts) and not is_kept(name)]


def test_every_table_of_master_data_is_kept_or_left_out_by_name():
    found = {
        one.name
        for path in OF_MASTER_DATA
        for one in ast.parse((ROOT / path).read_text(encoding="utf-8")).body
        if isinstance(one, ast.ClassDef) and any(_name(base) == "Base" for base in one.bases)
    }
    assert found - KEPT == NOT_KEPT


def _modules() -> list[Path]:
    return [one for place in WHERE for one in sorted((ROOT / place).rglob("*.py"))]


def test_every_service_that_writes_master_data_or_permissions_keeps_an_act_of_it():
    silent = {
        f"{path.relative_to(ROOT)}:{name}"
        for path in _modules()
        for name in silent_writers(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    }
    assert silent - set(NO_CHANGE) == set()


@pytest.mark.parametrize(
    "body",
    [
        "    work.session.add(Site(id=1, code='X'))",
        "    work.session.execute(update(Item).values(name='x'))",
        "    write_rows(work, PriceRule.__table__, ('id',), [(1,)])",
        "    row = work.session.get(Customer, 1, with_for_update=True)\n    row.tier = 1",
        "    row = work.session.scalar(select(Location).with_for_update())\n    row.is_blocked, row.walk = True, 1",
    ],
)
def test_a_service_without_an_act_is_found(body):
    assert silent_writers("erpcore/x.py", f"def change(work):\n{body}\n") == ["change"]
    kept = f"def change(work):\n{body}\n    work.audit('x.changed', 'x', 1)\n"
    assert silent_writers("erpcore/x.py", kept) == []
    inside = (
        f"def _change(work):\n{body}\n\ndef change(work):\n    _change(work)\n    audit_all(work, 'x', 'x', {{}})\n"
    )
    assert silent_writers("erpcore/x.py", inside) == []
