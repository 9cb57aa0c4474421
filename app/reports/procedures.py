"""What does somebody at the desk or in the warehouse hold in hand? A step, or an exception path, on one page of A4.

A page says what starts it, what is done, what is decided and by whom, and what goes wrong otherwise. It is dated by the
version's approval, and a version that nobody approved says so across its head.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.queries.processes import VersionPage
from app.reports.papers import Paper
from app.reports.typesetting import product_sign, set_pages, templates
from app.security.roles import title_of
from erpcore.kernel.errors import NotFound, RuleBroken
from erpcore.ports import POLICY_POINTS
from governance.processes.content import ExceptionPath, Step
from governance.processes.flow import VersionKind, VersionState
from readiness.measures.catalogue import MEASURES

#: A step with more exception paths than this is set smaller, so that it stays one page.
_MOST_AIRY = 1
_WORTH = {
    VersionState.DRAFT: "Draft: nobody works by it yet",
    VersionState.IN_REVIEW: "Waits for approval: nobody works by it yet",
    VersionState.APPROVED: "Approved, not in force yet",
    VersionState.RETIRED: "Replaced: do not work by it any more",
    VersionState.WITHDRAWN: "Withdrawn: do not work by it",
}


def procedures(page: VersionPage, at: datetime) -> Paper:
    """Every step of a version, each on a page of its own, then each exception path. ``at`` dates a version nobody approved."""
    if not page.content.steps:
        raise RuleBroken("nothing_on_paper", paper="procedure", why="it has no step yet. Write one, then print")
    sheets = [_step_sheet(page, step) for step in page.content.steps]
    sheets += [_path_sheet(page, step, path) for step in page.content.steps for path in step.exceptions]
    return _set(page, sheets, f"{page.process.code}-procedures", at)


def step_procedure(page: VersionPage, code: str) -> Paper:
    """One step on one page; raises ``NotFound``."""
    return _set(page, [_step_sheet(page, _step(page, code))], f"{page.process.code}-{code}", None)


def exception_procedure(page: VersionPage, code: str, path_code: str) -> Paper:
    """One exception path on one page; raises ``NotFound``."""
    step = _step(page, code)
    path = next((one for one in step.exceptions if one.code == path_code), None)
    if path is None:
        raise NotFound("process_step_not_found", step=f"{code}, {path_code}")
    return _set(page, [_path_sheet(page, step, path)], f"{page.process.code}-{code}-{path_code}", None)


def _step(page: VersionPage, code: str) -> Step:
    found = page.content.step(code)
    if found is None:
        raise NotFound("process_step_not_found", step=code)
    return found


def _set(page: VersionPage, sheets: list[dict[str, Any]], name: str, at: datetime | None) -> Paper:
    row = page.version
    made = row.approved_at or row.submitted_at or row.drafted_at if at is None or row.approved_at else at
    html = templates().get_template("papers/procedure.html").render(
        sheets=sheets, title=f"Procedures: {page.process.name}" if len(sheets) > 1 else sheets[0]["title"], made_at=made,
        sign=product_sign,
    )  # fmt: skip
    return Paper(file_name=f"{name.replace('_', '-')}-v{row.number}.pdf", content=set_pages(html, "procedures"))


def _frame(page: VersionPage, code: str) -> dict[str, Any]:
    row = page.version
    worth = _WORTH.get(row.state, "")
    if row.kind is VersionKind.AS_IS:
        worth = "As it is done today; not the standard"
    since = row.live_at or row.approved_at
    return {
        "process": page.process.name, "code": code, "worth": worth,
        "version": f"Version {row.number}" + (f", since {since:%d %b %Y}" if since and not worth else ""),
        "seal": (row.fingerprint or "")[:16],
    }  # fmt: skip


def _step_sheet(page: VersionPage, step: Step) -> dict[str, Any]:
    number = page.content.steps.index(step) + 1
    facts = [
        ("Who does it", title_of(step.role)), ("Answers for it", title_of(step.owner)), ("System of record", step.system),
        ("Service level", step.level),
    ]  # fmt: skip
    others = [
        ("Approval", [step.approval] if step.approval else []),
        ("Decide", list(step.decisions)),
        ("Pass on", [f"{one.what} → {_target(page, one.to)}" for one in step.handoffs]),
        ("Rules that may differ by site", [POLICY_POINTS[one].title for one in step.points if one in POLICY_POINTS]),
        ("Watched by", [MEASURES[one].title for one in step.measures if one in MEASURES]),
    ]
    return _frame(page, f"{page.process.code}.{step.code}") | {
        "kind": "step", "title": step.name, "of": f"{page.process.name} · step {number} of {len(page.content.steps)}",
        "facts": facts, "trigger": step.trigger, "inputs": step.inputs, "standard": step.standard, "otherwise": step.otherwise,
        "is_tight": len(step.exceptions) > _MOST_AIRY,
        "others": [(name, texts) for name, texts in others if texts], "paths": [_path(one) for one in step.exceptions],
    }  # fmt: skip


def _path_sheet(page: VersionPage, step: Step, path: ExceptionPath) -> dict[str, Any]:
    facts = [("Who does it", title_of(path.role)), ("Who agrees", path.approval or "nobody has to"), ("Step", step.name),
             ("System of record", step.system)]  # fmt: skip
    return _frame(page, f"{page.process.code}.{step.code} / {path.code}") | {
        "kind": "path", "is_tight": False, "title": path.name, "of": f"Exception path · {page.process.name}", "facts": facts, "trigger": path.when,
        "actions": path.actions, "otherwise": path.otherwise, "standard": step.standard,
    }  # fmt: skip


def _path(path: ExceptionPath) -> dict[str, Any]:
    return {
        "name": path.name, "when": path.when, "actions": path.actions, "who": title_of(path.role), "agrees": path.approval,
        "otherwise": path.otherwise,
    }  # fmt: skip


def _target(page: VersionPage, code: str) -> str:
    process = code.partition(".")[0].replace("_", " ")
    return f"{page.names.get(code, code)} ({process})"
