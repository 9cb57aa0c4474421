"""Who is told what: the published catalogue of event types, and the consumers that read the log."""

from __future__ import annotations

import importlib
import importlib.util

from app.composition.coverage import read_coverage
from app.composition.ledger_days import LedgerDayConsumer
from app.composition.letter_consumer import LetterConsumer
from erpcore.kernel.events import Registry, published
from readiness.conformance.consumer import ConformanceConsumer
from readiness.measures.consumer import JourneyConsumer

#: Every package declares its own event types in its own published.py; one that has none yet has no file. An area of the core
#: with many of them has a module of its own beside the others.
_PUBLISHERS = (
    "erpcore.published",
    "erpcore.published.accruals",
    "erpcore.published.cash",
    "erpcore.published.disputes",
    "erpcore.published.dunning",
    "erpcore.published.floor",
    "erpcore.published.freight",
    "erpcore.published.journals",
    "erpcore.published.purchasing",
    "erpcore.published.rebates",
    "erpcore.published.settlement",
    "erpcore.published.sourcing",
    "erpcore.published.quotes",
    "erpcore.published.sites",
    "erpcore.published.stock",
    "erpcore.published.transfers",
    "governance.published",
    "readiness.published",
    "training.published",
)


def event_catalogue() -> Registry:
    """All event types of the product, by name and version."""
    registry = Registry()
    for name in _PUBLISHERS:
        if importlib.util.find_spec(name) is not None:
            registry.add(*published(importlib.import_module(name)))
    return registry


#: The domain's consumers, in the order in which the worker runs them.
CONSUMERS = (JourneyConsumer(), ConformanceConsumer(read_coverage), LetterConsumer(), LedgerDayConsumer())
