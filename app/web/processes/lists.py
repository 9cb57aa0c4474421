"""How do the lists of steps and of exception paths look?"""

from __future__ import annotations

from flask import url_for

from app.composition.request import reader
from app.queries.processes import PATHS, STEPS, PathRow
from app.security.permissions import Permission
from app.security.roles import ROLES, title_of
from app.web.lists.listing import Cell, Empty, Filter, Kind, Listing, column, flag, pick, text_filter
from app.web.lists.page import list_page
from app.web.processes.views import blueprint
from erpcore.ports import POLICY_POINTS
from governance.processes.queries import StepRef, processes


def _process_filter() -> Filter:
    return Filter(
        name="process", label="Process", kind=Kind.CHOICE, hide_empty=True,
        options=lambda _asked: [(one.code, one.name) for one in processes(reader())],
    )  # fmt: skip


def _role_filter() -> Filter:
    return pick("role", "Who does it", lambda _asked: [(role.value, duty.title) for role, duty in ROLES.items()])


def _step(one: StepRef) -> Cell:
    href = url_for("processes.show_step", process=one.process.code, step=one.step.code)
    return Cell(f"{one.number}. {one.name}", sub=one.process.name, href=href)


def _paths(one: StepRef) -> Cell:
    names = [path.name for path in one.step.exceptions]
    return Cell(str(len(names) or "–"), sub=", ".join(names))


STEP_LIST = list_page(
    blueprint,
    Listing(
        name="process-steps", endpoint="processes.show_steps", path="/processes/steps", permission=Permission.PROCESS_VIEW,
        title="Steps", lead="Every step of the versions that count: who does it, by which standard", unit="steps",
        source=STEPS, realms=False, template="processes/steps.html",
        empty=Empty(title="No step fits", text="Steps come with the version of a process.", sign="list"),
        filters=(
            _process_filter(), flag("paths", "With exception paths"), flag("unmeasured", "Without a measure"),
            text_filter("Anywhere in the step"), _role_filter(),
            pick("point", "Policy point", lambda _asked: [(point.name, point.title) for point in POLICY_POINTS.values()]),
        ),
        columns=(
            column("step", "Step", "name", cell=_step),
            column("code", "Code", file_only=True), column("process", "Process", lambda one: one.process.name, file_only=True),
            column("role", "Who does it", lambda one: title_of(one.step.role),
                   cell=lambda one: Cell(title_of(one.step.role), sub=f"answers: {title_of(one.step.owner)}")),
            column("owner", "Who answers for it", lambda one: title_of(one.step.owner), file_only=True),
            column("system", "System of record", lambda one: one.step.system),
            column("standard", "Standard", lambda one: one.step.standard),
            column("level", "Service level", lambda one: one.step.level),
            column("approval", "Approval", lambda one: one.step.approval, file_only=True),
            column("measures", "Measures", lambda one: ", ".join(one.step.measures), file_only=True),
            column("points", "Policy points", lambda one: ", ".join(one.step.points), file_only=True),
            column("paths", "Exception paths", lambda one: ", ".join(path.name for path in one.step.exceptions), cell=_paths),
        ),
    ),
)  # fmt: skip


def _path(one: PathRow) -> Cell:
    href = url_for(
        "processes.show_step", process=one.ref.process.code, step=one.ref.step.code, _anchor=f"x-{one.path.code}"
    )
    return Cell(one.path.name, sub=f"{one.ref.process.name}: {one.ref.name}", href=href)


PATH_LIST = list_page(
    blueprint,
    Listing(
        name="exception-paths", endpoint="processes.show_paths", path="/processes/exceptions",
        permission=Permission.PROCESS_VIEW, title="Exception paths",
        lead="What is done when a step cannot go by its standard", unit="exception paths", source=PATHS, realms=False,
        template="processes/steps.html",
        empty=Empty(title="No exception path fits", text="Exception paths are written at their step.", sign="list"),
        filters=(_process_filter(), flag("agreed", "Somebody has to agree"), text_filter("Anywhere in the path"), _role_filter()),
        columns=(
            column("name", "Exception path", lambda one: one.path.name, cell=_path),
            column("process", "Process", lambda one: one.ref.process.name, file_only=True),
            column("step", "Step", lambda one: one.ref.name, file_only=True),
            column("when", "Applies when", lambda one: one.path.when),
            column("actions", "What is done", lambda one: " ".join(one.path.actions)),
            column("role", "Who", lambda one: title_of(one.path.role),
                   cell=lambda one: Cell(title_of(one.path.role), sub=f"agrees: {one.path.approval}" if one.path.approval else "")),
            column("approval", "Who agrees", lambda one: one.path.approval, file_only=True),
            column("otherwise", "What goes wrong otherwise", lambda one: one.path.otherwise, file_only=True),
        ),
    ),
)  # fmt: skip
