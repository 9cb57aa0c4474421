"""Every move that a history keeps is read as something that happened."""

from __future__ import annotations

import ast
import importlib
import pkgutil

import erpcore
import governance
import readiness
from app.web.pasts import PASTS, past
from erpcore.kernel.flow import Flow
from tests.architecture.source import PRODUCT, modules


def flows():
    """Every state machine of the product."""
    for package in (erpcore, governance, readiness):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.endswith("flow"):
                yield from (one for one in vars(importlib.import_module(found.name)).values() if isinstance(one, Flow))


def recorded():
    """Moves that services keep beside those of a flow."""
    for module in modules(*PRODUCT):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "record_move" and len(node.args) > 3:
                move = node.args[3]
                if isinstance(move, ast.Constant):
                    yield move.value


def test_every_move_has_its_past():
    moves = {name for flow in flows() for name in flow.moves} | set(recorded())
    assert len(moves) > 60
    assert sorted(moves - PASTS.keys()) == []


def test_an_unknown_move_is_read_as_it_is_written():
    assert past("turn_over") == "turn over"
