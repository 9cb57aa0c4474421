"""Every refusal has words, the words are filled by the facts it brings, and no words are left that nobody says."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from dataclasses import dataclass

from app.messages import MESSAGES
from tests.architecture.source import PRODUCT, Module, modules

#: Classes that the packages derive their refusals from; those found in the code are added.
ROOTS = {"DomainError"}


@dataclass(frozen=True)
class Refusal:
    """Where a code is raised, and with which facts; ``facts`` is None where they come as ``**mapping``."""

    where: str
    code: str
    facts: frozenset[str] | None


def kinds(*found: Module) -> set[str]:
    """The names of all classes that are refusals, by their bases."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for module in found
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    }
    known = set(ROOTS)
    while more := {name for name, derived in bases.items() if derived & known} - known:
        known |= more
    return known


def refusals(module: Module, known: set[str]) -> Iterator[Refusal]:
    """What this module refuses with a code written on the spot, also inside the constructors of its own refusals."""
    own = {node for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef) and node.name in known}
    inside = {call for node in own for call in ast.walk(node)}
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(code)), *_], keywords=keywords) if (
                name in known and name != "IllegalMove"
            ):
                yield _refusal(module, node, code, keywords)
            case ast.Call(
                func=ast.Attribute(attr="__init__", value=ast.Call(func=ast.Name(id="super"))),
                args=[ast.Constant(value=str(code)), *_],
                keywords=keywords,
            ) if node in inside:
                yield _refusal(module, node, code, keywords)


def _refusal(module: Module, call: ast.Call, code: str, keywords: list[ast.keyword]) -> Refusal:
    given = {keyword.arg for keyword in keywords} - {"field"}
    facts = None if None in given else frozenset(str(name) for name in given)
    return Refusal(f"{module.path}:{call.lineno}", code, facts)


def wanted(sentence: str) -> set[str]:
    """The facts that a sentence asks for."""
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(sentence) if name}


FOUND = list(modules(*PRODUCT))
KINDS = kinds(*FOUND)
SAID = [refusal for module in FOUND for refusal in refusals(module, KINDS)]


def test_the_search_finds_refusals_of_every_kind():
    module = Module(
        "x.py",
        "class Late(RuleBroken):\n"
        "    def __init__(self, day): super().__init__('too_late', day=day)\n"
        "class RuleBroken(DomainError): ...\n"
        "raise RuleBroken('no_stock', field='item', item=1)\n"
        "raise Late(**facts)\n"
        "raise ValueError('not a refusal')\n",
    )
    assert kinds(module) == {"DomainError", "RuleBroken", "Late"}
    assert [(refusal.code, refusal.facts) for refusal in refusals(module, kinds(module))] == [
        ("no_stock", frozenset({"item"})),
        ("too_late", frozenset({"day"})),
    ]
    assert {"RuleBroken", "NotFound", "NotAllowed", "Conflict", "Busy", "IllegalMove"} <= KINDS
    assert len(SAID) > 20


def test_every_refusal_has_words():
    assert not sorted({f"{refusal.code} ({refusal.where})" for refusal in SAID if refusal.code not in MESSAGES})


def test_the_words_ask_only_for_facts_that_the_refusal_brings():
    short = [
        f"{refusal.where} {refusal.code} lacks {sorted(missing)}"
        for refusal in SAID
        if refusal.facts is not None and (missing := wanted(MESSAGES.get(refusal.code, "")) - refusal.facts)
    ]
    assert not short


def test_no_words_are_left_that_nobody_says():
    text = "\n".join(module.text for module in FOUND if not module.path.startswith("app/messages/"))
    assert not sorted(code for code in MESSAGES if f'"{code}"' not in text)
