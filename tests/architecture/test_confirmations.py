"""A page whose form may meet a warning asks for the reason that accepts it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict

from tests.architecture.source import DOMAIN, ROOT, Module, modules

WARNING = "NeedsConfirmation"


def functions(module: Module) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in module.tree.body if isinstance(node, ast.FunctionDef)}


def names_in(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def through_modules(node: ast.AST, names: dict[str, tuple[str, str]]) -> set[tuple[str, str]]:
    """Functions named as ``services.plan_wave``."""
    return {
        (".".join(names[one.value.id]), one.attr)
        for one in ast.walk(node)
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id in names
    }


def imported(module: Module) -> dict[str, tuple[str, str]]:
    """Local name → (module, name there)."""
    return {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def dotted(module: Module) -> str:
    return module.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def reached(found: list[Module]) -> set[tuple[str, str]]:
    """Every function of these modules, by module and name, from which a warning may come."""
    warns: set[tuple[str, str]] = set()
    calls: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for module in found:
        own, names = functions(module), imported(module)
        for name, node in own.items():
            here = (dotted(module), name)
            for used in names_in(node):
                if used in own:
                    calls[here].add((dotted(module), used))
                elif used in names:
                    calls[here].add(names[used])
            calls[here] |= through_modules(node, names)
            if any(
                isinstance(one, ast.Raise) and one.exc is not None and WARNING in names_in(one.exc)
                for one in ast.walk(node)
            ):
                warns.add(here)
    while True:
        more = {function for function, used in calls.items() if used & warns} - warns
        if not more:
            return warns
        warns |= more


def templates_of(nodes: list[ast.FunctionDef]) -> set[str]:
    """The templates that these functions name."""
    return {
        one.value
        for node in nodes
        for one in ast.walk(node)
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value.endswith(".html")
    }


def text_of(template: str) -> str:
    """The template with those that it includes."""
    text = (ROOT / "templates" / template).read_text(encoding="utf-8")
    return text + "".join(text_of(name) for name in re.findall(r'{% include "([^"]+)"', text))


def pages() -> dict[str, set[str]]:
    """Template with a form → the views whose services may warn and that show it."""
    domain, web = list(modules(*DOMAIN)), [one for one in modules("app") if one.path.startswith("app/web/")]
    composition = [one for one in modules("app") if one.path.startswith("app/composition/")]
    warns = reached([*domain, *composition, *web])
    out: dict[str, set[str]] = defaultdict(set)
    for module in web:
        own = functions(module)
        for name, node in own.items():
            if (dotted(module), name) not in warns or not node.decorator_list:
                continue
            beside, ask = {name}, {name}
            while ask:
                ask = {used for one in ask for used in names_in(own[one]) if used in own} - beside
                beside |= ask
            for template in templates_of([own[one] for one in beside]):
                if "error_summary(" in text_of(template):
                    out[template].add(f"{module.path}:{name}")
    return out


def test_the_pages_that_are_known_to_warn_are_found():
    assert {"orders/new.html", "waves/plan.html", "waves/dates.html"} <= set(pages())


def test_every_form_that_may_meet_a_warning_asks_for_the_reason_that_accepts_it():
    forgotten = {
        template: sorted(views) for template, views in pages().items() if "confirmation(form)" not in text_of(template)
    }
    assert not forgotten
