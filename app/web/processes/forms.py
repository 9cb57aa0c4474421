"""The forms of processes: a version, a step, an exception path, an owner, and the decision on a version."""

from __future__ import annotations

from typing import Any

from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from app.security.roles import ROLES
from app.web.fields import ChecksField
from app.web.forms import Form, choices
from app.web.once import KeyedForm
from erpcore.kernel.errors import RuleBroken
from erpcore.ports import POLICY_POINTS
from governance.processes.content import ExceptionPath, HandOff, Step, lines
from governance.processes.flow import VersionKind
from governance.processes.queries import StreamView
from governance.processes.rules import LONGEST_CODE, LONGEST_NAME, LONGEST_TEXT
from readiness.measures.catalogue import MEASURES

_ROLES = [(role.value, duty.title) for role, duty in ROLES.items()]
_CODE_HINT = "Small letters, digits and underscores; variants and checks refer to it."


class VersionForm(KeyedForm):
    """A new version: what it tells, out of which other one, and what for."""

    kind = RadioField(
        "It tells", [InputRequired("Choose one")],
        choices=choices([(VersionKind.TO_BE.value, "how the work shall be done"), (VersionKind.AS_IS.value, "how it is done today")]),
        default=VersionKind.TO_BE.value,
    )  # fmt: skip
    based_on = SelectField("Begins as", coerce=int, default=0)
    summary = TextAreaField(
        "What for", [InputRequired("Say what it is for, or what it changes"), Length(max=LONGEST_TEXT)],
        description="In a sentence: whoever approves reads it first.",
    )  # fmt: skip


class ProcessForm(KeyedForm):
    """A new process."""

    stream = SelectField("Value stream", coerce=int)
    code = StringField("Code", [InputRequired("Give it a code"), Length(max=LONGEST_CODE)], description=_CODE_HINT)
    name = StringField("Name", [InputRequired("Give it a name"), Length(max=LONGEST_NAME)])
    purpose = TextAreaField("Purpose", [Length(max=LONGEST_TEXT)], description="What comes out of it, and for whom.")
    owner = SelectField("Owner", coerce=int, default=0)

    def offer(self, streams: list[StreamView], people: list[tuple[int, str]]) -> None:
        """Fill the choices."""
        self.stream.choices = choices((one.id, one.name) for one in streams)
        self.owner.choices = choices([(0, "nobody yet"), *people])


class StreamForm(KeyedForm):
    """A new value stream."""

    code = StringField("Code", [InputRequired("Give it a code"), Length(max=LONGEST_CODE)], description=_CODE_HINT)
    name = StringField("Name", [InputRequired("Give it a name"), Length(max=LONGEST_NAME)])
    purpose = TextAreaField("Purpose", [Length(max=LONGEST_TEXT)])


class OwnerForm(Form):
    """Who answers for a process."""

    owner = SelectField("Owner", coerce=int, default=0)
    reason = TextAreaField("Reason", [InputRequired("Say why"), Length(max=LONGEST_TEXT)])


class MoveForm(Form):
    """What becomes of a version, and why."""

    version = HiddenField()
    reason = TextAreaField(
        "Reason", [Optional(), Length(max=LONGEST_TEXT)],
        description="Required for all but handing in; it stays with the version.",
    )  # fmt: skip


class TakeOverForm(Form):
    """Beginning with the bundled set."""


