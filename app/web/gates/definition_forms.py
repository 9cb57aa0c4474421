"""The forms with which a gate is written: the gate itself, one criterion, the freeze, and what comes after it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp

from app.queries.gate_writing import EVIDENCE_OF, GateDesk
from app.reports.wording import EVIDENCE, LAYERS
from app.web.fields import ChecksField, ExactField
from app.web.forms import Form, choices
from app.web.once import KeyedForm
from app.web.steering_words import PHASES
from readiness.gates.criteria import Baseline, Basis, Evidence, Layer, Phase
from readiness.gates.specs import MOST_DAYS, MOST_DOCUMENTS, MOST_WEIGHT, CriterionSpec, Grain
from readiness.measures.catalogue import Figure
from readiness.measures.reading import Direction, Unit, from_shown, shown

CODE: Final = re.compile(r"[a-z0-9][a-z0-9_-]*\Z")
NOBODY: Final = 0
_SCORE: Final = "of 100 points"
_GRAINS: Final[dict[str, str]] = {
    "all": "All cells together", "site": "Site by site, the worst counts", "cell": "Cell by cell, the worst counts"
}  # fmt: skip


class GateForm(KeyedForm):
    """A gate of a wave, from a template or empty."""

    phase = RadioField("When it is asked", [InputRequired("Choose one")])
    template = SelectField(
        "Begins with", description="Criteria of a template may be changed, added and removed until the freeze."
    )
    decides_on = DateField(
        "Decides on", [InputRequired("Choose the day")], description="The day on which the committee decides on it."
    )
    waiver_body = SelectField(
        "Ordinary waivers are given by", description="Key criteria are waived by the steering committee alone."
    )
    cells = ChecksField(
        "Reference cells", description="Cells that run already; criteria that refer to live readings read these."
    )


class AmendForm(Form):
    """What a draft says of itself."""

    called: ClassVar[Mapping[str, str]] = {}
    version = HiddenField()
    decides_on = DateField("Decides on", [InputRequired("Choose the day")])
    pass_mark = ExactField("Ready from", [InputRequired("Enter the points")], places=2)
    warn_mark = ExactField("Conditional from", [InputRequired("Enter the points")], places=2)
    waiver_body = SelectField("Ordinary waivers are given by")

    def marks(self) -> dict[str, Decimal]:
        """The marks of the score as shares of one."""
        return {name: Decimal(self[name].data) / 100 for name in ("pass_mark", "warn_mark")}


class FreezeForm(Form):
    """Fixing the criteria in the name of a body."""

    called: ClassVar[Mapping[str, str]] = {"decides_on": "dates", "body": "body"}
    version = HiddenField()
    body = SelectField("In the name of", description="The body that answers for these criteria; you sit on it.")
    dates = TextAreaField(
        "Fixed evaluation days", [Optional(), Length(max=400)],
        description="One day a line, as 2027-01-15. Only for a gate that is open longer than eight weeks.",
    )  # fmt: skip


class ChangedDayForm(Form):
    """Another day to decide a frozen gate."""

    called: ClassVar[Mapping[str, str]] = {"fixed_dates": "dates"}
    version = HiddenField()
    decides_on = DateField("Decides on", [InputRequired("Choose the day")])
    dates = TextAreaField(
        "Fixed evaluation days", [Optional(), Length(max=400)],
        description="One day a line, as 2027-01-15. Only for a gate that is open longer than eight weeks.",
    )  # fmt: skip
    reason = TextAreaField("Reason", [InputRequired("Say why the day moves"), Length(max=2000)])


class ReopenForm(Form):
    """Asking a closed gate's question again."""

    version = HiddenField()
    decides_on = DateField("Decides on", [InputRequired("Choose the day")])
    reason = TextAreaField("Reason", [InputRequired("Say why it is asked again"), Length(max=2000)])


class WithReasonForm(Form):
    """Something that is only done with a reason; ``reason`` may be empty where a draft is changed."""

    version = HiddenField()
    reason = TextAreaField("Reason", [Length(max=2000)])


class TemplateForm(KeyedForm):
    """Keeping a gate's criteria to start others from."""

    code = StringField(
        "Code",
        [InputRequired("Give it a code"), Length(max=60), Regexp(CODE, message="Small letters, digits, - and _ only")],
    )
    name = StringField("Name", [InputRequired("Give it a name"), Length(max=200)])


