"""The forms of the RAID register: writing an entry, judging it, moving it on, and what is done about it."""

from __future__ import annotations

from decimal import Decimal

from wtforms import DateField, HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from app.web.fields import ChecksField, ExactField
from app.web.figures import heading
from app.web.forms import Form, choices
from app.web.once import KeyedForm
from erpcore.kernel.errors import RuleBroken
from erpcore.ports import POLICY_POINTS
from governance.processes.content import lines
from governance.risks.content import (
    LONGEST_PARTY,
    LONGEST_TEXT,
    LONGEST_TITLE,
    USUAL_HOURS,
    USUAL_REVIEW,
    Said,
    Watched,
)
from governance.risks.flow import EntryKind, Layer, LinkKind, Response, Side
from governance.risks.rules import IMPACTS, PROBABILITIES
from readiness.measures.catalogue import find_figure
from readiness.measures.reading import from_shown

#: What the sentence of each kind says, and what follows from it.
STATEMENTS = {
    EntryKind.RISK: ("Event", "What may happen."),
    EntryKind.ASSUMPTION: ("Assumption", "What is taken for granted."),
    EntryKind.ISSUE: ("Issue", "What has happened."),
    EntryKind.DEPENDENCY: ("What is needed", "The thing itself, so that both sides know when it is there."),
}
EFFECTS = {
    EntryKind.RISK: ("Effect", "What that would do to the roll-out."),
    EntryKind.ASSUMPTION: ("If it is wrong", "What would follow."),
    EntryKind.ISSUE: ("Effect", "What it does to the roll-out."),
    EntryKind.DEPENDENCY: ("If it is late", "What would stand still."),
}
DAYS = {
    EntryKind.RISK: "Answered by", EntryKind.ASSUMPTION: "Checked by", EntryKind.ISSUE: "Solved by",
    EntryKind.DEPENDENCY: "Needed by the day",
}  # fmt: skip
PLANS = {
    EntryKind.RISK: "What is done about it", EntryKind.ASSUMPTION: "How it is checked", EntryKind.ISSUE: "How it is solved",
    EntryKind.DEPENDENCY: "What is agreed",
}  # fmt: skip
_SCALES = [(number, f"{number} · {word}") for number, word in IMPACTS.items()]
_LIKELY = [(number, f"{number} · {word}") for number, word in PROBABILITIES.items()]


