"""Making one move for several documents in trouble, each in a transaction of its own."""

from __future__ import annotations

from datetime import UTC, datetime, time

from app.composition.cases import (
    AssignCases,
    Document,
    NoteCases,
    SnoozeCases,
    assign_cases,
    note_cases,
    person_named,
    snooze_cases,
)
from app.composition.order_approvals import let_go
from app.composition.request import change, reader
from app.composition.trading import cells, rules
from app.messages import sentence
from app.queries.holds import open_holds
from app.queries.troubles import TroubleRow
from app.security.permissions import Permission
from app.security.require import actor
from app.web.exceptions.forms import BulkForm, Todo
from erpcore.kernel.actor import Actor
from erpcore.kernel.errors import DomainError, RuleBroken
from erpcore.kernel.work import UnitOfWork
from erpcore.orders.allocation import allocate_orders
from erpcore.orders.holds import ReleaseHold

#: What each move takes.
_NEEDS = {
    Todo.TO_ROLE: Permission.EXCEPTION_ASSIGN, Todo.TO_PERSON: Permission.EXCEPTION_ASSIGN, Todo.BY_RULE: Permission.EXCEPTION_ASSIGN,
    Todo.RELEASE: Permission.HOLD_RELEASE, Todo.ALLOCATE: Permission.ORDER_ALLOCATE,
}  # fmt: skip


def offered(who: Actor) -> list[Todo]:
    """The moves that this person may make."""
    return [one for one in Todo if who.may(_NEEDS.get(one, Permission.EXCEPTION_WORK))]


def make_move(form: BulkForm, rows: list[TroubleRow]) -> tuple[int, list[str]]:
    """Make the form's move for every row. Returns how many were moved, and why the others were not; what the form itself lacks
    stands at its field, and nothing is moved.
    """
    todo, person = Todo(str(form.todo.data)) if form.todo.data in set(Todo) else None, None
    if todo is None or todo not in offered(actor()):
        form.todo.errors = [*form.todo.errors, "Choose what to do."]
    if todo is Todo.TO_ROLE and not form.role.data:
        form.role.errors = ["Choose the role."]
    if todo is Todo.SNOOZE and form.until.data is None:
        form.until.errors = ["Enter the day."]
    if todo in (Todo.NOTE, Todo.SNOOZE, Todo.RELEASE) and not form.reason.data:
        form.reason.errors = ["Say it in a few words."]
    if todo is Todo.TO_PERSON:
        person = person_named(reader(), str(form.person.data or ""))
        if person is None:
            form.person.errors = ["Nobody signs in by this name."]
    if form.errors or todo is None:
        return 0, []
    done, refused = 0, []
    for row in rows:
        try:
            with change(realm=row.realm) as work:
                _move(work, todo, form, row, person)
        except DomainError as refusal:
            refused.append(f"{row.number}: {sentence(refusal)}")
        else:
            done += 1
    return done, refused


def _move(work: UnitOfWork, todo: Todo, form: BulkForm, row: TroubleRow, person: int | None) -> None:
    documents = [Document(subject=row.subject, id=row.id, site=row.site_id)]
    words = str(form.reason.data or "")
    match todo:
        case Todo.TAKE:
            assign_cases(work, AssignCases(documents=documents, person=work.actor.id, note=words))
        case Todo.TO_ROLE:
            assign_cases(work, AssignCases(documents=documents, role=str(form.role.data), note=words))
        case Todo.TO_PERSON:
            assign_cases(work, AssignCases(documents=documents, person=person, note=words))
        case Todo.BY_RULE:
            assign_cases(work, AssignCases(documents=documents, note=words))
        case Todo.NOTE:
            note_cases(work, NoteCases(documents=documents, text=words))
        case Todo.SNOOZE:
            until = datetime.combine(form.until.data or work.now.date(), time(6), UTC)
            snooze_cases(work, SnoozeCases(documents=documents, until=until, reason=words))
        case Todo.WAKE:
            snooze_cases(work, SnoozeCases(documents=documents, until=None, reason=words))
        case Todo.RELEASE:
            _of_order(row)
            holds = open_holds(work.session, row.id)
            let_go(work, [ReleaseHold(hold=hold, reason=words) for hold in holds])
        case Todo.ALLOCATE:
            _of_order(row)
            allocate_orders(work, [row.id], rules=rules(), cells=cells())


def _of_order(row: TroubleRow) -> None:
    if row.subject != "order":
        raise RuleBroken("case_not_an_order", number=row.number)
