"""All tables of the product: importing this module fills the metadata that migrations are compared with."""

from __future__ import annotations

from app.identity import models as identity
from erpcore.kernel import audit, events, history, ids, numbering, requests
from erpcore.kernel.model import Base

__all__ = ["Base", "audit", "events", "history", "identity", "ids", "numbering", "requests"]
