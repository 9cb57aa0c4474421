"""Gates as they are written: begun, amended, criterion by criterion, frozen, changed with a reason, withdrawn; and their templates."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from app.api.framework import operation
from app.api.values import Answer, Body, Mark
from app.composition import gate_changes, golive
from app.composition.request import reader
from app.security.permissions import Permission
from erpcore.kernel.work import UnitOfWork
from readiness.gates.changing import AmendGate, reopen_gate
from readiness.gates.criteria import Baseline, Basis, Evidence, Layer, Phase
from readiness.gates.definition import GateDefinition, definition, templates
from readiness.gates.services import CreateGate, freeze_gate, save_template
from readiness.gates.services import SaveTemplate as KeepTemplate
from readiness.gates.specs import MOST_DAYS, MOST_DOCUMENTS, CriterionSpec

MOST = 2**63 - 1
_CODE = r"^[a-z0-9][a-z0-9_-]*$"


class CellBody(Body):
    """A live site and a channel, by id."""

    site: int = Field(ge=1, le=MOST)
    channel: int = Field(ge=1, le=MOST)


class BaselineBody(Body):
    """What relative marks are factors of: the same formula, measured before."""

    measure: str = Field(min_length=1, max_length=64)
    statistic: str | None = Field(None, max_length=24)
    version: int = Field(ge=1, le=1000)
    value: Mark
    comparable: bool
    as_of: datetime


class CriterionBody(Body):
    """One criterion. Marks are in base units, as strings: 0.95 for 95 %, 86400 for a day; with a baseline they are factors of it."""

    code: str = Field(min_length=1, max_length=60, pattern=_CODE)
    title: str = Field(min_length=1, max_length=120)
    measure: str | None = Field(None, max_length=80, description="A figure of the catalogue; null for an attestation.")
    evidence: Evidence
    pass_mark: Mark | None = None
    warn_mark: Mark | None = None
    cells: list[CellBody] = Field(
        default_factory=list, max_length=1000, description="Needed for reference evidence alone."
    )
    grain: Literal["cell", "site", "all"] | None = None
    basis: Basis = Basis.VALUE
    baseline: BaselineBody | None = None
    window_days: int | None = Field(None, ge=0, le=MOST_DAYS)
    min_documents: int = Field(1, ge=1, le=MOST_DOCUMENTS)
    min_actors: int = Field(1, ge=1, le=MOST_DOCUMENTS)
    min_days: int = Field(1, ge=1, le=MOST_DAYS)
    weight: Mark = Decimal(1)
    key: bool = False
    statutory: bool = False
    hold: bool = False
    owner: str = Field("", max_length=120)
    owner_id: int | None = Field(None, ge=1, le=MOST)
    layer: Layer | None = None
    dimension: str | None = Field(None, max_length=60)
    customer_group: int | None = Field(None, ge=1, le=MOST)

    def spec(self) -> CriterionSpec:
        """As the services take it."""
        # Not model_dump(): it would write the numbers as strings.
        given = {name: value for name, value in self if name not in {"cells", "baseline", "reason"}}
        baseline = None if self.baseline is None else Baseline(**dict(self.baseline))
        return CriterionSpec(**given, cells=tuple((one.site, one.channel) for one in self.cells), baseline=baseline)


class PutCriterionBody(CriterionBody):
    """A criterion to add, or to put in the place of the one of its code."""

    reason: str | None = Field(None, max_length=2000, description="Needed once the gate is frozen.")


class RemoveBody(Body):
    """A criterion to take out."""

    code: str = Field(min_length=1, max_length=60)
    reason: str | None = Field(None, max_length=2000, description="Needed once the gate is frozen.")


class GateBody(Body):
    """A gate in draft, from a template, from criteria, or empty."""

    phase: Phase
    decides_on: date
    template: str | None = Field(None, max_length=60)
    criteria: list[CriterionBody] = Field(default_factory=list, max_length=200)
    reference: list[CellBody] = Field(
        default_factory=list, max_length=1000, description="Read by criteria that refer to live cells."
    )
    waiver_body: str | None = Field(
        None, max_length=60, description="Code of the body that waives; null: the template's."
    )
    pass_mark: Mark | None = None
    warn_mark: Mark | None = None


class AmendBody(Body):
    """What a draft says of itself."""

    decides_on: date
    pass_mark: Mark
    warn_mark: Mark
    waiver_body: str = Field(min_length=1, max_length=60)


class FreezeBody(Body):
    """In the name of which body; days are fixed for a gate that is open for more than eight weeks."""

    body: str = Field(min_length=1, max_length=60)
    fixed_dates: list[date] = Field(default_factory=list, max_length=50)


class DayBody(Body):
    """Another day to decide a frozen gate."""

    decides_on: date
    reason: str = Field(min_length=1, max_length=2000)
    fixed_dates: list[date] = Field(default_factory=list, max_length=50)


class ReopenBody(Body):
    """Asking a closed gate's question again."""

    decides_on: date
    reason: str = Field(min_length=1, max_length=2000)


