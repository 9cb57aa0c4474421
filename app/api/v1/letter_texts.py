"""What customers are told and people say, for programs: the texts of letters by event and language, agents' scripts by situation."""

from __future__ import annotations

from pydantic import Field

from app.api.framework import operation
from app.api.v1.numbers import pointing
from app.api.values import Answer, Body
from app.composition.letter_texts import FIELDS, LANGUAGES, Event, Situation
from app.composition.letters import (
    TextFact,
    filled,
    save_script,
    save_template,
    script_of,
    template_of,
    words_for,
)
from app.composition.request import now, reader
from app.queries.letters import preview_facts
from app.queries.order_detail import order_page
from app.queries.order_words import situations
from app.security.permissions import Permission
from app.security.require import actor
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.kernel.work import UnitOfWork

TAG = "Orders"


class TextQuery(Body):
    """Which texts."""

    event: Event | None = Field(None, description="Only those about this event.")
    language: str | None = Field(None, description=f"Only those in this language: {', '.join(LANGUAGES)}.")


class LetterText(Answer):
    """The text in force. `version` 0 is the product's own; `fields` may stand between braces, and stand for what is said of them."""

    event: Event
    language: str
    version: int
    subject: str
    body: str
    fields: dict[str, str]


class LetterTextList(Answer):
    """All texts that fit."""

    count: int
    items: list[LetterText]


class TextBody(Body):
    """A new version of a text. `version` is the one that was read."""

    subject: str = Field(min_length=1, max_length=200)
    body: str = Field(min_length=1, max_length=8_000)
    version: int = Field(ge=0)


class LookBody(Body):
    """A text that is not kept, and the number of an order to look at it with."""

    subject: str = Field(min_length=1, max_length=200)
    body: str = Field(min_length=1, max_length=8_000)
    order: str = Field(min_length=1, max_length=40)


class LookAnswer(Answer):
    """How the text reads with the order."""

    subject: str
    body: str


class Script(Answer):
    """What people say in a situation; `version` 0 is the product's own."""

    situation: Situation
    version: int
    body: str


class ScriptList(Answer):
    """All of them."""

    count: int
    items: list[Script]


class ScriptBody(Body):
    """A new version of what people say. `version` is the one that was read."""

    body: str = Field(min_length=1, max_length=2_000)
    version: int = Field(ge=0)


class Words(Answer):
    """What somebody who speaks with the customer says."""

    situation: str
    body: str


class WordsList(Answer):
    """The words for each situation that the order is in."""

    count: int
    items: list[Words]


def _text(one: TextFact, event: str, language: str) -> LetterText:
    # A language without a text of its own is told in English, which is changed in English only.
    version = one.version if one.language == language else 0
    return LetterText(
        event=Event(event), language=language, version=version, subject=one.subject, body=one.body, fields=FIELDS
    )


def _known(event: str, language: str) -> Event:
    if event not in set(Event):
        raise NotFound("letter_event_unknown", event=event, known=", ".join(Event))
    if language not in LANGUAGES:
        raise NotFound("letter_language", field="language", language=language)
    return Event(event)


def _situation(situation: str) -> Situation:
    if situation not in set(Situation):
        raise NotFound("situation_unknown", situation=situation, known=", ".join(Situation))
    return Situation(situation)


@operation("GET", "/letter-texts", permission=Permission.LETTER_READ, summary="List the texts of letters", tag=TAG, query=TextQuery, answer=LetterTextList)  # fmt: skip
def list_letter_texts(query: TextQuery) -> LetterTextList:
    if query.language is not None and query.language not in LANGUAGES:
        raise RuleBroken("letter_language", field="language", language=query.language)
    found = [
        _text(template_of(reader(), event, language), event, language)
        for event in Event
        for language in LANGUAGES
        if query.event in (None, event) and query.language in (None, language)
    ]
    return LetterTextList(count=len(found), items=found)


@operation(
    "GET", "/letter-texts/{event}/{language}", permission=Permission.LETTER_READ, summary="One text as it is in force", tag=TAG,
    answer=LetterText, texts=frozenset({"event", "language"}),
)  # fmt: skip
def show_letter_text(event: str, language: str) -> LetterText:
    return _text(template_of(reader(), _known(event, language), language), event, language)


@operation(
    "POST", "/letter-texts/{event}/{language}", permission=Permission.LETTER_WRITE, summary="Put a new version of a text in force",
    tag=TAG, body=TextBody, answer=LetterText, texts=frozenset({"event", "language"}),
    example={"subject": "Your order {order}", "body": "Dear {customer},\n\n{lines}\n\n{company}", "version": 0},
)  # fmt: skip
def save_letter_text(work: UnitOfWork, event: str, language: str, body: TextBody) -> LetterText:
    with pointing():
        save_template(
            work,
            event=_known(event, language),
            language=language,
            subject=body.subject,
            body=body.body,
            seen=body.version,
        )
    work.session.flush()
    return _text(template_of(work.session, event, language), event, language)


@operation(
    "POST", "/letter-texts/{event}/{language}/look", permission=Permission.LETTER_WRITE,
    summary="Read a text with an order's facts before it is kept", tag=TAG, body=LookBody, answer=LookAnswer,
    texts=frozenset({"event", "language"}), example={"subject": "Your order {order}", "body": "{lines}", "order": "SO-1042"},
)  # fmt: skip
def look_at_letter_text(work: UnitOfWork, event: str, language: str, body: LookBody) -> LookAnswer:
    """Nothing is kept."""
    _known(event, language)
    facts = preview_facts(work.session, work.actor, body.order)
    if facts is None:
        raise NotFound("order_unknown", field="order", order=body.order)
    return LookAnswer(subject=filled(body.subject, facts), body=filled(body.body, facts))


@operation("GET", "/agent-scripts", permission=Permission.LETTER_READ, summary="What people say by situation", tag=TAG, answer=ScriptList)  # fmt: skip
def list_agent_scripts() -> ScriptList:
    found = [_script(one) for one in Situation]
    return ScriptList(count=len(found), items=found)


def _script(situation: Situation) -> Script:
    version, body = script_of(reader(), situation)
    return Script(situation=situation, version=version, body=body)


@operation(
    "GET", "/agent-scripts/{situation}", permission=Permission.LETTER_READ, summary="What people say in a situation", tag=TAG,
    answer=Script, texts=frozenset({"situation"}),
)  # fmt: skip
def show_agent_script(situation: str) -> Script:
    return _script(_situation(situation))


@operation(
    "POST", "/agent-scripts/{situation}", permission=Permission.LETTER_WRITE, summary="Put a new version of what people say in force",
    tag=TAG, body=ScriptBody, answer=Script, texts=frozenset({"situation"}),
    example={"body": "Say what is there and what is not.", "version": 0},
)  # fmt: skip
def save_agent_script(work: UnitOfWork, situation: str, body: ScriptBody) -> Script:
    with pointing():
        version = save_script(work, situation=_situation(situation), body=body.body, seen=body.version)
    return Script(situation=_situation(situation), version=version, body=body.body.strip())


@operation("GET", "/orders/{order_id}/words", permission=Permission.ORDER_READ, summary="What to say to an order's customer now", tag=TAG, answer=WordsList)  # fmt: skip
def words_of_order(order_id: int) -> WordsList:
    page = order_page(reader(), actor(), order_id)
    found = [Words(situation=one, body=body) for one, body in words_for(reader(), situations(page, now()))]
    return WordsList(count=len(found), items=found)
