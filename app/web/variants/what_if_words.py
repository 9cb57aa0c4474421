"""How is what a replay found written: figures side by side with their difference, and what became of an order, with the reason?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple

from app.queries.replays import OrderThatDiffers
from app.web.figures import counted, heading, money, on, promised_from, words
from erpcore.ports import POLICY_POINTS

_MINUS = "−"
_LEVELS = {"desk": "site's super user", "site_lead": "site lead", "process_owner": "process owner"}


class Row(NamedTuple):
    """A figure on both sides; ``of`` are the counts that it is made of. ``is_part``: it belongs to the row above."""

    label: str
    before: str
    after: str
    difference: str
    of_before: str = ""
    of_after: str = ""
    is_part: bool = False


def rows_of(figures: Mapping[str, Any]) -> list[Row]:
    """What both sides came to, as the page shows it."""
    was, now = figures["standard"], figures["proposed"]
    out = [_count("Orders taken", was["taken"], now["taken"])]
    out += _parts(was["refused"], now["refused"], lambda code: f"not taken: {words(code)}")
    out.append(_count("Orders held at some time", was["held_orders"], now["held_orders"]))
    out += _parts(was["held"], now["held"], held_for)
    out += [
        _share("Lines promised for the day asked for", was["promise"], now["promise"], "lines"),
        _share("Lines that left whole by that day", was["in_time"], now["in_time"], "lines"),
        _share("Lines whole with the first shipment", was["first"], now["first"], "lines of orders that left"),
        _ratio("Shipments for each order that left", was["shipments"], now["shipments"]),
        _count("Lines that still waited at the end", was["waiting_lines"], now["waiting_lines"]),
        _count("Lines cancelled by a rule", was["cancelled_lines"], now["cancelled_lines"]),
    ]
    for currency in sorted({*was["worth"], *now["worth"]}):
        out += _worth(currency, was["worth"].get(currency, [0, 0]), now["worth"].get(currency, [0, 0]))
    if was["cost_unknown"] or now["cost_unknown"]:
        out.append(
            _count("Lines left out, their cost is not known", was["cost_unknown"], now["cost_unknown"], is_part=True)
        )
    return out


def _signed(number: int | Decimal, text: str) -> str:
    return "no difference" if not number else f"{'+' if number > 0 else _MINUS}{text}"


def _count(label: str, was: int, now: int, *, is_part: bool = False) -> Row:
    return Row(label, f"{was:,}", f"{now:,}", _signed(now - was, f"{abs(now - was):,}"), is_part=is_part)


def _parts(was: Mapping[str, int], now: Mapping[str, int], name: Any) -> list[Row]:
    keys = sorted({*was, *now})
    return [_count(name(key), was.get(key, 0), now.get(key, 0), is_part=True) for key in keys]


def _rounded(value: Decimal, places: str) -> Decimal:
    return value.quantize(Decimal(places), ROUND_HALF_EVEN)


def _share(label: str, was: Sequence[int], now: Sequence[int], unit: str) -> Row:
    shares = [None if not whole else Decimal(part) * 100 / whole for part, whole in (was, now)]
    shown = ["–" if one is None else f"{_rounded(one, '0.1')} %" for one in shares]
    difference = "–"
    if shares[0] is not None and shares[1] is not None:
        by = _rounded(shares[1] - shares[0], "0.1")
        difference = _signed(by, f"{abs(by)} points")
    of = [f"{part:,} of {whole:,} {unit}" for part, whole in (was, now)]
    return Row(label, shown[0], shown[1], difference, of[0], of[1])


def _ratio(label: str, was: Sequence[int], now: Sequence[int]) -> Row:
    both = [None if not whole else Decimal(part) / whole for part, whole in (was, now)]
    shown = ["–" if one is None else f"{_rounded(one, '0.01')}" for one in both]
    difference = "–"
    if both[0] is not None and both[1] is not None:
        by = _rounded(both[1] - both[0], "0.01")
        difference = _signed(by, f"{abs(by)}")
    of = [f"{counted(part, 'shipment')} of {counted(whole, 'order')}" for part, whole in (was, now)]
    return Row(label, shown[0], shown[1], difference, of[0], of[1])


def _worth(currency: str, was: Sequence[int], now: Sequence[int]) -> list[Row]:
    margin = _share("Margin of what left", [was[1], was[0]], [now[1], now[0]], currency)
    of = (f"{money(part, currency, code=False)} of {money(whole, currency)}" for whole, part in (was, now))
    by = now[1] - was[1]
    return [
        margin._replace(of_before=next(of), of_after=next(of)),
        Row(
            f"that is, in {currency}", money(was[1], currency, code=False), money(now[1], currency, code=False),
            _signed(by, money(abs(by), currency, code=False)), is_part=True,
        ),
    ]  # fmt: skip


def held_for(label: str) -> str:
    """The kind of a hold, and who may end it where a rule routes that."""
    kind, _, level = label.partition(":")
    return f"for {words(kind)}" + (f", to be approved by the {_LEVELS.get(level, words(level))}" if level else "")


class Said(NamedTuple):
    """What became of an order otherwise, and by which reason."""

    text: str
    why: str = ""


def said_of(order: OrderThatDiffers) -> list[Said]:
    """What differs of one order, in sentences."""
    out = [said for one in order.differs if (said := _WORDS[one["what"]](one)) is not None]
    promises = [one for one in order.differs if one["what"] == "promise"]
    return out + _promises(promises)


def because(points: Iterable[str], values: Mapping[str, Any]) -> str:
    """Which of its own rules differ; where none does, others before it took what it got."""
    named = []
    for name in points:
        point = POLICY_POINTS.get(name)
        if point is None:
            continue
        means = (point.means or {}).get(values.get(name)) if name in values else None
        named.append(f"{point.title}: {means}" if means else point.title)
    return "; ".join(named) or "Its own rules are the same; what orders around it took is not."


def _refused(one: Mapping[str, Any]) -> Said:
    return Said("Not taken." if one["after"] else "Taken, which the standard refuses.", str(one["why"]))


def _held(one: Mapping[str, Any]) -> Said:
    was, now = ([held_for(label) for label in one[side]] for side in ("before", "after"))
    if not now:
        return Said(f"Not held {' and '.join(was)}.", str(one["why"]))
    text = f"Held {' and '.join(now)}" + (f" instead of {' and '.join(was)}." if was else ".")
    return Said(text, str(one["why"]))


def _value(one: Mapping[str, Any]) -> Said:
    currency = str(one["why"])
    return Said(f"Worth {money(one['after'], currency)} instead of {money(one['before'], currency)}.")


def _site(one: Mapping[str, Any]) -> Said:
    return Said(f"Line {one['line']} from {one['after']} instead of {one['before']}.", f"sourcing {words(one['why'])}")


def _left(one: Mapping[str, Any]) -> Said:
    was, now = one["before"], one["after"]
    if not now:
        return Said(f"Leaves not in this period, instead of {_shipments(was)}.")
    return Said(f"Leaves {_shipments(now)}, instead of {_shipments(was) if was else 'not in this period'}.")


def _shipments(found: Sequence[Sequence[Any]]) -> str:
    parts = [f"{on(date.fromisoformat(day))} from {site} ({counted(lines, 'line')})" for day, site, lines in found]
    return f"in {counted(len(found), 'shipment')}: {', '.join(parts)}"


def _cancelled(one: Mapping[str, Any]) -> Said:
    was, now = one["before"], one["after"]
    return Said(f"{counted(now, 'line')} cancelled by rule instead of {was or 'none'}.")


def _promises(found: Sequence[Mapping[str, Any]]) -> list[Said]:
    """Lines with the same days are said once."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for one in found:
        alike.setdefault((one["before"], one["after"], one["why"]), []).append(str(one["line"]))
    return [
        Said(
            f"{'Line' if len(lines) == 1 else 'Lines'} {', '.join(lines)} promised for {on(date.fromisoformat(now))}"
            f" instead of {on(date.fromisoformat(was))}.",
            promised_from(why),
        )
        for (was, now, why), lines in alike.items()
    ]


_WORDS: dict[str, Any] = {
    "refused": _refused, "held": _held, "value": _value, "site": _site, "left": _left, "cancelled": _cancelled,
    "promise": lambda _one: None,
}  # fmt: skip


def headline(differing: int, orders: int) -> str:
    """The result in a sentence."""
    if not differing:
        return f"None of {counted(orders, 'order')} would have gone another way."
    return f"{differing:,} of {counted(orders, 'order')} would have gone another way."


def state_words(state: str) -> str:
    """The state of a replay."""
    return {"waiting": "Waits for the worker", "running": "Is being done", "done": "Done"}.get(state, heading(state))
