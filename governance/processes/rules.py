"""What must a step say, and what changed between two versions? Pure; no database."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from erpcore.kernel.errors import RuleBroken
from governance.processes.content import Content, ExceptionPath, HandOff, Known, Step

CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
#: An id of a framework: letters, digits, dots and dashes, with a digit among them. Sentences are no ids.
REFERENCE = re.compile(r"(?=.*\d)[A-Za-z0-9.\-]{1,24}")
LONGEST_CODE, LONGEST_NAME, LONGEST_TEXT, MOST_STEPS, MOST_LINES = 40, 120, 2000, 40, 20
#: What no step may lack when it is handed in, as people call it.
NEEDED = {
    "role": "who does it", "owner": "who answers for it", "system": "its system of record", "trigger": "what starts it",
    "standard": "its standard", "level": "its service level", "otherwise": "what goes wrong otherwise",
}  # fmt: skip


def check_step(step: Step, known: Known) -> None:
    """Refuse what cannot be kept: codes that are none, what the catalogues do not have, texts without end."""
    _check_code(step.code)
    if not step.name.strip():
        raise RuleBroken("name_missing", field="name")
    for name, text in _texts(step):
        if len(text) > LONGEST_TEXT:
            raise RuleBroken("text_too_long", field=name, longest=LONGEST_TEXT)
    if len(step.name) > LONGEST_NAME or len(step.system) > LONGEST_NAME:
        raise RuleBroken(
            "text_too_long", field="name" if len(step.name) > LONGEST_NAME else "system", longest=LONGEST_NAME
        )
    if step.reference and not REFERENCE.fullmatch(step.reference):
        raise RuleBroken("reference_is_no_id", field="reference", reference=step.reference[:40])
    _check_known(step, known)
    _check_once("exceptions", [one.code for one in step.exceptions])
    _check_once("handoffs", [one.to for one in step.handoffs])
    for path in step.exceptions:
        _check_path(path, known)


def _check_known(step: Step, known: Known) -> None:
    for name, role in (("role", step.role), ("owner", step.owner)):
        if role and role not in known.roles:
            raise RuleBroken("process_role_unknown", field=name, role=role)
    for measure in step.measures:
        if measure not in known.measures:
            raise RuleBroken("process_measure_unknown", field="measures", measure=measure)
    for point in step.points:
        if point not in known.points:
            raise RuleBroken("policy_point_unknown", field="points", point=point)


def _check_once(field: str, codes: list[str]) -> None:
    for one in codes:
        if codes.count(one) > 1:
            raise RuleBroken("named_twice", field=field, name=one)


def _check_path(path: ExceptionPath, known: Known) -> None:
    _check_code(path.code, field="exceptions")
    if not (path.name.strip() and path.when.strip() and path.otherwise.strip() and path.actions):
        raise RuleBroken("exception_incomplete", field="exceptions", name=path.name or path.code)
    if path.role not in known.roles:
        raise RuleBroken("process_role_unknown", field="exceptions", role=path.role or "–")
    if max(map(len, (path.name, path.when, path.otherwise, path.approval, *path.actions))) > LONGEST_TEXT:
        raise RuleBroken("text_too_long", field="exceptions", longest=LONGEST_TEXT)
    if len(path.actions) > MOST_LINES:
        raise RuleBroken("too_many_lines", field="exceptions", most=MOST_LINES)


def _check_code(code: str, *, field: str = "code") -> None:
    if len(code) > LONGEST_CODE or not CODE.fullmatch(code):
        raise RuleBroken("code_invalid", field=field, code=code[:60], longest=LONGEST_CODE)


def check_code(code: str) -> str:
    """The code, where it is one: small letters, digits and underscores."""
    _check_code(code)
    return code


def _texts(step: Step) -> list[tuple[str, str]]:
    found = []
    for one in fields(step):
        value = getattr(step, one.name)
        if isinstance(value, str):
            found.append((one.name, value))
        elif one.name in ("inputs", "decisions"):
            if len(value) > MOST_LINES:
                raise RuleBroken("too_many_lines", field=one.name, most=MOST_LINES)
            found += [(one.name, text) for text in value]
    return found


def check_complete(content: Content, exists: Callable[[str], bool]) -> None:
    """Refuse to hand in what nobody could work by; ``exists`` says whether a step of another process is there."""
    if not content.steps:
        raise RuleBroken("process_without_steps", field="steps")
    for step in content.steps:
        missing = [words for name, words in NEEDED.items() if not getattr(step, name).strip()]
        if missing:
            raise RuleBroken("step_incomplete", field="steps", step=step.name, missing=missing)
        for one in step.handoffs:
            if not exists(one.to):
                raise RuleBroken("handoff_unknown", field="steps", step=step.name, to=one.to)


@dataclass(frozen=True)
class Change:
    """One field of a step that differs; texts as people read them."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class StepChange:
    """What became of a step: ``added``, ``removed``, ``changed``, ``moved`` or ``same``; positions count from one."""

    code: str
    name: str
    what: str
    was: int | None = None
    now: int | None = None
    changes: tuple[Change, ...] = ()


def compare(old: Content, new: Content) -> list[StepChange]:
    """Step by step in the order of ``new``, those that are gone where they stood. A step is the same as long as its code is.

    A step has *moved* when it stands elsewhere among the steps that both versions have.
    """
    shared = [one.code for one in old.steps if new.step(one.code)]
    kept = [one.code for one in new.steps if old.step(one.code)]
    was = {one.code: number for number, one in enumerate(old.steps, start=1)}
    found: list[StepChange] = []
    for number, step in enumerate(new.steps, start=1):
        before = old.step(step.code)
        if before is None:
            found.append(StepChange(code=step.code, name=step.name, what="added", now=number))
            continue
        changes = _changes(before, step)
        moved = shared.index(step.code) != kept.index(step.code)
        what = "changed" if changes else "moved" if moved else "same"
        found.append(
            StepChange(
                code=step.code, name=step.name, what=what, was=was[step.code], now=number, changes=changes
            )
        )  # fmt: skip
    gone = [one for one in old.steps if not new.step(one.code)]
    for one in gone:
        place = next((at for at, row in enumerate(found) if (row.was or 0) > was[one.code]), len(found))
        found.insert(place, StepChange(code=one.code, name=one.name, what="removed", was=was[one.code]))
    return found


def _changes(before: Step, after: Step) -> tuple[Change, ...]:
    out: list[Change] = []
    for one in fields(before):
        old, new = getattr(before, one.name), getattr(after, one.name)
        if old == new:
            continue
        if one.name == "exceptions":
            out += _path_changes(old, new)
        else:
            out.append(Change(one.name, _said(old), _said(new)))
    return tuple(out)


def _path_changes(old: tuple[ExceptionPath, ...], new: tuple[ExceptionPath, ...]) -> list[Change]:
    """Exception paths one by one, by their codes; the same ones in another order are no change."""
    before, after = {one.code: one for one in old}, {one.code: one for one in new}
    return [
        Change("exceptions", _path_said(before.get(code)), _path_said(after.get(code)))
        for code in dict.fromkeys([*before, *after])
        if before.get(code) != after.get(code)
    ]


def _path_said(path: ExceptionPath | None) -> str:
    if path is None:
        return ""
    steps = " ".join(path.actions)
    return f"{path.name}: {path.when} {steps} ({path.role.replace('_', ' ')}). Otherwise: {path.otherwise}"


def _said(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "; ".join(f"{one.to}: {one.what}" if isinstance(one, HandOff) else str(one) for one in value)