class WithdrawBody(Body):
    """Why a gate is taken back."""

    reason: str = Field(min_length=1, max_length=2000)


class TemplateBody(Body):
    """Criteria to start gates from; the same code again is its next version."""

    code: str = Field(min_length=1, max_length=60, pattern=_CODE)
    name: str = Field(min_length=1, max_length=200)
    phase: Phase
    waiver_body: str = Field(min_length=1, max_length=60)
    criteria: list[CriterionBody] = Field(min_length=1, max_length=200)
    pass_mark: Mark = Decimal("0.90")
    warn_mark: Mark = Decimal("0.75")


class DefinedAnswer(Answer):
    """A criterion as it stands; ``problems`` are codes of what forbids freezing it."""

    criterion: dict[str, Any]
    problems: list[str]


class ChangeAnswer(Answer):
    """A change of the criteria, or of the day (no criterion)."""

    version: int
    criterion: str | None
    change: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    after_freeze: bool
    body: str | None
    reason: str | None
    by: int
    at: datetime


class DefinitionAnswer(Answer):
    """A gate as it is written."""

    id: int
    wave: int
    phase: str
    state: str
    version: int
    criteria_version: int
    template: str | None
    decides_on: date
    pass_mark: Mark
    warn_mark: Mark
    waiver_body: str
    frozen_at: datetime | None
    frozen_by: int | None
    frozen_by_body: str | None
    hold_needed: int | None = Field(
        description="So many counted evaluations in a row have to pass where a pass must hold."
    )
    fixed_dates: list[date]
    criteria: list[DefinedAnswer]
    changes: list[ChangeAnswer]


class TemplateAnswer(Answer):
    """The latest version of a template."""

    code: str
    version: int
    name: str
    phase: str
    pass_mark: Mark
    warn_mark: Mark
    waiver_body: str
    criteria: list[dict[str, Any]]


class TemplatesAnswer(Answer):
    """Templates by phase and code."""

    items: list[TemplateAnswer]


def _plain(facts: Any) -> dict[str, Any] | None:
    """Numbers as strings, so that no digit is lost."""
    if facts is None:
        return None
    return {key: f"{value:f}" if isinstance(value, Decimal) else value for key, value in facts.items()}


def _answer(found: GateDefinition) -> DefinitionAnswer:
    return DefinitionAnswer(
        id=found.id, wave=found.wave_id, phase=found.phase.value, state=found.state.value, version=found.version,
        criteria_version=found.criteria_version, template=found.template, decides_on=found.decides_on,
        pass_mark=found.pass_mark, warn_mark=found.warn_mark, waiver_body=found.waiver_body, frozen_at=found.frozen_at,
        frozen_by=found.frozen_by, frozen_by_body=found.frozen_by_body, hold_needed=found.hold_needed,
        fixed_dates=list(found.fixed_dates),
        criteria=[
            DefinedAnswer(criterion=_plain(one.facts) or {}, problems=list(one.problems)) for one in found.criteria
        ],
        changes=[
            ChangeAnswer(
                version=one.version, criterion=one.criterion, change=one.change, before=_plain(one.before), after=_plain(one.after),
                after_freeze=one.is_after_freeze, body=one.body, reason=one.reason, by=one.by, at=one.at,
            )
            for one in found.changes
        ],
    )  # fmt: skip


