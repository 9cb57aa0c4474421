"""What programs send and read of a programme, its decision bodies and their seats."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import AwareDatetime, Field

from app.api.v1.meeting_models import MeetingAnswer
from app.api.values import Answer, Body
from governance.programme.kinds import BodyKind

MOST = 2**63 - 1
_CODE = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"


class CellBody(Body):
    """A live site and a channel, by id."""

    site: int = Field(ge=1, le=MOST)
    channel: int = Field(ge=1, le=MOST)


class ProgrammeBody(Body):
    """A rollout, with the cells it brings onto the core."""

    code: str = Field(min_length=1, max_length=20, pattern=_CODE)
    name: str = Field(min_length=1, max_length=200)
    purpose: str = Field(min_length=1, max_length=2000)
    starts_on: date
    ends_on: date | None = None
    cells: list[CellBody] = Field(default_factory=list, max_length=2000)


class CellsBody(Body):
    """Further cells; those the programme has already are left alone."""

    cells: list[CellBody] = Field(min_length=1, max_length=2000)


class ShareBody(Body):
    """A share as numerator and denominator, since two thirds have no decimal."""

    part: int = Field(ge=1, le=1000)
    whole: int = Field(ge=1, le=1000)

    def pair(self) -> tuple[int, int]:
        """As the services take it."""
        return self.part, self.whole


class NewSeatBody(Body):
    """A seat: what it stands for, who holds it, and what it weighs."""

    function: str = Field(min_length=1, max_length=80)
    person: int | None = Field(None, ge=1, le=MOST, description="null: vacant.")
    chair: bool = False
    mandatory: bool = Field(default=False, description="Without it there is no quorum.")
    veto: bool = Field(default=False, description="Its no-go stops a go.")


class BodyBody(Body):
    """A decision body with its rule and seats."""

    code: str = Field(min_length=1, max_length=60, pattern=_CODE)
    name: str = Field(min_length=1, max_length=200)
    kind: BodyKind
    mandate: str = Field(min_length=1, max_length=2000)
    quorum: ShareBody = ShareBody(part=2, whole=3)
    majority: ShareBody = ShareBody(part=2, whole=3)
    seats: list[NewSeatBody] = Field(min_length=1, max_length=100)


class RuleBody(Body):
    """What a body is for and how it decides; votes that are open keep the rule they were opened with."""

    name: str = Field(min_length=1, max_length=200)
    mandate: str = Field(min_length=1, max_length=2000)
    quorum: ShareBody
    majority: ShareBody
    reason: str = Field(min_length=1, max_length=2000)


class AddSeatBody(NewSeatBody):
    """A further seat, and why."""

    reason: str = Field(min_length=1, max_length=2000)


class ChangeSeatBody(Body):
    """What a seat stands for and weighs."""

    function: str = Field(min_length=1, max_length=80)
    chair: bool = False
    mandatory: bool = False
    veto: bool = False
    reason: str = Field(min_length=1, max_length=2000)


class HolderBody(Body):
    """Who holds a seat."""

    person: int | None = Field(ge=1, le=MOST, description="null: nobody.")
    reason: str = Field(min_length=1, max_length=2000)


class ReasonBody(Body):
    """Something that is only done with a reason."""

    reason: str = Field(min_length=1, max_length=2000)


class DelegationBody(Body):
    """Who stands in for a seat, from when until before when."""

    delegate: int = Field(ge=1, le=MOST)
    valid_from: AwareDatetime
    valid_until: AwareDatetime
    reason: str = Field(min_length=1, max_length=2000)


class CellAnswer(Answer):
    """A live site and a channel, by id."""

    site: int
    channel: int


class ProgrammeAnswer(Answer):
    """A programme with its cells."""

    id: int
    code: str
    name: str
    purpose: str
    starts_on: date
    ends_on: date | None
    cells: list[CellAnswer]


class ProgrammesAnswer(Answer):
    """All programmes by code."""

    items: list[ProgrammeAnswer]


class ShareAnswer(Answer):
    """A share."""

    part: int
    whole: int


class SeatAnswer(Answer):
    """A seat with its holder and whoever may act for it now."""

    id: int
    function: str
    person: int | None
    delegate: int | None
    is_chair: bool
    is_mandatory: bool
    has_veto: bool


class DelegationAnswer(Answer):
    """Somebody who stands in for a seat, now or later."""

    id: int
    seat: int
    delegate: int
    valid_from: datetime
    valid_until: datetime
    reason: str


class BodyAnswer(Answer):
    """A decision body with its rule, seats, delegates and meetings."""

    id: int
    programme: int
    code: str
    name: str
    kind: str
    mandate: str
    quorum: ShareAnswer
    majority: ShareAnswer
    seats: list[SeatAnswer]
    delegations: list[DelegationAnswer]
    meetings: list[MeetingAnswer]


class BodiesAnswer(Answer):
    """The bodies of a programme."""

    items: list[BodyAnswer]
