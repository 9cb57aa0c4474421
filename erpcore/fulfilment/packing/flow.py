"""The life of a carton as a table."""

from __future__ import annotations

from erpcore.fulfilment.packing.models import CartonState as S
from erpcore.kernel.flow import Flow, Move

_PACK = "warehouse:shipment:pack"

CARTON = Flow(
    "carton",
    S,
    S.OPEN,
    (
        Move(name="close", sources=(S.OPEN,), target=S.CLOSED, permission=_PACK),
        Move(name="void", sources=(S.OPEN, S.CLOSED), target=S.VOID, permission=_PACK, reason_required=True),
    ),
)  # fmt: skip
