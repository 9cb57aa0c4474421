"""How does the matrix of duties look?"""

from __future__ import annotations

from collections.abc import Callable

from flask import url_for

from app.queries.raci import GAP_WORDS, KIND_WORDS, RACI, SubjectRow
from app.security.permissions import Permission
from app.web.lists.listing import Cell, Column, Empty, Listing, choice, column, flag, text_filter
from app.web.lists.page import list_page
from app.web.raci.views import blueprint
from governance.raci.rules import Duty, SubjectKind


def _held(duty: Duty) -> Callable[[SubjectRow], Cell]:
    def cell(row: SubjectRow) -> Cell:
        said = row.said(duty)
        if said:
            return Cell(said)
        missing = duty in (Duty.ACCOUNTABLE, Duty.RESPONSIBLE)
        return Cell("nobody", kind="fail") if missing else Cell("–", muted=True)

    return cell


def _column(duty: Duty) -> Column:
    return column(duty.value, duty.value.capitalize(), lambda row: row.said(duty), cell=_held(duty))


def _gaps(row: SubjectRow) -> Cell:
    if not row.gaps:
        return Cell("clear", kind="pass")
    rest = "; ".join(GAP_WORDS[one] for one in row.gaps[1:])
    return Cell(GAP_WORDS[row.gaps[0]], sub=rest, kind="fail")


RACI_LIST = list_page(
    blueprint,
    Listing(
        name="raci", endpoint="raci.show_all", path="/raci", permission=Permission.RACI_VIEW, title="Who answers",
        lead="Who does the work, answers for it, is asked and is told, for each process, data domain and wave; and where nobody does",
        unit="processes, domains and waves", source=RACI, realms=False,
        empty=Empty(title="Nothing fits", text="Every process, data domain and wave stands here, with duties or without.", sign="list"),
        filters=(choice("kind", tuple(SubjectKind)), flag("gap", "With gaps"), flag("mine", "Mine"), text_filter("Name or person")),
        columns=(
            column("name", "What", cell=lambda row: Cell(row.name, sub=KIND_WORDS[row.kind], href=url_for("raci.show", kind=row.kind.value, subject=row.subject))),
            column("kind", "Kind", lambda row: KIND_WORDS[row.kind], file_only=True),
            *(_column(duty) for duty in (Duty.ACCOUNTABLE, Duty.RESPONSIBLE, Duty.CONSULTED, Duty.INFORMED)),
            column("gaps", "Gaps", lambda row: row.gap_words, cell=_gaps),
        ),
    ),
)  # fmt: skip
