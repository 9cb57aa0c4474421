"""Permissions are one catalogue: nothing asks for one that is not in it, and each is held by some role."""

from __future__ import annotations

import ast
import re

from app.security.permissions import Permission
from app.security.roles import ROLES
from tests.architecture.source import PRODUCT, Module, modules

#: ``room:thing:action``; the room is a package, or an area of the core as the glossary names it.
NAME = re.compile(r"^[a-z]+(:[a-z_\-]+){2}$")


def asked(module: Module) -> set[str]:
    """The permissions that a module names as text."""
    return {
        node.value
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME.match(node.value)
    }


def test_the_search_finds_a_permission():
    assert asked(Module("x.py", "actor.require('orders:order:release')")) == {"orders:order:release"}


def test_every_permission_that_is_asked_for_is_in_the_catalogue():
    known = {str(permission) for permission in Permission}
    unknown = {f"{module.path}: {name}" for module in modules(*PRODUCT) for name in asked(module) - known}
    assert not sorted(unknown)


def test_every_permission_is_held_by_some_role():
    held = {permission for duty in ROLES.values() for permission in duty.permissions}
    assert not sorted(set(Permission) - held)


def test_every_permission_has_the_form_of_a_permission_and_a_sentence():
    for permission in Permission:
        assert NAME.match(permission), permission
        assert permission.sentence, permission
