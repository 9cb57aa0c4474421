"""Each convention as a function from a module to what breaks it, with the exceptions and their reasons beside it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.architecture.source import Finding, Module

#: Where a transaction may end.
COMMITS = {
    "app/composition/uow.py": "the only commit of the product",
    "readiness/measures/proof.py": "rebuilds figures in a scratch file of its own, which is thrown away",
    "app/composition/schema.py": "schema changes run before there is a product to speak of",
}
CLOCK = {"erpcore/kernel/clock.py": "the only reader of the clock"}
MODULE_LINES, FUNCTION_LINES = 400, 70
LONG_MODULES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}
#: Names that say nothing about what is inside.
EMPTY_NAMES = {"common", "data", "helper", "helpers", "info", "manager", "misc", "stuff", "util", "utils"}


def _calls(module: Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))


def _strings(module: Module) -> Iterator[ast.Constant]:
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def commits(module: Module) -> Iterator[Finding]:
    """Only the edge commits: no ``commit()``, no ``engine.begin()``, no COMMIT in words."""
    if module.path in COMMITS:
        return
    for call in _calls(module):
        match call.func:
            case ast.Attribute(attr="commit", value=ast.Name(id="savepoint")):
                pass  # ends a savepoint, not the transaction
            case ast.Attribute(attr="commit"):
                yield Finding(module.path, call.lineno, "commits; only app/composition/uow.py does")
            case ast.Attribute(value=ast.Attribute(attr=engine) | ast.Name(id=engine), attr="begin") if (
                "engine" in engine
            ):
                yield Finding(module.path, call.lineno, "begins a transaction that commits by itself")
    for text in _strings(module):
        if re.match(r"\s*COMMIT\b", str(text.value)):
            yield Finding(module.path, text.lineno, "says COMMIT in SQL")


def reads_clock(module: Module) -> Iterator[Finding]:
    """Only the kernel's clock knows what time it is; everybody else is handed it."""
    if module.path in CLOCK:
        return
    for call in _calls(module):
        match call.func:
            case ast.Attribute(attr="now", value=ast.Name(id="datetime") | ast.Attribute(attr="datetime")):
                yield Finding(module.path, call.lineno, "calls datetime.now()")
            case ast.Attribute(attr="utcnow" | "utcfromtimestamp" as name):
                yield Finding(module.path, call.lineno, f"calls {name}()")
            case ast.Attribute(
                attr="today" as name,
                value=ast.Name(id="date" | "datetime") | ast.Attribute(attr="date" | "datetime"),
            ):
                yield Finding(module.path, call.lineno, f"calls {name}()")
            case ast.Attribute(attr="time" | "localtime" | "gmtime" as name, value=ast.Name(id="time")):
                yield Finding(module.path, call.lineno, f"calls time.{name}()")
            case ast.Attribute(attr="now" | "current_timestamp" | "current_date" as name, value=ast.Name(id="func")):
                yield Finding(module.path, call.lineno, f"asks the database for {name}()")
    for text in _strings(module):
        if re.search(r"\b(CURRENT_TIMESTAMP|CURRENT_DATE|now\(\))", str(text.value)) and "SELECT" in str(text.value):
            yield Finding(module.path, text.lineno, "asks the database for the time")


def floats(module: Module) -> Iterator[Finding]:
    """In the core no name is declared ``float`` and nothing is converted to one: money and quantity live there."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Name(id="float")):
                yield Finding(module.path, node.lineno, "converts to float")
            case ast.AnnAssign(annotation=annotation) if "float" in _words(annotation):
                yield Finding(module.path, node.lineno, "declares a float")
            case ast.arg(annotation=ast.expr() as annotation) if "float" in _words(annotation):
                yield Finding(module.path, node.lineno, f"takes a float as {node.arg}")
            case ast.Constant(value=float()):
                yield Finding(module.path, node.lineno, f"writes the float {node.value}")


def _words(annotation: ast.expr) -> set[str]:
    return set(re.findall(r"\w+", ast.unparse(annotation)))


def states(module: Module) -> Iterator[Finding]:
    """A state comes out of a flow's table: nobody writes ``x.state = State.OPEN`` or ``values(state="open")``."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Assign(targets=targets, value=value) if _decided(value) and any(map(_is_state, targets)):
                yield Finding(module.path, node.lineno, f"sets a state to {ast.unparse(value)} without asking its flow")
            case ast.Call(func=ast.Attribute(attr="values"), keywords=keywords):
                for keyword in keywords:
                    if keyword.arg == "state" and _decided(keyword.value):
                        yield Finding(
                            module.path, node.lineno, f"writes state {ast.unparse(keyword.value)} past its flow"
                        )
            case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value="state"), *_]):
                yield Finding(module.path, node.lineno, "sets a state by name")


