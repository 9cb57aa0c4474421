"""Templates of places for programs: reading, taking, writing, looking at what would be made, and making it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field

from app.api.framework import operation
from app.api.v1.numbers import Key
from app.api.values import Answer, Body
from app.composition.placing import making
from app.composition.placing.plan import Asked
from app.composition.request import now, reader
from app.messages import sentence
from app.queries.place_templates import template_page
from app.security.permissions import Permission
from erpcore.kernel.work import UnitOfWork
from governance.templates.content import PlaceKind
from governance.templates.queries import templates
from governance.templates.services import retire_template

TAG = "Templates"
Facts = dict[str, str]
Rows = dict[str, list[dict[str, str]]]


class TemplateAnswer(Answer):
    """A template; `uses` is how many places were made from it."""

    id: int
    kind: PlaceKind
    code: str
    name: str
    number: int
    made_at: datetime
    uses: int
    is_retired: bool


class TemplatesAnswer(Answer):
    """All templates."""

    items: list[TemplateAnswer]


class TemplatesQuery(Body):
    """Which of them."""

    kind: PlaceKind | None = None
    retired: bool | None = Field(
        None, description="Only those from which nothing is made any more, or only the others."
    )
    text: str | None = Field(None, max_length=120, description="A part of the code or name.")


class UseAnswer(Answer):
    """A place that was made: `place` is its id, `made` all that was made with it."""

    id: int
    kind: PlaceKind
    place: int
    number: int
    made: dict[str, Any]
    made_by: int
    made_at: datetime


class ContentAnswer(Answer):
    """What the newest version says, and what was made from any of them. Every cell is text in one form."""

    id: int
    kind: PlaceKind
    code: str
    name: str
    number: int
    is_retired: bool
    source: int | None
    facts: Facts
    rows: Rows
    uses: list[UseAnswer]


class TakeBody(Body):
    """Which place, and what the template is called."""

    kind: PlaceKind
    place: Key
    code: str = Field(min_length=1, max_length=40)
    name: str = Field(min_length=1, max_length=200)
    reason: str = Field("", max_length=1000)


class WriteBody(Body):
    """A template by its facts and rows; see `GET` of one that was taken for their names."""

    kind: PlaceKind
    code: str = Field(min_length=1, max_length=40)
    name: str = Field(min_length=1, max_length=200)
    facts: Facts = Field(default_factory=dict)
    rows: Rows = Field(default_factory=dict)


class NextBody(Body):
    """The next version, whole. `seen` is the number of the version that was read."""

    name: str = Field(min_length=1, max_length=200)
    facts: Facts
    rows: Rows
    reason: str = Field(min_length=1, max_length=1000)
    seen: int = Field(ge=1, le=10**9)


class RetireBody(Body):
    """Why nothing is made from it any more."""

    reason: str = Field(min_length=1, max_length=1000)


class AskBody(Body):
    """What is asked for besides the template. `facts` differ from its own; `sites` are for a channel, `channels` for a site."""

    code: str = Field(min_length=1, max_length=40)
    name: str = Field(min_length=1, max_length=200)
    reason: str = Field("", max_length=1000)
    facts: Facts = Field(default_factory=dict)
    entity: Key | None = None
    programme: Key | None = None
    wave: Key | None = None
    channels: list[Key] = Field(default_factory=list, max_length=100)
    sites: list[Key] = Field(default_factory=list, max_length=500)
    starts_on: date | None = None
    owner: Key | None = None
    until_on: date | None = None


class ApplyBody(AskBody):
    """The same, to be made. `seen` is the digest of the plan that was looked at; without it what holds now is made."""

    seen: str | None = Field(None, max_length=64)


class PartAnswer(Answer):
    """Something that would be made, and what stands in its way."""

    title: str
    lines: list[str]
    problems: list[str]


class PlanAnswer(Answer):
    """All that would be made now. `digest` goes into the request that makes it."""

    version: int
    digest: str
    problems: int
    parts: list[PartAnswer]


_ASKED = {
    "code": "BRE", "name": "Bremen", "reason": "The north grows.", "entity": 3, "programme": 5, "channels": [2], "starts_on": "2027-02-01",
    "owner": 12, "until_on": "2027-12-31", "facts": {"region": "Bremen"},
}  # fmt: skip


def _asked(body: AskBody) -> Asked:
    return Asked(
        code=body.code, name=body.name, reason=body.reason, facts=body.facts, entity=body.entity, programme=body.programme, wave=body.wave,
        channels=tuple(body.channels), sites=tuple(body.sites), starts_on=body.starts_on, owner=body.owner, until_on=body.until_on,
    )  # fmt: skip


def _content(session: Any, template_id: int, at: datetime) -> ContentAnswer:
    page = template_page(session, template_id, at)
    said = page.versions[0]
    return ContentAnswer(
        id=page.row.id, kind=page.kind, code=page.row.code, name=page.row.name, number=said.number,
        is_retired=page.row.retired_at is not None, source=said.source, facts=dict(said.content.facts),
        rows={name: [dict(row) for row in rows] for name, rows in said.content.rows.items()},
        uses=[UseAnswer.model_validate(one.use) for one in page.uses],
    )  # fmt: skip


def _again(work: UnitOfWork, template_id: int) -> ContentAnswer:
    work.session.flush()
    return _content(work.session, template_id, work.now)


@operation(
    "GET", "/place-templates", permission=Permission.TEMPLATE_VIEW, summary="Templates of sites, companies and channels", tag=TAG,
    query=TemplatesQuery, answer=TemplatesAnswer,
)  # fmt: skip
def list_place_templates(query: TemplatesQuery) -> TemplatesAnswer:
    found = [
        TemplateAnswer.model_validate(one)
        for one in templates(reader())
        if query.kind in (None, one.kind)
        and query.retired in (None, one.is_retired)
        and (query.text or "").lower() in f"{one.code} {one.name}".lower()
    ]
    return TemplatesAnswer(items=found)


@operation(
    "GET", "/place-templates/{template_id}", permission=Permission.TEMPLATE_VIEW, summary="What a template says", tag=TAG,
    answer=ContentAnswer,
)  # fmt: skip
def show_place_template(template_id: int) -> ContentAnswer:
    return _content(reader(), template_id, now())


@operation(
    "POST", "/place-templates/take", permission=Permission.TEMPLATE_WRITE, summary="Take a template from a place", tag=TAG,
    body=TakeBody, answer=ContentAnswer, status=201,
    example={"kind": "site", "place": 7, "code": "branch", "name": "A branch as Leeds", "reason": "It works well."},
)  # fmt: skip
def take_place_template(work: UnitOfWork, body: TakeBody) -> ContentAnswer:
    row = making.take_template(work, body.kind, body.place, code=body.code, name=body.name, reason=body.reason)
    return _again(work, row.id)


@operation(
    "POST", "/place-templates", permission=Permission.TEMPLATE_WRITE, summary="Write a template", tag=TAG, body=WriteBody,
    answer=ContentAnswer, status=201,
    example={"kind": "channel", "code": "portal", "name": "A dealer portal", "facts": {"priority": "4"}, "rows": {}},
)  # fmt: skip
def write_place_template(work: UnitOfWork, body: WriteBody) -> ContentAnswer:
    row = making.type_template(work, body.kind, body.facts, body.rows, code=body.code, name=body.name)
    return _again(work, row.id)


@operation(
    "POST", "/place-templates/{template_id}/versions", permission=Permission.TEMPLATE_WRITE, summary="Write the next version of a template",
    tag=TAG, body=NextBody, answer=ContentAnswer, status=201,
    example={"name": "A dealer portal", "facts": {"priority": "3"}, "rows": {}, "reason": "It comes before the shop.", "seen": 1},
)  # fmt: skip
def change_place_template(work: UnitOfWork, template_id: int, body: NextBody) -> ContentAnswer:
    making.rewrite_template(
        work, template_id, body.facts, body.rows, name=body.name, reason=body.reason, seen=body.seen
    )
    return _again(work, template_id)


@operation(
    "POST", "/place-templates/{template_id}/retire", permission=Permission.TEMPLATE_WRITE, summary="Retire a template", tag=TAG,
    body=RetireBody, answer=ContentAnswer, example={"reason": "Another one is better."},
)  # fmt: skip
def retire_place_template(work: UnitOfWork, template_id: int, body: RetireBody) -> ContentAnswer:
    retire_template(work, template_id, reason=body.reason)
    return _again(work, template_id)


@operation(
    "POST", "/place-templates/{template_id}/plan", permission=Permission.TEMPLATE_APPLY, summary="Look at what a template would make",
    tag=TAG, body=AskBody, answer=PlanAnswer, example=_ASKED,
)  # fmt: skip
def plan_place(work: UnitOfWork, template_id: int, body: AskBody) -> PlanAnswer:
    plan = making.plan_of(work.session, template_id, _asked(body), work.now)
    return PlanAnswer(
        version=plan.version, digest=plan.digest, problems=len(plan.problems),
        parts=[
            PartAnswer(title=one.title, lines=list(one.lines), problems=[sentence(problem) for problem in one.problems])
            for one in plan.parts
        ],
    )  # fmt: skip


@operation(
    "POST", "/place-templates/{template_id}/apply", permission=Permission.TEMPLATE_APPLY, summary="Make a place from a template",
    tag=TAG, body=ApplyBody, answer=UseAnswer, status=201, example=_ASKED,
)  # fmt: skip
def make_place(work: UnitOfWork, template_id: int, body: ApplyBody) -> UseAnswer:
    made = making.apply_template(work, template_id, _asked(body), seen=body.seen)
    page = template_page(work.session, template_id, work.now)
    return next(UseAnswer.model_validate(one.use) for one in page.uses if one.use.id == made.id)