class CriterionForm(KeyedForm):
    """One criterion on a figure of the catalogue, or an attestation; which one is fixed before the form is shown.

    Marks are typed in the unit that the figure is shown in, or as factors of a baseline that is typed in it.
    """

    called: ClassVar[Mapping[str, str]] = {"owner": "owner_id", "measure": "evidence"}
    version = HiddenField()
    title = StringField(
        "Title", [InputRequired("Give it a title"), Length(max=120)], description="As the committee reads it."
    )
    code = StringField("Code", [Optional(), Length(max=60), Regexp(CODE, message="Small letters, digits, - and _ only")],
                       description="Stays the same when the title changes. Empty: made from the title.")  # fmt: skip
    evidence = RadioField("Where its figure comes from", [InputRequired("Choose one")])
    cells = ChecksField("Cells it refers to")
    grain = SelectField("Cells are read", choices=choices(_GRAINS.items()))
    pass_mark = ExactField("Passes", places=4)
    warn_mark = ExactField(
        "Warns", places=4, description="Met more easily than the pass mark. Empty: there is no warning, it fails."
    )
    marks_are = RadioField(
        "Marks are", choices=choices([("figures", "Figures of their own"), ("factors", "Factors of a baseline")]),
        default="figures",
    )  # fmt: skip
    baseline_value = ExactField("Baseline", places=4, description="What the same figure read before the change.")
    baseline_on = DateField("Measured up to", [Optional()])
    baseline_comparable = BooleanField(
        "Measured by this formula", description="Without it the criterion has no evidence: two formulas do not compare."
    )
    basis = RadioField(
        "Judged on",
        choices=choices([("value", "The figure itself"), ("bound", "The unfavourable limit of its 95 % interval")]),
        default="value",
    )
    window_days = IntegerField("Window", [Optional(), NumberRange(0, MOST_DAYS)])
    min_documents = IntegerField(
        "At least", [InputRequired("Enter a number"), NumberRange(1, MOST_DOCUMENTS)], default=1
    )
    min_days = IntegerField("On at least", [InputRequired("Enter a number"), NumberRange(1, MOST_DAYS)], default=1)
    min_actors = IntegerField("By at least", [Optional(), NumberRange(1, MOST_DOCUMENTS)], default=1)
    weight = ExactField(
        "Weight",
        [InputRequired("Enter a weight"), NumberRange(0, MOST_WEIGHT)],
        places=2,
        description="0 shows it without counting it.",
    )
    key = BooleanField("Key", description="Alone stops the gate; judged on the limit, and a pass has to hold.")
    statutory = BooleanField(
        "Statutory", description="The law; anything but a pass stops the gate, and it is never waived."
    )
    hold = BooleanField("A pass has to hold", description="One good day is not enough. Key criteria always have to.")
    owner_id = SelectField("Owner", coerce=int)
    layer = SelectField("Layer", choices=choices(LAYERS.items()))
    customer_group = SelectField("Customers", coerce=int, default=0)
    dimension = StringField("Slice", [Optional(), Length(max=60)])
    reason = TextAreaField(
        "Reason of the change",
        [Length(max=2000)],
        description="Stands with the change on the gate and in the decision pack.",
    )

    def spec(
        self, figure: Figure | None, before: CriterionSpec | None, code: str, names: Mapping[int, str]
    ) -> CriterionSpec:
        """The specification that was typed, on this figure; what the form does not show stays as it was ``before``.

        ``names`` are those of the people who may own it.
        """
        begun = before or CriterionSpec(code=code, title="", measure=None, evidence=Evidence.ATTESTATION)
        person = int(self.owner_id.data or NOBODY) or None
        common: dict[str, Any] = {
            "code": code, "title": str(self.title.data), "weight": Decimal(self.weight.data), "key": bool(self.key.data),
            "statutory": bool(self.statutory.data), "layer": Layer(self.layer.data), "owner_id": person,
            "owner": names[person] if person else (figure.measure.owner if figure else ""),
        }  # fmt: skip
        if figure is None:
            return replace(begun, **common, measure=None, evidence=Evidence.ATTESTATION, pass_mark=None, warn_mark=None)
        baseline = self._baseline(figure, begun.baseline)
        unit = Unit.RATIO if baseline else Unit(figure.measure.unit)
        evidence = Evidence(self.evidence.data)
        ticked = [str(value).split(":") for value in self.cells.data or ()] if evidence is Evidence.REFERENCE else []
        grain: Grain = self.grain.data
        return replace(
            begun, **common, measure=figure.key, evidence=evidence,
            cells=tuple((int(site), int(channel)) for site, channel in ticked), grain=grain,
            pass_mark=_base(self.pass_mark.data, unit), warn_mark=_base(self.warn_mark.data, unit),
            basis=Basis(self.basis.data or Basis.VALUE), window_days=self.window_days.data,
            min_documents=self.min_documents.data or 1, min_days=self.min_days.data or 1, min_actors=self.min_actors.data or 1,
            hold=bool(self.hold.data), customer_group=int(self.customer_group.data or 0) or None,
            dimension=self.dimension.data or None, baseline=baseline,
        )  # fmt: skip

    def validate(self, extra_validators: Any = None) -> bool:
        """Factors of a baseline need the baseline, and when it was measured."""
        valid = super().validate(extra_validators)
        if self.marks_are.data == "factors":
            for field, said in (
                (self.baseline_value, "Enter what the figure read before"),
                (self.baseline_on, "Choose the day up to which it was measured"),
            ):
                if field.data is None and not field.errors:
                    field.errors = [*field.errors, said]
                    valid = False
        return valid

    def _baseline(self, figure: Figure, before: Baseline | None) -> Baseline | None:
        """What was typed as the baseline; one whose day stands keeps its very instant."""
        if self.marks_are.data != "factors":
            return None
        day = self.baseline_on.data
        assert day is not None  # noqa: S101 - validate asks for it
        as_of = datetime(day.year, day.month, day.day, tzinfo=UTC)
        if before is not None and before.as_of.astimezone(UTC).date() == day:
            as_of = before.as_of
        return Baseline(
            measure=figure.measure.key, statistic=figure.statistic, version=figure.measure.version,
            value=from_shown(Decimal(self.baseline_value.data), Unit(figure.measure.unit)),
            comparable=bool(self.baseline_comparable.data), as_of=as_of,
        )  # fmt: skip

    def fill(self, spec: CriterionSpec, figure: Figure | None) -> None:
        """Show a specification, marks in the unit of the figure."""
        for name in ("title", "code", "grain", "window_days", "min_documents", "min_days", "min_actors", "weight", "key",
                     "statutory", "hold", "dimension"):  # fmt: skip
            self[name].data = getattr(spec, name)
        self.evidence.data, self.basis.data = spec.evidence.value, spec.basis.value
        self.cells.data = [f"{site}:{channel}" for site, channel in spec.cells]
        self.owner_id.data, self.customer_group.data = spec.owner_id or NOBODY, spec.customer_group or 0
        self.layer.data = spec.layer.value if spec.layer else Layer.PROCESS.value
        if figure is None:
            return
        unit = Unit(figure.measure.unit)
        if spec.baseline is not None:
            self.marks_are.data, self.baseline_comparable.data = "factors", spec.baseline.comparable
            self.baseline_value.data = shown(spec.baseline.value, unit, places=4)
            self.baseline_on.data = spec.baseline.as_of.astimezone(UTC).date()
        for name in ("pass_mark", "warn_mark"):
            mark: Decimal | None = getattr(spec, name)
            self[name].data = None if mark is None else shown(mark, Unit.RATIO if spec.baseline else unit, places=4)


