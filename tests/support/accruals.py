"""Is what is found of a period's end by indexes all that there is?"""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from sqlalchemy import true
from sqlalchemy.orm import Session

from erpcore.billing.accruals import cutoff, figures
from erpcore.billing.accruals.cutoff import Tested, shipments_around
from erpcore.billing.accruals.ends import PeriodEnd
from erpcore.billing.accruals.figures import Due
from erpcore.billing.accruals.services import due_at


def found(session: Session, end: PeriodEnd) -> tuple[list[Due], list[Tested]]:
    """What is due, and what the cut-off test looks at."""
    return due_at(session, end), shipments_around(session, end)


def of_all(session: Session, end: PeriodEnd) -> tuple[list[Due], list[Tested]]:
    """The same, every shipment looked at."""

    def every(_: Any) -> Any:
        return true()

    with patch.object(figures, "among", every), patch.object(cutoff, "among", every):
        return found(session, end)


def assert_none_is_missed(session: Session, end: PeriodEnd) -> None:
    assert found(session, end) == of_all(session, end)
