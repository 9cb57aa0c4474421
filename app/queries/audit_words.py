"""What does an act say to people? Codes instead of numbers, what was before and after, and many as one with their digest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from sqlalchemy import literal, select, union_all
from sqlalchemy.orm import Session

from erpcore.fulfilment.carriers.models import Carrier, CarrierService
from erpcore.fulfilment.packing.models import CartonType
from erpcore.inventory.models import Location, Zone
from erpcore.kernel.money import from_minor
from erpcore.ledger.models import Account
from erpcore.masterdata.addresses import CustomerAddress
from erpcore.masterdata.models import Channel, Customer, CustomerGroup, Entity, Item, ItemGroup, Site, Supplier

#: What has a code, by the word that acts use for it.
_CODED: dict[str, Any] = {
    "entity": Entity, "site": Site, "channel": Channel, "customer": Customer, "customer_group": CustomerGroup, "item": Item,
    "item_group": ItemGroup, "supplier": Supplier, "zone": Zone, "location": Location, "carrier": Carrier,
    "carrier_service": CarrierService, "carton_type": CartonType, "ledger_account": Account, "customer_address": CustomerAddress,
}  # fmt: skip
#: Facts that refer to something of another word.
_REFER = {
    "site_id": "site",
    "twin": "site",
    "substitute": "item",
    "service": "carrier_service",
    "follows": "customer_address",
}
_CALLED = {
    "is_a": "kind", "of": "kind", "limit_minor": "credit limit", "abc": "class", "size_mm": "size in mm", "tare_kg": "tare in kg",
    "most_kg": "most in kg", "content": "digest", "is_other_address": "other address", "twin": "stands for",
    "is_default": "usual one", "last": "last number",
}  # fmt: skip
#: Facts that hold what was before, then what is now.
_PAIRS = frozenset({"limit_minor", "tier", "is_blocked", "tracking", "order_multiple", "days", "version", "language", "wants_none"})  # fmt: skip
_DIGEST = 12

Codes = Mapping[tuple[str, int], tuple[str, str]]


def codes_of(session: Session, acts: Iterable[tuple[str, int | None, Mapping[str, Any]]]) -> Codes:
    """Code and currency, where it has one, of everything that these acts are about or refer to. One query, none for nothing."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for kind, key, facts in acts:
        if key is not None and kind in _CODED:
            wanted[kind].add(key)
        for name, value in facts.items():
            word = _word_of(kind, name)
            if word and type(value) is int:
                wanted[word].add(value)
    parts = []
    for word, keys in sorted(wanted.items()):
        table = _CODED[word]
        currency = getattr(table, "currency", literal(""))
        parts.append(
            select(literal(word).label("word"), table.id.label("id"), table.code.label("code"), currency.label("currency"))
            .where(table.id.in_(sorted(keys)))
        )  # fmt: skip
    if not parts:
        return {}
    return {(row.word, row.id): (row.code, row.currency) for row in session.execute(union_all(*parts))}


def _word_of(kind: str, name: str) -> str:
    """What a fact refers to; the twin of an entity is an entity."""
    word = "entity" if (kind, name) == ("entity", "twin") else _REFER.get(name, name)
    return word if word in _CODED else ""


def in_words(kind: str, key: int | None, facts: Mapping[str, Any], codes: Codes) -> str:
    """The facts of an act in a line, but for those that say nothing."""
    currency = codes.get((kind, key or 0), ("", ""))[1]

    def one(name: str, value: Any) -> str:
        if value is None:
            return "nothing"
        if isinstance(value, bool):
            return "yes" if value else "no"
        if name == "limit_minor" and isinstance(value, int) and currency:
            return f"{from_minor(value, currency):,} {currency}"
        word = _word_of(kind, name)
        if word and isinstance(value, int):
            return codes.get((word, value), (f"number {value}", ""))[0]
        if name == "content":
            return f"{str(value)[:_DIGEST]}…"
        return value if isinstance(value, str) else orjson.dumps(value).decode()

    said = [f"{facts['count']} at once"] if "count" in facts and "content" in facts else []
    for name, value in facts.items():
        if value is None or value in ([], {}) or (said and name == "count"):
            continue
        called = _CALLED.get(name, name.replace("_", " "))
        if name in _PAIRS and isinstance(value, list) and len(value) == 2:
            said.append(f"{called}: {one(name, value[0])} → {one(name, value[1])}")
        elif isinstance(value, list) and all(isinstance(part, str) for part in value):
            said.append(f"{called}: {', '.join(value)}")
        else:
            said.append(f"{called}: {one(name, value)}")
    return "; ".join(said)
