"""What the code says by name exists: every permission is in the catalogue, every refusal has words that its facts fill."""

from __future__ import annotations

import ast
import re
import string

import pytest

from app import messages
from app.messages import MESSAGES, sentence
from app.security.permissions import Permission
from app.security.roles import ROLES
from erpcore.kernel.errors import DomainError, NeedsConfirmation, RuleBroken
from tests.architecture.source import PRODUCT, ROOT, Module, modules, project_files

PERMISSION = re.compile(r"^[a-z_]+:[a-z_]+:[a-z-_]+$")
#: Refusals and how they are raised: the class's first argument is the code.
REFUSALS = {"Busy", "Conflict", "DomainError", "NeedsConfirmation", "NotAllowed", "NotFound", "RuleBroken"}
#: Facts that come from outside of the call: ``**facts`` of a cell's admission, or of an error that is passed on.
_ELSEWHERE = {"cell_closed"}


def _permissions(module: Module):
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and PERMISSION.match(node.value):
            yield node.value, f"{module.path}:{node.lineno}"


def _refusals(module: Module):
    """Code, names of its facts (``None``: not to be seen here) and place of every refusal that is raised with its code."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        is_super = isinstance(node.func, ast.Attribute) and name == "__init__" and "super" in ast.unparse(node.func)
        if (name in REFUSALS or is_super) and node.args and isinstance(node.args[0], ast.Constant):
            code = node.args[0].value
            if isinstance(code, str) and re.fullmatch(r"[a-z][a-z_]+", code):
                facts = {keyword.arg for keyword in node.keywords}
                yield code, None if None in facts else facts - {"field"}, f"{module.path}:{node.lineno}"


def test_every_permission_that_the_code_names_is_in_the_catalogue():
    unknown = {
        f"{place} {value}"
        for module in modules(*PRODUCT)
        for value, place in _permissions(module)
        if value not in set(Permission)
    }
    assert not unknown, "add these to app/security/permissions.py, and to the roles that need them:\n" + "\n".join(
        sorted(unknown)
    )


def test_every_permission_that_a_template_asks_for_is_in_the_catalogue():
    for path in project_files():
        if path.suffix == ".html":
            for value in re.findall(r"may\(\"([^\"]+)\"\)", path.read_text(encoding="utf-8")):
                assert value in set(Permission), f"{path.relative_to(ROOT)} asks for {value}"


def test_every_permission_is_held_by_some_role():
    held = {permission for duty in ROLES.values() for permission in duty.permissions}
    assert sorted(set(Permission) - held) == []


def test_no_role_both_asks_for_waivers_of_its_own_making_alone_and_gives_itself_roles():
    for role, duty in ROLES.items():
        if Permission.USER_MANAGE in duty.permissions:
            powers = {
                Permission.DECISION_VOTE,
                Permission.WAIVER_APPROVE,
                Permission.GATE_DEFINE,
                Permission.GRANT_OPEN,
            }
            assert not powers & duty.permissions, f"{role} gives out roles and must not decide as well"


def test_every_refusal_in_the_code_has_words():
    wordless = {
        f"{code} ({place})"
        for module in modules(*PRODUCT)
        for code, _, place in _refusals(module)
        if code not in MESSAGES
    }
    assert not wordless, "add a sentence with the way out to app/messages/:\n" + "\n".join(sorted(wordless))


def test_the_words_use_only_facts_that_the_refusal_brings():
    missing = []
    for module in modules(*PRODUCT):
        for code, facts, place in _refusals(module):
            words = MESSAGES.get(code)
            if isinstance(words, str) and facts is not None and code not in _ELSEWHERE:
                wanted = {name for _, name, _, _ in string.Formatter().parse(words) if name}
                missing += [f"{place} {code} says nothing about {name}" for name in sorted(wanted - facts)]
    assert not missing, "\n".join(missing)


def test_no_words_are_left_that_nobody_says():
    text = "\n".join(module.text for module in modules(*PRODUCT) if not module.path.startswith("app/messages/"))
    assert not sorted(code for code in MESSAGES if f'"{code}"' not in text)


def test_no_code_has_words_in_two_parts():
    parts = {part.__name__: part.MESSAGES for part in vars(messages).values() if hasattr(part, "MESSAGES")}
    assert set().union(*parts.values()) == set(MESSAGES)
    places = {code: sorted(name for name, words in parts.items() if code in words) for code in MESSAGES}
    assert not {code: names for code, names in places.items() if len(names) > 1}, "only the last of these is ever said"


@pytest.mark.parametrize("code", sorted(MESSAGES))
def test_words_are_sentences(code):
    said = sentence(DomainError(code))
    assert said[0].isupper() or said[0] in "–“0123456789", said
    assert said.endswith((".", "!")), said
    assert "{" not in said, said


def test_the_check_sees_a_refusal_without_words():
    module = Module("app/example.py", 'raise RuleBroken("never_heard_of", field="x", order=1)')
    assert list(_refusals(module)) == [("never_heard_of", {"order"}, "app/example.py:1")]


def test_a_number_of_a_document_stands_as_it_is_and_a_kind_is_words():
    assert sentence(NeedsConfirmation("order_duplicate", document="SO_12", how="entered today")).startswith(
        "SO_12 of this customer"
    )
    assert sentence(NeedsConfirmation("order_duplicate", document="sales_order", how="entered today")).startswith(
        "sales order of"
    )


def test_a_refusal_without_words_still_says_something():
    assert sentence(RuleBroken("never_heard_of")) == "This is refused: never heard of."


#: A key that is no number people know; who operates the books looks a posting up by it.
_KEYS = re.compile(r"(\.id|_id|\bid)\)?$")
_OPERATORS = {"entry_unbalanced"}


def test_no_sentence_shows_people_a_key_of_the_database():
    shown = []
    for module in modules(*PRODUCT):
        for node in ast.walk(module.tree):
            if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
                continue
            words = MESSAGES.get(node.args[0].value) if isinstance(node.args[0].value, str) else None
            # What does not exist has no other name than the one that was asked for.
            if not isinstance(words, str) or words.startswith("There is no") or node.args[0].value in _OPERATORS:
                continue
            wanted = {name for _, name, _, _ in string.Formatter().parse(words) if name}
            keys = {one.arg for one in node.keywords if one.arg in wanted and _KEYS.search(ast.unparse(one.value))}
            shown += [f"{module.path}:{node.lineno} {node.args[0].value}: {sorted(keys)}" for _ in keys]
    assert not shown, "\n".join(shown)
