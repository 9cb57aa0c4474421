"""Whatever somebody does to orders, stock, prices or purchases in the browser, a program can do as well."""

from __future__ import annotations

import ast
from importlib import import_module
from inspect import isfunction, signature
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = tuple(f"erpcore.{one}" for one in ("credit", "fulfilment", "inventory", "masterdata", "orders", "pricing", "purchasing"))  # fmt: skip


def _acts(door: str) -> dict[str, str]:
    """The use cases that the modules of a door name, and where: functions of the core that take a unit of work."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "app" / door).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith(PACKAGES):
                continue
            for alias in node.names:
                named = getattr(import_module(str(node.module)), alias.name, None)
                if isfunction(named) and next(iter(signature(named).parameters), "") == "work":
                    found.setdefault(f"{named.__module__}.{alias.name}", path.relative_to(ROOT).as_posix())
    return found


def test_every_act_on_a_screen_is_one_of_a_program_too():
    screens, programs = _acts("web"), _acts("api")
    assert len(screens) > 100
    assert {act: where for act, where in screens.items() if act not in programs} == {}