class StepForm(Form):
    """A step of a draft."""

    version = HiddenField()
    code = StringField("Code", [InputRequired("Give it a code"), Length(max=LONGEST_CODE)], description=_CODE_HINT)
    name = StringField("Name", [InputRequired("Give it a name"), Length(max=LONGEST_NAME)])
    role = SelectField("Who does it", choices=choices([("", "not said yet"), *_ROLES]))
    owner = SelectField("Who answers for its standard", choices=choices([("", "not said yet"), *_ROLES]))
    system = StringField("System of record", [Length(max=LONGEST_NAME)])
    trigger = TextAreaField("Starts when", [Length(max=LONGEST_TEXT)])
    inputs = TextAreaField("Inputs", [Length(max=LONGEST_TEXT)], description="One on each line.")
    standard = TextAreaField(
        "Standard", [Length(max=LONGEST_TEXT)], description="What is done, so that somebody new does it right."
    )
    decisions = TextAreaField("Decision points", [Length(max=LONGEST_TEXT)], description="One question on each line.")
    approval = TextAreaField("Approval", [Length(max=LONGEST_TEXT)], description="Who agrees to what; empty for none.")
    level = TextAreaField("Service level", [Length(max=LONGEST_TEXT)], description="By when, or how many.")
    otherwise = TextAreaField("What goes wrong otherwise", [Length(max=LONGEST_TEXT)])
    automation = TextAreaField("Automation idea", [Length(max=LONGEST_TEXT)])
    handoffs = TextAreaField(
        "Hands over to", [Length(max=LONGEST_TEXT)],
        description="One on each line: the step’s code, a colon, what is handed over. warehouse.pick: the pick list",
    )  # fmt: skip
    reference = StringField(
        "Id in a public framework",
        [Length(max=24)],
        description="The number only, for comparison with others; no text.",
    )
    measures = ChecksField("Measures", choices=choices((code, one.title) for code, one in MEASURES.items()))
    points = ChecksField(
        "Policy points", choices=choices((point.name, point.title) for point in POLICY_POINTS.values())
    )

    def show(self, step: Step) -> None:
        """Fill the form with what the step says now."""
        for name in ("code", "name", "role", "owner", "system", "trigger", "standard", "approval", "level", "otherwise", "automation", "reference"):  # fmt: skip
            self._fields[name].data = getattr(step, name)
        self.inputs.data, self.decisions.data = "\n".join(step.inputs), "\n".join(step.decisions)
        self.handoffs.data = "\n".join(f"{one.to}: {one.what}" for one in step.handoffs)
        self.measures.data, self.points.data = list(step.measures), list(step.points)

    def step(self, before: Step | None) -> Step:
        """What was typed as a step; its exception paths stay those of ``before``."""
        texts: dict[str, Any] = {
            name: str(self._fields[name].data or "")
            for name in ("code", "name", "role", "owner", "system", "trigger", "standard", "approval", "level", "otherwise", "automation", "reference")
        }  # fmt: skip
        return Step(
            **texts, inputs=lines(self.inputs.data or ""), decisions=lines(self.decisions.data or ""),
            measures=tuple(self.measures.data or ()), points=tuple(self.points.data or ()),
            handoffs=tuple(_hand_off(one) for one in lines(self.handoffs.data or "")),
            exceptions=before.exceptions if before else (),
        )  # fmt: skip


def _hand_off(line: str) -> HandOff:
    to, colon, what = line.partition(":")
    if not (colon and to.strip() and what.strip()):
        raise RuleBroken("handoff_unreadable", field="handoffs", line=line[:80])
    return HandOff(to=to.strip(), what=what.strip())


class PathForm(Form):
    """An exception path of a step."""

    version = HiddenField()
    code = StringField("Code", [InputRequired("Give it a code"), Length(max=LONGEST_CODE)], description=_CODE_HINT)
    name = StringField("Name", [InputRequired("Give it a name"), Length(max=LONGEST_NAME)])
    when = TextAreaField("Applies when", [InputRequired("Say when it applies"), Length(max=LONGEST_TEXT)])
    actions = TextAreaField(
        "What is done", [InputRequired("Say what is done"), Length(max=LONGEST_TEXT)], description="One step on each line, in order."
    )  # fmt: skip
    role = SelectField("Who does it", [InputRequired("Choose who")], choices=choices(_ROLES))
    approval = StringField("Who agrees", [Length(max=LONGEST_NAME)], description="Empty: nobody has to.")
    otherwise = TextAreaField(
        "What goes wrong otherwise", [InputRequired("Say what goes wrong otherwise"), Length(max=LONGEST_TEXT)]
    )

    def show(self, path: ExceptionPath) -> None:
        """Fill the form with what the path says now."""
        for name in ("code", "name", "when", "role", "approval", "otherwise"):
            self._fields[name].data = getattr(path, name)
        self.actions.data = "\n".join(path.actions)

    def path(self) -> ExceptionPath:
        """What was typed."""
        return ExceptionPath(
            code=str(self.code.data), name=str(self.name.data), when=str(self.when.data), actions=lines(str(self.actions.data)),
            role=str(self.role.data), approval=str(self.approval.data or ""), otherwise=str(self.otherwise.data),
        )  # fmt: skip
