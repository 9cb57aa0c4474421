"""Processes to read: all of them, one with its map, one step, versions side by side, and procedures on paper."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import render_template, request, url_for
from sqlalchemy.orm import Session

from app.composition.request import now, reader
from app.queries.processes import (
    compare_versions,
    people,
    step_page,
    stream_pages,
    version_page,
    versions_to_approve,
)
from app.reports.procedures import exception_procedure, procedures, step_procedure
from app.security.permissions import Permission
from app.security.require import require
from app.web.areas import area
from app.web.navigation import Entry, Group, navigation_entry
from app.web.papers import paper_file
from app.web.processes.forms import TakeOverForm
from app.web.processes.presenters import CHANGES, FIELDS, KINDS, STATES, counted_paths, whole_map
from app.web.today.slots import Waiting, waits_for_me
from erpcore.kernel.actor import Actor
from erpcore.ports import POLICY_POINTS
from governance.processes.bundled import bundled_processes
from governance.processes.queries import process as find_process
from governance.processes.queries import step_refs
from readiness.measures.catalogue import MEASURES

blueprint = area("processes")
navigation_entry(
    Entry(label="Processes", endpoint="processes.show_all", permission=Permission.PROCESS_VIEW, group=Group.STEER, order=43)
)  # fmt: skip


@waits_for_me(Permission.PROCESS_APPROVE)
def versions_waiting(session: Session, who: Actor, _at: Any) -> Iterable[Waiting]:
    """Versions of processes that this person may approve."""
    for one in versions_to_approve(session, who):
        yield Waiting(
            title=f"{one.process.name}, version {one.version.number}", why=one.version.summary, move="Decide",
            url=url_for("processes.show_version", process=one.process.code, number=one.version.number),
        )  # fmt: skip


@blueprint.get("/processes")
@require(Permission.PROCESS_VIEW)
def show_all() -> str:
    """Value streams with their processes, who owns them, and where their versions stand."""
    found, refs = stream_pages(reader())
    every = [one for stream in found for one in stream.processes]
    by_process: dict[int, list[Any]] = {one.id: [] for one in every}
    for ref in refs:
        by_process[ref.process.id].append(ref)
    paths = {key: counted_paths(mine) for key, mine in by_process.items()}
    return render_template(
        "processes/list.html", streams=found, every=every, refs=refs, paths=paths, states=STATES, kinds=KINDS,
        names=people(reader(), (one.owner for one in every)), form=TakeOverForm(),
        bundled=bundled_processes() if not every else (),
    )  # fmt: skip


@blueprint.get("/processes/map")
@require(Permission.PROCESS_VIEW)
def show_map() -> str:
    """All processes with what they hand over, drawn from the data."""
    refs = step_refs(reader())
    return render_template("processes/map.html", picture=whole_map(refs), refs=refs)


@blueprint.get("/processes/<process>/steps/<step>")
@require(Permission.PROCESS_VIEW)
def show_step(process: str, step: str) -> str:
    """One step: its standard, what leads in and out, and what is done when it cannot go so."""
    page = step_page(reader(), process, step)
    return render_template(
        "processes/step.html", page=page, ref=page.ref, step=page.ref.step, measures=MEASURES, points=POLICY_POINTS,
        states=STATES,
    )  # fmt: skip


@blueprint.get("/processes/<process>/compare")
@require(Permission.PROCESS_VIEW)
def compare(process: str) -> str:
    """Two versions side by side; the two newest unless the address names others."""
    found = find_process(reader(), process)
    numbers = [one.number for one in found.versions]
    new = request.args.get("new", type=int) or (numbers[0] if numbers else 0)
    old = request.args.get("old", type=int) or (numbers[1] if len(numbers) > 1 else new)
    page = compare_versions(reader(), process, old, new)
    return render_template(
        "processes/compare.html", page=page, fields=FIELDS, looks=CHANGES, states=STATES, kinds=KINDS
    )


@blueprint.get("/processes/<process>/procedures.pdf")
@require(Permission.PROCESS_VIEW)
def print_procedures(process: str) -> Any:
    """One page for each step of a version."""
    page = version_page(reader(), process, request.args.get("version", type=int))
    return paper_file(lambda: procedures(page, now()), back=url_for("processes.show", process=process))


@blueprint.get("/processes/<process>/steps/<step>/procedure.pdf")
@require(Permission.PROCESS_VIEW)
def print_step(process: str, step: str) -> Any:
    """One step on one page."""
    page = version_page(reader(), process)
    back = url_for("processes.show_step", process=process, step=step)
    return paper_file(lambda: step_procedure(page, step), back=back)


@blueprint.get("/processes/<process>/steps/<step>/exceptions/<path>.pdf")
@require(Permission.PROCESS_VIEW)
def print_exception(process: str, step: str, path: str) -> Any:
    """One exception path on one page."""
    page = version_page(reader(), process)
    back = url_for("processes.show_step", process=process, step=step)
    return paper_file(lambda: exception_procedure(page, step, path), back=back)
