"""How a criterion is written down, kept, and handed to the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import orjson

from erpcore.kernel.canonical import canonical_json, fingerprint
from erpcore.kernel.errors import NotFound, RuleBroken
from readiness.gates.criteria import REALM_OF, Baseline, Basis, Criterion, Evidence, Layer, MeasureFacts, Phase
from readiness.gates.models import GateCriterion
from readiness.gates.ports import ReadingRequest
from readiness.measures.catalogue import MEASURES, find_figure
from readiness.measures.measure import Measure

Grain = Literal["cell", "site", "all"]
#: What lies beyond these is a slip of the keyboard.
MOST_WEIGHT, MOST_DAYS, MOST_DOCUMENTS, MOST_MARK = 1000, 366, 1_000_000, Decimal(10) ** 12
Cells = tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class CriterionSpec:
    """One criterion as people write it. ``measure`` is a figure of the catalogue ("order_cycle_time.p90"), ``None`` for an
    attestation. Marks are in base units (0.95, 86400 seconds); with a ``baseline`` they are factors of it.

    ``cells`` (live site, channel) are needed for reference evidence alone; otherwise the wave's own are read. ``grain``:
    each cell, each site, or all together; of several the worst counts. Window, layer and owner default to the measure's.
    """

    code: str
    title: str
    measure: str | None
    evidence: Evidence
    pass_mark: Decimal | None = None
    warn_mark: Decimal | None = None
    cells: Cells = ()
    grain: Grain | None = None
    basis: Basis = Basis.VALUE
    baseline: Baseline | None = None
    window_days: int | None = None
    min_documents: int = 1
    min_actors: int = 1
    min_days: int = 1
    weight: Decimal = Decimal(1)
    key: bool = False
    statutory: bool = False
    hold: bool = False
    owner: str = ""
    owner_id: int | None = None
    layer: Layer | None = None
    dimension: str | None = None
    customer_group: int | None = None


def spec_json(specs: Iterable[CriterionSpec]) -> str:
    """Specifications as a template keeps them."""
    return canonical_json([asdict(spec) for spec in specs]).decode()


def specs_from(text: str) -> tuple[CriterionSpec, ...]:
    """The specifications that a template keeps."""
    known = {field.name for field in fields(CriterionSpec)}
    return tuple(_spec({key: value for key, value in item.items() if key in known}) for item in orjson.loads(text))


def _spec(item: dict[str, Any]) -> CriterionSpec:
    for key in ("pass_mark", "warn_mark", "weight"):
        if item.get(key) is not None:
            item[key] = Decimal(item[key])
    item["evidence"] = Evidence(item["evidence"])
    item["basis"] = Basis(item.get("basis") or Basis.VALUE)
    item["layer"] = Layer(item["layer"]) if item.get("layer") else None
    item["cells"] = tuple((site, channel) for site, channel in item.get("cells") or ())
    item["baseline"] = _baseline(item.get("baseline"))
    return CriterionSpec(**item)


def _baseline(facts: Mapping[str, Any] | None) -> Baseline | None:
    if facts is None:
        return None
    at = facts["as_of"]
    return Baseline(
        measure=facts["measure"], statistic=facts["statistic"], version=facts["version"], value=Decimal(facts["value"]),
        comparable=facts["comparable"], as_of=at if isinstance(at, datetime) else datetime.fromisoformat(at),
    )  # fmt: skip


def measure_of(key: str | None) -> tuple[Measure, str | None] | None:
    """The measure and statistic behind a figure's name; ``None`` for an attestation.

    Raises ``RuleBroken`` for a figure that the catalogue does not have.
    """
    if key is None:
        return None
    try:
        figure = find_figure(key)
    except NotFound:
        raise RuleBroken("measure_unknown", field="measure", measure=key) from None
    return figure.measure, figure.statistic


def measure_facts(measure: Measure | None) -> MeasureFacts | None:
    """What the catalogue says of a measure, as the rules take it."""
    if measure is None:
        return None
    return MeasureFacts(
        id=measure.key, version=measure.version, direction=measure.direction, form=measure.form,
        statistics=measure.statistics, counts_actors=measure.counts_actors, in_hypercare=measure.in_hypercare,
    )  # fmt: skip


def columns(spec: CriterionSpec) -> dict[str, Any]:
    """The row of a specification, with what the measure says where the specification is silent.

    Raises ``RuleBroken`` for one that could not be kept at all; whether it proves anything is asked at the freeze.
    """
    found = measure_of(spec.measure)
    _check(spec)
    measure, statistic = found or (None, None)
    own = spec.evidence is not Evidence.REFERENCE
    return {
        "title": spec.title or (measure.title if measure else spec.code),
        "measure": measure.key if measure else None,
        "statistic": statistic,
        "measure_version": measure.version if measure else 1,
        "dimension": spec.dimension,
        "customer_group_id": spec.customer_group,
        "evidence": spec.evidence.value,
        "cells": canonical_json([list(cell) for cell in sorted(set(spec.cells))]).decode(),
        "grain": spec.grain or ("all" if own else "cell"),
        "basis": spec.basis.value,
        "pass_mark": _places(spec, "pass_mark", 6),
        "warn_mark": _places(spec, "warn_mark", 6),
        "baseline": None if spec.baseline is None else canonical_json(asdict(spec.baseline)).decode(),
        "window_days": spec.window_days if spec.window_days is not None else (measure.window_days if measure else None),
        "min_documents": spec.min_documents,
        "min_actors": spec.min_actors,
        "min_days": spec.min_days,
        "weight": _places(spec, "weight", 2),
        "is_key": spec.key,
        "is_statutory": spec.statutory,
        "must_hold": spec.hold,
        "owner": spec.owner or (measure.owner if measure else ""),
        "owner_id": spec.owner_id,
        "layer": (spec.layer or (Layer(measure.layer.value) if measure else Layer.PROCESS)).value,
    }


def _check(spec: CriterionSpec) -> None:
    wrong = [
        field
        for field, is_wrong in (
            ("code", not spec.code.strip()),
            ("measure", (spec.measure is None) != (spec.evidence is Evidence.ATTESTATION)),
            ("pass_mark", (spec.pass_mark is None) != (spec.measure is None)),
            ("weight", spec.weight < 0),
            ("weight", spec.weight > MOST_WEIGHT),
            ("window_days", spec.window_days is not None and not 0 <= spec.window_days <= MOST_DAYS),
            ("min_documents", not 1 <= spec.min_documents <= MOST_DOCUMENTS),
            ("min_actors", not 1 <= spec.min_actors <= MOST_DOCUMENTS),
            ("min_days", not 1 <= spec.min_days <= MOST_DAYS),
            ("pass_mark", spec.pass_mark is not None and abs(spec.pass_mark) > MOST_MARK),
            ("warn_mark", spec.warn_mark is not None and abs(spec.warn_mark) > MOST_MARK),
        )
        if is_wrong
    ]
    if wrong:
        raise RuleBroken("criterion_invalid", field=wrong[0], criterion=spec.code, wrong=wrong)


def _places(spec: CriterionSpec, field: str, places: int) -> Decimal | None:
    """The number as the database keeps it, so that a row reads the same before and after it is stored."""
    value: Decimal | None = getattr(spec, field)
    if value is None:
        return None
    kept = value.quantize(Decimal(1).scaleb(-places))
    if kept != value:
        raise RuleBroken("mark_too_precise", field=field, criterion=spec.code, value=value, places=places)
    return kept


def facts_of(row: GateCriterion) -> dict[str, Any]:
    """The criterion as plain data, for snapshots and the history of changes."""
    return {
        "code": row.code, "position": row.position, "title": row.title, "measure": row.measure, "statistic": row.statistic,
        "measure_version": row.measure_version, "dimension": row.dimension, "customer_group": row.customer_group_id,
        "evidence": row.evidence, "cells": orjson.loads(row.cells), "grain": row.grain, "basis": row.basis,
        "pass_mark": row.pass_mark, "warn_mark": row.warn_mark,
        "baseline": orjson.loads(row.baseline) if row.baseline else None, "window_days": row.window_days,
        "min_documents": row.min_documents, "min_actors": row.min_actors, "min_days": row.min_days, "weight": row.weight,
        "key": row.is_key, "statutory": row.is_statutory, "hold": row.must_hold, "owner": row.owner,
        "owner_id": row.owner_id, "layer": row.layer,
    }  # fmt: skip


def spec_of(row: GateCriterion) -> CriterionSpec:
    """The criterion as it was written, with what the measure said where the writing was silent."""
    return CriterionSpec(
        code=row.code, title=row.title, measure=f"{row.measure}.{row.statistic}" if row.statistic else row.measure,
        evidence=Evidence(row.evidence), pass_mark=row.pass_mark, warn_mark=row.warn_mark,
        cells=tuple((site, channel) for site, channel in orjson.loads(row.cells)), grain=row.grain,  # type: ignore[arg-type]  # the table knows no other
        basis=Basis(row.basis), baseline=_baseline(orjson.loads(row.baseline)) if row.baseline else None,
        window_days=row.window_days, min_documents=row.min_documents, min_actors=row.min_actors, min_days=row.min_days,
        weight=row.weight, key=row.is_key, statutory=row.is_statutory, hold=row.must_hold, owner=row.owner,
        owner_id=row.owner_id, layer=Layer(row.layer), dimension=row.dimension, customer_group=row.customer_group_id,
    )  # fmt: skip


#: What a criterion may change without starting its count again.
_FREE = ("position", "title", "owner", "owner_id", "layer", "weight")


def terms_of(row: GateCriterion) -> str:
    """A short fingerprint of what is asked, whatever it is called and weighs."""
    return fingerprint({key: value for key, value in facts_of(row).items() if key not in _FREE})[:16]


def scopes_of(row: GateCriterion, own: Cells) -> dict[str, tuple[tuple[int, int | None], ...]]:
    """What is read, by the word that names it: cells one by one, by site, or together.

    A measure that does not know channels is read by whole sites.
    """
    named: Cells = tuple((site, channel) for site, channel in orjson.loads(row.cells))
    cells = named or (() if row.evidence == Evidence.REFERENCE else own)
    known = MEASURES.get(row.measure or "")
    read: list[tuple[int, int | None]] = list(cells)
    if known is not None and not known.by_channel:
        read = sorted({(site, None) for site, _ in cells})
    if row.grain == "all":
        return {"all": tuple(read)} if read else {}
    scopes: dict[str, tuple[tuple[int, int | None], ...]] = {}
    for site, channel in read:
        word = str(site) if row.grain == "site" or channel is None else f"{site}:{channel}"
        scopes[word] = (*scopes.get(word, ()), (site, channel))
    return scopes


def criterion_of(row: GateCriterion, phase: Phase, own: Cells) -> Criterion:
    """The criterion as the rules take it."""
    return Criterion(
        id=row.code, measure=row.measure, statistic=row.statistic, version=row.measure_version, phase=phase,
        evidence=Evidence(row.evidence), cells=tuple(scopes_of(row, own)), basis=Basis(row.basis),
        pass_mark=row.pass_mark, warn_mark=row.warn_mark, relative=row.baseline is not None,
        baseline=_baseline(orjson.loads(row.baseline)) if row.baseline else None, window_days=row.window_days,
        min_documents=row.min_documents, min_actors=row.min_actors, min_days=row.min_days, weight=row.weight,
        key=row.is_key, statutory=row.is_statutory, hold=row.must_hold, owner=row.owner, layer=Layer(row.layer),
        title=row.title,
    )  # fmt: skip


def requests_of(row: GateCriterion, own: Cells) -> list[ReadingRequest]:
    """What has to be read to judge the criterion; nothing for an attestation."""
    if row.measure is None:
        return []
    return [
        ReadingRequest(
            scope=word, measure=row.measure, statistic=row.statistic, version=row.measure_version,
            realm=REALM_OF[Evidence(row.evidence)], cells=cells, window_days=row.window_days, dimension=row.dimension,
            customer_group=row.customer_group_id,
        )
        for word, cells in scopes_of(row, own).items()
    ]  # fmt: skip