def _read_back(work: UnitOfWork, gate_id: int) -> DefinitionAnswer:
    work.session.flush()  # the answer is read back with queries
    return _answer(definition(work.session, gate_id))


_CRITERION = {
    "code": "fill_rate", "title": "Lines filled at first shipment", "measure": "fill_rate_lines", "evidence": "own_rehearsal",
    "pass_mark": "0.95", "warn_mark": "0.90", "min_documents": 80, "min_days": 5, "weight": "8", "key": True,
}  # fmt: skip


@operation(
    "GET", "/gates/{gate_id}/definition", permission=Permission.GATE_VIEW, summary="A gate as it is written", tag="Gates",
    answer=DefinitionAnswer,
)  # fmt: skip
def show_definition(gate_id: int) -> DefinitionAnswer:
    return _answer(definition(reader(), gate_id))


@operation(
    "POST", "/waves/{wave_id}/gates", permission=Permission.GATE_DEFINE, summary="Define a gate of a wave", tag="Gates",
    body=GateBody, answer=DefinitionAnswer, status=201,
    example={"phase": "entry", "decides_on": "2027-01-25", "template": "entry", "waiver_body": "pmo",
             "reference": [{"site": 3, "channel": 1}]},
)  # fmt: skip
def define_a_gate(work: UnitOfWork, wave_id: int, body: GateBody) -> DefinitionAnswer:
    command = CreateGate(
        wave_id=wave_id, phase=body.phase, decides_on=body.decides_on, template=body.template,
        criteria=tuple(one.spec() for one in body.criteria), reference=tuple((one.site, one.channel) for one in body.reference),
        waiver_body=body.waiver_body, pass_mark=body.pass_mark, warn_mark=body.warn_mark,
    )  # fmt: skip
    return _read_back(work, gate_changes.define_gate(work, command).id)


@operation(
    "POST", "/gates/{gate_id}/amend", permission=Permission.GATE_DEFINE, summary="Amend a gate in draft", tag="Gates",
    body=AmendBody, answer=DefinitionAnswer, versioned=True,
    example={"decides_on": "2027-01-25", "pass_mark": "0.90", "warn_mark": "0.75", "waiver_body": "pmo"},
)  # fmt: skip
def amend_a_gate(work: UnitOfWork, gate_id: int, body: AmendBody, version: int) -> DefinitionAnswer:
    gate_changes.amend_gate(work, AmendGate(gate_id=gate_id, seen_version=version, **dict(body)))
    return _read_back(work, gate_id)


@operation(
    "POST", "/gates/{gate_id}/criteria", permission=Permission.GATE_DEFINE, summary="Add or change a criterion", tag="Gates",
    body=PutCriterionBody, answer=DefinitionAnswer, versioned=True, example=_CRITERION,
)  # fmt: skip
def put_a_criterion(work: UnitOfWork, gate_id: int, body: PutCriterionBody, version: int) -> DefinitionAnswer:
    gate_changes.put_criterion(work, gate_id, body.spec(), reason=body.reason, seen_version=version)
    return _read_back(work, gate_id)


@operation(
    "POST", "/gates/{gate_id}/criteria/remove", permission=Permission.GATE_DEFINE, summary="Take a criterion out", tag="Gates",
    body=RemoveBody, answer=DefinitionAnswer, versioned=True, example={"code": "fill_rate"},
)  # fmt: skip
def remove_a_criterion(work: UnitOfWork, gate_id: int, body: RemoveBody, version: int) -> DefinitionAnswer:
    gate_changes.remove_criterion(work, gate_id, body.code, reason=body.reason, seen_version=version)
    return _read_back(work, gate_id)