class EntryForm(KeyedForm):
    """An entry of any kind; ``kind`` says which fields count."""

    version = HiddenField()
    title = StringField("Title", [InputRequired("Give it a title"), Length(max=LONGEST_TITLE)])
    cause = TextAreaField("Cause", [Length(max=LONGEST_TEXT)], description="What is so today, and may lead to it.")
    statement = TextAreaField("Event", [InputRequired("Say it in words"), Length(max=LONGEST_TEXT)])
    effect = TextAreaField("Effect", [InputRequired("Say what follows"), Length(max=LONGEST_TEXT)])
    needed_by = StringField("Needed by", [Length(max=LONGEST_PARTY)], description="Who cannot go on without it.")
    needed_from = StringField(
        "Needed from", [Length(max=LONGEST_PARTY)], description="Who brings it: a team, a supplier."
    )
    probability = SelectField("Probability", coerce=int, choices=choices(_LIKELY), default=3)
    impact = SelectField("Impact", coerce=int, choices=choices(_SCALES), default=3)
    layer = SelectField("Layer", choices=choices((one.value, heading(one.value)) for one in Layer))
    response = SelectField(
        "Response", default="", choices=choices([("", "not decided"), *((one.value, heading(one.value)) for one in Response)])
    )  # fmt: skip
    plan = TextAreaField("What is done about it", [Length(max=LONGEST_TEXT)])
    score_limit = IntegerField(
        "Triggered from a score of", [Optional()], description="Probability times impact, 1 to 25."
    )
    figure = SelectField("Triggered by a figure", choices=())
    side = RadioField(
        "When it reads", choices=choices((("below", "below the limit"), ("above", "above the limit"))), default="below"
    )
    limit = ExactField(
        "Limit",
        places=6,
        description="In the figure's unit. It is read at the site, else at the wave's sites, else everywhere.",
    )
    owner = SelectField("Owner", coerce=int)
    body = SelectField(
        "Goes on to",
        coerce=int,
        description="Who hears of it when it is late or triggered; then the steering committee.",
    )
    escalation_hours = IntegerField("After working hours", default=USUAL_HOURS)
    due_on = DateField("Until", [InputRequired("Choose the day")])
    review_days = IntegerField("Reviewed every, days", default=USUAL_REVIEW)
    wave = SelectField("Wave", coerce=int, default=0)
    site = SelectField("Site", coerce=int, default=0)
    process_code = SelectField("Process", default="")
    steps = TextAreaField(
        "Steps it touches", [Length(max=LONGEST_TEXT)], description="One on each line, as order_to_cash.release."
    )
    points = ChecksField(
        "Policy points it touches", choices=choices((point.name, point.title) for point in POLICY_POINTS.values())
    )
    reason = TextAreaField("Reason", [Length(max=LONGEST_TEXT)])
    called = {"process": "process_code", "figure_limit": "limit"}  # noqa: RUF012 - as the base declares it

    def said(self, kind: EntryKind) -> Said:
        """What was typed; raises ``RuleBroken`` for a figure without a limit. ``due_on`` was checked by the form."""
        if self.due_on.data is None:
            raise RuleBroken("risk_incomplete", field="due_on", what="day", kind=kind)
        is_risk = kind is EntryKind.RISK
        is_dependency = kind is EntryKind.DEPENDENCY
        links = [(LinkKind.STEP, one) for one in lines(self.steps.data or "")]
        links += [(LinkKind.POINT, one) for one in self.points.data or ()]
        return Said(
            title=str(self.title.data or ""), cause=str(self.cause.data or "") if is_risk else "",
            statement=str(self.statement.data or ""), effect=str(self.effect.data or ""),
            needed_by=str(self.needed_by.data or "") if is_dependency else "",
            needed_from=str(self.needed_from.data or "") if is_dependency else "", layer=Layer(self.layer.data),
            probability=self.probability.data if is_risk else None, impact=self.impact.data,
            response=Response(self.response.data) if is_risk and self.response.data else None, plan=str(self.plan.data or ""),
            score_limit=self.score_limit.data if is_risk else None, watched=self._watched(), owner=self.owner.data,
            body=self.body.data, due_on=self.due_on.data, review_days=self._number(self.review_days),
            escalation_hours=self._number(self.escalation_hours), wave=self.wave.data or None, site=self.site.data or None,
            process=self.process_code.data or None, links=links,
        )  # fmt: skip

    @staticmethod
    def _number(typed: IntegerField) -> int:
        return typed.data if typed.data is not None else 0

    def _watched(self) -> Watched | None:
        if not self.figure.data:
            return None
        if not isinstance(self.limit.data, Decimal):
            raise RuleBroken("risk_incomplete", field="limit", what="limit", kind="figure")
        unit = find_figure(self.figure.data).measure.unit
        return Watched(figure=self.figure.data, side=Side(self.side.data), limit=from_shown(self.limit.data, unit))


class AssessForm(Form):
    """A review."""

    version = HiddenField()
    probability = SelectField("Probability", coerce=int, choices=choices(_LIKELY))
    impact = SelectField("Impact", coerce=int, choices=choices(_SCALES))
    note = TextAreaField("What was found", [Length(max=LONGEST_TEXT)])


class MoveForm(Form):
    """Triggering, standing down, closing and opening again."""

    version = HiddenField()
    why = TextAreaField("Reason", [InputRequired("Say why"), Length(max=LONGEST_TEXT)])
    called = {"reason": "why"}  # noqa: RUF012 - as the base declares it


class ActionForm(KeyedForm):
    """Something to be done."""

    action = StringField("What is done", [InputRequired("Say what is done"), Length(max=LONGEST_TITLE)])
    action_owner = SelectField("By whom", coerce=int)
    action_due = DateField("Until", [InputRequired("Choose the day")])
    called = {"title": "action", "owner": "action_owner", "due_on": "action_due"}  # noqa: RUF012 - as the base declares it


class SettleForm(Form):
    """An action that is done or dropped."""

    note = StringField("Note", [Length(max=LONGEST_TEXT)])
