"""By which of the policy values that documents are stamped with do goods become the customer's only when they arrive?"""

from __future__ import annotations

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from erpcore.masterdata.models import StoredRuleset
from erpcore.ports import Ruleset

DELIVERED = "delivered"


def late_rulesets(session: Session) -> frozenset[str]:
    """The rulesets, by hash, by which control passes with the delivery; one older than the policy point never does."""
    rows = session.execute(select(StoredRuleset.hash, StoredRuleset.content))
    return frozenset(
        hash_ for hash_, content in rows if Ruleset(hash_, orjson.loads(content))["control_transfer"] == DELIVERED
    )