@operation(
    "POST", "/gates/{gate_id}/freeze", permission=Permission.GATE_FREEZE, summary="Freeze the criteria of a gate", tag="Gates",
    body=FreezeBody, answer=DefinitionAnswer, versioned=True, example={"body": "pmo"},
)  # fmt: skip
def freeze_a_gate(work: UnitOfWork, gate_id: int, body: FreezeBody, version: int) -> DefinitionAnswer:
    freeze_gate(
        work, gate_id, body=body.body, authority=golive.Seats(), fixed_dates=body.fixed_dates, seen_version=version
    )
    return _read_back(work, gate_id)


@operation(
    "POST", "/gates/{gate_id}/day", permission=Permission.GATE_FREEZE, summary="Decide a frozen gate on another day", tag="Gates",
    body=DayBody, answer=DefinitionAnswer, example={"decides_on": "2027-02-01", "reason": "the committee meets a week later"},
)  # fmt: skip
def move_the_day(work: UnitOfWork, gate_id: int, body: DayBody) -> DefinitionAnswer:
    gate_changes.date_gate(work, gate_id, body.decides_on, reason=body.reason, fixed_dates=body.fixed_dates)
    return _read_back(work, gate_id)


@operation(
    "POST", "/gates/{gate_id}/withdraw", permission=Permission.GATE_FREEZE, summary="Withdraw a gate", tag="Gates",
    body=WithdrawBody, answer=DefinitionAnswer, versioned=True, example={"reason": "the wave is cut in two"},
)  # fmt: skip
def withdraw_a_gate(work: UnitOfWork, gate_id: int, body: WithdrawBody, version: int) -> DefinitionAnswer:
    gate_changes.withdraw_gate(work, gate_id, reason=body.reason, seen_version=version)
    return _read_back(work, gate_id)


@operation(
    "POST", "/gates/{gate_id}/reopen", permission=Permission.GATE_FREEZE, summary="Ask a closed gate again", tag="Gates",
    body=ReopenBody, answer=DefinitionAnswer, versioned=True,
    example={"decides_on": "2027-03-01", "reason": "after the rollback"},
)  # fmt: skip
def reopen_a_gate(work: UnitOfWork, gate_id: int, body: ReopenBody, version: int) -> DefinitionAnswer:
    reopen_gate(work, gate_id, decides_on=body.decides_on, reason=body.reason, seen_version=version)
    return _read_back(work, gate_id)


@operation(
    "GET", "/gate-templates", permission=Permission.GATE_VIEW, summary="List the gate templates", tag="Gates", answer=TemplatesAnswer
)  # fmt: skip
def list_templates() -> TemplatesAnswer:
    return TemplatesAnswer(
        items=[
            TemplateAnswer(
                code=one.code, version=one.version, name=one.name, phase=one.phase.value, pass_mark=one.pass_mark,
                warn_mark=one.warn_mark, waiver_body=one.waiver_body, criteria=[dict(line) for line in one.criteria],
            )
            for one in templates(reader())
        ]
    )  # fmt: skip


@operation(
    "POST", "/gate-templates", permission=Permission.GATE_DEFINE, summary="Keep a template, as its next version", tag="Gates",
    body=TemplateBody, answer=TemplateAnswer, status=201,
    example={"code": "entry_small", "name": "Entry of a small site", "phase": "entry", "waiver_body": "pmo", "criteria": [_CRITERION]},
)  # fmt: skip
def keep_a_template(work: UnitOfWork, body: TemplateBody) -> TemplateAnswer:
    given = {name: value for name, value in body if name != "criteria"}
    kept = save_template(work, KeepTemplate(**given, criteria=tuple(one.spec() for one in body.criteria)))
    work.session.flush()  # the answer is read back with a query
    one = next(each for each in templates(work.session) if each.code == kept.code)
    return TemplateAnswer(
        code=one.code, version=one.version, name=one.name, phase=one.phase.value, pass_mark=one.pass_mark, warn_mark=one.warn_mark,
        waiver_body=one.waiver_body, criteria=[dict(line) for line in one.criteria],
    )  # fmt: skip
