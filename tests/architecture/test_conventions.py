"""The code keeps the conventions, and each check is shown what it must catch and what it must let pass."""

from __future__ import annotations

import pytest

from tests.architecture import conventions
from tests.architecture.source import DOMAIN, PRODUCT, Module, modules

#: convention, where it holds, what it must catch, what it must let pass
HELD = [
    (conventions.commits, PRODUCT, "session.commit()", "work.publish(event)"),
    (conventions.commits, PRODUCT, "with database.write_engine.begin() as c: pass", "session.begin_nested()"),
    (conventions.commits, PRODUCT, "connection.commit()", "savepoint.commit()"),
    (conventions.commits, PRODUCT, "c.execute('COMMIT')", "x = 'a commitment'"),
    (conventions.reads_clock, PRODUCT, "at = datetime.now(UTC)", "at = clock.now()"),
    (conventions.reads_clock, PRODUCT, "at = datetime.datetime.utcnow()", "at = time.perf_counter()"),
    (conventions.reads_clock, PRODUCT, "day = date.today()", "day = local_day(work.now, zone)"),
    (conventions.reads_clock, PRODUCT, "day = datetime.date.today()", "day = site_days.today(site)"),
    (conventions.reads_clock, PRODUCT, "at = time.time()", "at = time.monotonic()"),
    (conventions.reads_clock, PRODUCT, "q = select(func.now())", "q = select(func.count())"),
    (conventions.reads_clock, PRODUCT, "q = 'SELECT CURRENT_TIMESTAMP'", "q = 'SELECT at FROM t'"),
    (conventions.floats, ("erpcore",), "price = float(text)", "price = Decimal(text)"),
    (conventions.floats, ("erpcore",), "price: float", "price: Decimal"),
    (conventions.floats, ("erpcore",), "def f(share: float | None) -> None: ...", "def f(share: int) -> None: ..."),
    (conventions.floats, ("erpcore",), "tax = net * 0.2", "tax = net * 2"),
    (conventions.states, PRODUCT, "order.state = State.SHIPPED", "order.state = FLOW.target('ship', order.state)"),
    (conventions.states, PRODUCT, "order.state = 'shipped'", "order.state = FLOW.initial"),
    (conventions.states, PRODUCT, "update(t).values(state='open')", "update(t).values(state=target)"),
    (conventions.states, PRODUCT, "setattr(order, 'state', target)", "setattr(order, 'note', text)"),
    (conventions.locks, PRODUCT, "q.with_for_update()", "q.with_for_update(key_share=True)"),
    (conventions.locks, PRODUCT, "q = 'SELECT 1 FROM t FOR UPDATE'", "q = 'SELECT 1 FROM t FOR NO KEY UPDATE'"),
    (
        conventions.differences,
        PRODUCT,
        "q = Balance.on_hand - Balance.reserved > 10",
        "q = Balance.on_hand - Balance.reserved > 0",
    ),
    (
        conventions.differences,
        PRODUCT,
        "q = 5 <= Line.quantity - Line.shipped",
        "q = Line.quantity - Line.shipped > _FIVE",
    ),
    (conventions.sizes, (*PRODUCT, "benchmarks"), "x = 1\n" * 401, "x = 1\n" * 400),
    (conventions.sizes, PRODUCT, "def f():\n" + "    x = 1\n" * 70, "def f():\n" + "    x = 1\n" * 69),
    (conventions.docstrings, (*PRODUCT, "migrations", "benchmarks"), "x = 1", '"""Which question?"""'),
    (conventions.reasons, (*PRODUCT, "tests", "migrations", "benchmarks"), "x = 1  # no" + "qa: E501", "x = 1"),
    (
        conventions.reasons,
        PRODUCT,
        "x = f()  # type: ig" + "nore[misc]",
        "x = f()  # type: ig" + "nore[misc]  # untyped",
    ),
]
NAMES = [f"{convention.__name__}-{number}" for number, (convention, *_) in enumerate(HELD)]


@pytest.mark.parametrize(("convention", "where", "broken", "kept"), HELD, ids=NAMES)
def test_a_check_catches_what_it_must_and_lets_the_rest_pass(convention, where, broken, kept):
    assert list(convention(Module("erpcore/example/services.py", broken)))
    assert not list(convention(Module("erpcore/example/services.py", kept)))


def test_a_check_of_names_catches_a_drawer_for_odds_and_ends():
    assert list(conventions.names(Module("erpcore/orders/utils.py", "")))
    assert list(conventions.names(Module("app/helpers/dates.py", "")))
    assert not list(conventions.names(Module("erpcore/orders/rules.py", "")))


@pytest.mark.parametrize(
    ("convention", "where"),
    [*{convention: where for convention, where, *_ in reversed(HELD)}.items(), (conventions.names, PRODUCT)],
    ids=lambda value: getattr(value, "__name__", "in"),
)
def test_the_code_keeps_the_convention(convention, where):
    broken = sorted(finding for module in modules(*where) for finding in convention(module))
    assert not broken, "\n" + "\n".join(map(str, broken))


def test_the_checks_look_at_every_package():
    assert {module.path.split("/")[0] for module in modules(*PRODUCT)} == set(PRODUCT)
    assert set(DOMAIN) < set(PRODUCT)


def test_every_exception_is_still_needed():
    present = {module.path: module for module in modules(*PRODUCT, "tests", "benchmarks")}
    for path in {*conventions.COMMITS, *conventions.CLOCK, *conventions.LONG_MODULES}:
        assert path in present, f"{path} is excepted from a convention and does not exist"
    for path, reason in conventions.LONG_MODULES.items():
        assert len(present[path].text.splitlines()) > conventions.MODULE_LINES, path
        assert reason
