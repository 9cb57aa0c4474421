"""The forms of a wave."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar, Final

from wtforms import DateField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from app.queries.planning import PlanDesk
from app.reports.wording import PROCESSES
from app.web.fields import ChecksField
from app.web.forms import Form, choices
from app.web.once import KeyedForm
from app.web.steering_words import short_day
from erpcore.ports import Process

EVERYBODY: Final = "all"
_PROCESSES: Final = choices((process.value, PROCESSES[process.value]) for process in Process)


class StepForm(Form):
    """A step that is kept with its reason."""

    version = HiddenField()
    reason = TextAreaField(
        "Reason", [InputRequired("Say why"), Length(max=2000)], description="Stands in the history of the wave."
    )


class DatesForm(Form):
    """Other dates for a wave that is not live yet."""

    version = HiddenField()
    go_live_on = DateField("Go-live", [InputRequired("Choose the day")])
    hypercare_until = DateField(
        "Support until", [InputRequired("Choose the day")], description="The first day without close support."
    )
    reason = TextAreaField("Reason", [InputRequired("Say why the dates move"), Length(max=2000)])


class ScopeForm(KeyedForm):
    """What goes live together: the part that a new plan and a change of one share."""

    called: ClassVar[Mapping[str, str]] = {"customer_groups": "groups"}
    name = StringField(
        "Name", [InputRequired("Give it a name"), Length(max=200)], description="As people will say it: Duisburg and Kassel."
    )  # fmt: skip
    owner = SelectField("Responsible", coerce=int, description="Answers for the wave and its dates.")
    cells = ChecksField("Cells", [InputRequired("Tick at least one cell")])
    processes = ChecksField("Processes", [InputRequired("Tick at least one process")], choices=_PROCESSES)
    whom = RadioField(
        "Customers", choices=choices([(EVERYBODY, "All customers"), ("some", "Only these groups")]), default=EVERYBODY
    )
    groups = ChecksField("Customer groups", coerce=int)

    def validate(self, extra_validators: Any = None) -> bool:
        """Groups are ticked exactly where not all customers go live."""
        valid: bool = super().validate(extra_validators)
        if self.whom.data != EVERYBODY and not self.groups.data:
            self.groups.errors = ["Tick at least one group, or choose all customers"]
            return False
        return valid

    def content(self) -> dict[str, Any]:
        """What was asked for; a wave that was planned meanwhile offers a further field, and that is no other request."""
        empty = {field.name for field in self.waits() if not field.data}
        return {name: value for name, value in super().content().items() if name not in empty}

    def scope(self) -> dict[str, Any]:
        """Cells, processes and groups as the services take them."""
        ticked = [str(value).split(":") for value in self.cells.data or ()]
        return {
            "cells": tuple((int(site), int(channel)) for site, channel in ticked),
            "processes": tuple(Process(value) for value in self.processes.data or ()),
            "customer_groups": None if self.whom.data == EVERYBODY else tuple(self.groups.data or ()),
        }

    def depends_on(self) -> tuple[tuple[int, str], ...]:
        """The waves for which a reason to wait was written."""
        found = [(name, field.data) for name, field in self._fields.items() if name.startswith("waits_")]
        return tuple((int(name.removeprefix("waits_")), str(why)) for name, why in found if why)

    def waits(self) -> list[Any]:
        """The fields of the other waves."""
        return [field for name, field in self._fields.items() if name.startswith("waits_")]


class PlanForm(ScopeForm):
    """A new wave."""

    code = StringField(
        "Code",
        [InputRequired("Give it a code"), Length(max=20)],
        description="Short; it stands on every page and paper.",
    )
    go_live_on = DateField(
        "Go-live", [InputRequired("Choose the day")], description="The day its cells open, if the vote is go."
    )
    hypercare_until = DateField(
        "Support until", [InputRequired("Choose the day")], description="The first day without close support."
    )
    time_zone = SelectField("Days of", description="The clock by which its days begin; that of the leading site.")


class ReplanForm(ScopeForm):
    """A change of what a planned wave takes live."""

    version = HiddenField()
    reason = TextAreaField(
        "Reason",
        [InputRequired("Say why the plan changes"), Length(max=2000)],
        description="Stands in the audit trail.",
    )


class BlackoutForm(KeyedForm):
    """Days on which nothing goes live."""

    called: ClassVar[Mapping[str, str]] = {"ends_on": "last_on"}
    name = StringField(
        "What it is",
        [InputRequired("Give it a name"), Length(max=200)],
        description="Stocktaking, peak season, year end.",
    )
    starts_on = DateField("First day", [InputRequired("Choose the first day")])
    last_on = DateField("Last day", [InputRequired("Choose the last day")])
    wave = SelectField("For", coerce=int)


class LiftForm(Form):
    """Taking a blackout out of the calendar."""

    reason = StringField("Reason", [InputRequired("Say why"), Length(max=500)])


class FallbackForm(Form):
    """A site, or one channel of it, begins or ends working on paper."""

    move = HiddenField()
    channel = SelectField("Which channels", coerce=int)
    reason = TextAreaField(
        "Reason",
        [InputRequired("Say why"), Length(max=2000)],
        description="Stands with each cell, in the history and in the audit trail.",
    )


class AlreadyLiveForm(KeyedForm):
    """What ran before the programme."""

    called: ClassVar[Mapping[str, str]] = {"opens_at": "since"}
    cells = ChecksField("Cells", [InputRequired("Tick at least one cell")])
    processes = ChecksField("Processes", [InputRequired("Tick at least one process")], choices=_PROCESSES)
    since = DateField("Live since", [InputRequired("Choose the day")])
    reason = TextAreaField(
        "Reason", [InputRequired("Say why no go was needed"), Length(max=2000)],
        description="For example: ran on the old release of the same core; stands with each grant.",
    )  # fmt: skip


def scope_form(kind: type[ScopeForm], desk: PlanDesk) -> Any:
    """A form of this kind with what the desk offers: cells, people, groups, and one field for every other wave."""
    made = type(
        kind.__name__,
        (kind,),
        {f"waits_{wave.id}": _wait(wave.code, wave.name, wave.hypercare_until) for wave in desk.others},
    )
    form = made()
    form.cells.choices = choices((cell.value, cell.value) for cell in desk.cells())
    form.owner.choices = choices(desk.people)
    form.groups.choices = choices(desk.groups)
    if hasattr(form, "time_zone"):
        form.time_zone.choices = choices((name, name) for name in desk.zones)
    return form


def _wait(code: str, name: str, until: date) -> StringField:
    return StringField(
        f"{code} · {name}", [Optional(), Length(max=500)], description=f"Its support ends {short_day(until)}."
    )