def _is_state(target: ast.expr) -> bool:
    return isinstance(target, ast.Attribute) and target.attr == "state"


def _decided(value: ast.expr) -> bool:
    """Whether the new state is named on the spot; ``FLOW.initial`` and ``FLOW.target(…)`` are the table's answer."""
    if isinstance(value, ast.Constant):
        return value.value is not None
    return isinstance(value, ast.Attribute) and value.attr.isupper()


def locks(module: Module) -> Iterator[Finding]:
    """``FOR UPDATE`` on a row others refer to deadlocks with their inserts; it is always ``FOR NO KEY UPDATE``."""
    for call in _calls(module):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "with_for_update":
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            mild = given.get("key_share")
            if not (isinstance(mild, ast.Constant) and mild.value is True):
                yield Finding(module.path, call.lineno, "locks without key_share=True")
    for text in _strings(module):
        if re.search(r"\bFOR UPDATE\b", str(text.value)):
            yield Finding(module.path, text.lineno, "says FOR UPDATE; say FOR NO KEY UPDATE")


#: What an order line, a balance or a receipt counts; as columns they compare as the quantities that people say.
_QUANTITIES = {
    "on_hand", "reserved", "blocked", "quantity", "shipped", "cancelled", "allocated", "picked", "received", "consumed", "freed",
    "lost", "used", "unmet", "put_away", "extra", "backordered", "damaged", "placed",
}  # fmt: skip


def differences(module: Module) -> Iterator[Finding]:
    """Sums and differences of quantities are thousandths to the database: a plain number beside them would mean something else.

    Nothing, another quantity, or a number with a name of its own may stand there.
    """
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(map(_is_difference, sides)) and any(map(_is_plain_number, sides)):
                yield Finding(
                    module.path, node.lineno, "compares a sum or difference of quantities with a plain number"
                )


def _is_difference(node: ast.expr) -> bool:
    """Whether quantities of tables (``Table.column``) are added or subtracted here."""
    return isinstance(node, ast.BinOp) and any(
        isinstance(part, ast.Attribute)
        and part.attr in _QUANTITIES
        and isinstance(part.value, ast.Name)
        and part.value.id[:1].isupper()
        for part in ast.walk(node)
    )


def _is_plain_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value != 0


def sizes(module: Module) -> Iterator[Finding]:
    """A module stays under 400 lines and a function on one screen."""
    length = len(module.text.splitlines())
    if length > MODULE_LINES and module.path not in LONG_MODULES:
        yield Finding(module.path, length, f"has {length} lines; split it by the questions it answers")
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES and f"{module.path}:{node.name}" not in LONG_FUNCTIONS:
                yield Finding(module.path, node.lineno, f"{node.name} has {lines} lines; a screen has {FUNCTION_LINES}")


def names(module: Module) -> Iterator[Finding]:
    """No drawer for odds and ends."""
    parts = module.path.removesuffix(".py").split("/")
    for part in parts:
        if part in EMPTY_NAMES:
            yield Finding(module.path, 1, f"'{part}' does not say what is inside")


def docstrings(module: Module) -> Iterator[Finding]:
    """A module says which question it answers."""
    if module.text.strip() and not ast.get_docstring(module.tree):
        yield Finding(module.path, 1, "does not say which question it answers")


def reasons(module: Module) -> Iterator[Finding]:
    """Whoever silences a check says why, on the same line or the one above."""
    lines = module.text.splitlines()
    silenced = re.compile(r"#\s*(noqa|type:\s*ignore|pragma)(?P<rest>.*)$")
    for number, line in enumerate(lines, start=1):
        found = silenced.search(line)
        if not found:
            continue
        after = re.sub(r"^(:\s*[A-Z]+[0-9]+(\s*,\s*[A-Z]+[0-9]+)*|\[[\w\-, ]+\])", "", found["rest"].strip())
        above = lines[number - 2].strip() if number > 1 else ""
        if not re.search(r"\w{2,}", after) and not above.startswith("#"):
            yield Finding(module.path, number, "silences a check without saying why")
