"""When does somebody look, and which day is it then where a company is?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.queries.prices import day_by_company
from erpcore.masterdata.models import Entity


@dataclass(frozen=True)
class Moment:
    """An instant, with the days that it is on. Zones are read once, and only where a day is asked for."""

    session: Session
    at: datetime

    @cached_property
    def _zones(self) -> dict[int, str]:
        rows = self.session.execute(select(Entity.id, Entity.time_zone).order_by(Entity.id))
        return {row.id: row.time_zone for row in rows}

    def day_at(self, company: Any) -> date | ColumnElement[date]:
        """Today in the zone of the company that this column names."""
        return day_by_company(self.at, self._zones, company)