def _base(value: Decimal | None, unit: Unit) -> Decimal | None:
    return None if value is None else from_shown(Decimal(value), unit)


def criterion_form(desk: GateDesk, figure: Figure | None, *, groups: Any = ()) -> CriterionForm:
    """The form for a criterion on this figure, with the cells, people and evidence that the gate may name."""
    form = CriterionForm()
    form.evidence.choices = choices((one.value, EVIDENCE[one]) for one in EVIDENCE_OF[desk.gate.phase])
    form.cells.choices = choices((f"{site}:{channel}", f"{site}:{channel}") for site, channel in desk.earlier)
    nobody = figure.measure.owner.capitalize() if figure else "Nobody named"
    form.owner_id.choices = choices([(NOBODY, nobody), *desk.people])
    form.customer_group.choices = choices([(0, "All customers"), *groups])
    if figure is None:
        for name in ("evidence", "grain", "min_documents", "min_days", "marks_are"):
            form[name].validators = [Optional()]
            form[name].flags.required = False
        form.evidence.validate_choice = False
        form.grain.validate_choice = False
        form.marks_are.validate_choice = False
        return form
    up = figure.measure.direction is Direction.UP
    zero = figure.measure.direction is Direction.ZERO
    form.pass_mark.label.text = "Passes from" if up else "Passes within" if zero else "Passes up to"
    form.warn_mark.label.text = "Warns from" if up else "Warns within" if zero else "Warns up to"
    form.pass_mark.validators = [InputRequired("Enter the mark from which it passes")]
    return form


def phase_choices(taken: Mapping[Phase, Any]) -> list[Any]:
    """The phases that have no gate yet."""
    return choices((phase.value, PHASES[phase]) for phase in Phase if phase not in taken)


def code_of(title: str) -> str:
    """A code made from a title: ``lines_filled_at_first_shipment``."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:60] or "criterion"
