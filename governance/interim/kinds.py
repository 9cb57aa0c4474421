"""What can be mastered, who masters it while the old systems still run, and which data does a process need?"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum


class LinkKind(StrEnum):
    """A process (or one step of it), or a data domain."""

    PROCESS = "process"
    DATUM = "datum"


class Master(StrEnum):
    """Whose word counts. Where both may write, a rule says which of them when."""

    LEGACY = "legacy"
    OURS = "ours"
    BOTH = "both"


class Direction(StrEnum):
    """Which way a temporary interface carries."""

    TO_US = "to_us"
    TO_LEGACY = "to_legacy"
    BOTH_WAYS = "both_ways"


class Domain(StrEnum):
    """Data that two systems hold at once while sites move one by one."""

    CUSTOMERS = "customers"
    ITEMS = "items"
    PRICES = "prices"
    STOCK = "stock"
    OPEN_ORDERS = "open_orders"
    RECEIVABLES = "receivables"
    LEDGER = "ledger"


DOMAINS = {
    Domain.CUSTOMERS: "Customers", Domain.ITEMS: "Items", Domain.PRICES: "Prices and terms", Domain.STOCK: "Stock",
    Domain.OPEN_ORDERS: "Open orders", Domain.RECEIVABLES: "Receivables", Domain.LEDGER: "Books",
}  # fmt: skip
_NEEDS = {
    "order_to_cash": (Domain.CUSTOMERS, Domain.ITEMS, Domain.PRICES, Domain.STOCK, Domain.OPEN_ORDERS, Domain.RECEIVABLES),
    "returns_to_credit": (Domain.CUSTOMERS, Domain.ITEMS, Domain.OPEN_ORDERS, Domain.RECEIVABLES),
    "warehouse": (Domain.ITEMS, Domain.STOCK),
    "record_to_report": (Domain.RECEIVABLES, Domain.LEDGER),
}  # fmt: skip


def process_title(code: str) -> str:
    """A process by its code, as people say it: ``order_to_cash`` → ``Order to cash``."""
    return code.replace("_", " ").capitalize()


def domains_of(processes: Collection[str]) -> list[Domain]:
    """The data that these processes read and write; of a process that is not known, all."""
    return [one for one in Domain if any(one in _NEEDS.get(process, Domain) for process in processes)]
