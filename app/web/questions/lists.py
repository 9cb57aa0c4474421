"""How does the list of design questions look?"""

from __future__ import annotations

from flask import url_for

from app.composition.request import reader
from app.queries.questions import QUESTIONS, QuestionRow
from app.security.permissions import Permission
from app.web.context import day
from app.web.figures import counted
from app.web.lists.listing import Cell, Empty, Listing, choice, column, flag, pick, text_filter
from app.web.lists.page import list_page
from app.web.questions.views import blueprint
from governance.processes.queries import processes


def _due(row: QuestionRow) -> Cell:
    if row.is_late:
        return Cell(day(row.view.due_on), sub="late", kind="fail")
    return Cell(day(row.view.due_on), muted=row.age_days is None)


def _stands(row: QuestionRow) -> Cell:
    if row.view.state == "decided":
        return Cell("Decided", sub=row.chosen)
    return Cell(
        row.standing.capitalize(), sub=counted(row.age_days, "day") + " open" if row.age_days is not None else ""
    )


def _decider(row: QuestionRow) -> Cell:
    if row.decider is None:
        return Cell("nobody", muted=True)
    return Cell(row.decider.name, sub="has left" if row.decider.left else "")


QUESTION_LIST = list_page(
    blueprint,
    Listing(
        name="design-questions", endpoint="questions.show_all", path="/questions", permission=Permission.QUESTION_VIEW,
        title="Design questions", lead="What is still open in the design, who decides it until when, and what was decided",
        unit="questions", source=QUESTIONS, sort="due", realms=False, template="questions/list.html",
        empty=Empty(title="No question fits", text="A question names its options with what follows from each, and who decides.", sign="list"),
        filters=(
            choice("standing", ("late", "open", "decided", "withdrawn")), flag("mine", "I decide"),
            text_filter("Anywhere in the question"),
            pick("process", "Process", lambda _asked: [(one.code, one.name) for one in processes(reader())]),
        ),
        columns=(
            column("title", "Question", lambda row: row.view.title,
                   cell=lambda row: Cell(row.view.title, sub=row.view.question[:140], href=url_for("questions.show", question_id=row.view.id))),
            column("process", "Process", cell=lambda row: Cell(row.process, sub=row.where)),
            column("where", "Where", file_only=True),
            column("standing", "Stands", cell=_stands),
            column("chosen", "Decision", file_only=True),
            column("decision", "Reason", lambda row: row.view.decision, file_only=True),
            column("decider", "Who decides", lambda row: row.decider.name if row.decider else "", cell=_decider),
            column("due", "Until", lambda row: row.view.due_on, cell=_due),
            column("age", "Days open", lambda row: row.age_days, file_only=True),
            column("impact", "Impact", lambda row: row.view.impact),
        ),
    ),
)  # fmt: skip
