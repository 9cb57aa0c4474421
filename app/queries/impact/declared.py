"""What do steps, measures, policy points, rules of the standard, data domains and roles touch, by what is declared of them?

Versions of processes name measures, points, roles and what is handed over; catalogues name the rest. Read once per walk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from sqlalchemy.orm import Session

from app.queries.impact.kinds import Kind, Ref
from app.queries.impact.of_rollout import domain_code
from app.queries.impact.shelves import Name
from app.queries.impact.touches import Edge, edge
from app.security.roles import ROLES
from erpcore.ports import POLICY_POINTS
from governance.interim.kinds import DOMAINS as MOVED_DOMAINS
from governance.interim.kinds import domains_of
from governance.processes.queries import ProcessView, StepRef, processes, step_refs
from governance.raci.rules import DOMAINS
from readiness.conformance.catalogue import RULES
from readiness.measures.catalogue import MEASURES
from readiness.measures.states import CONTROL_POINTS

#: The area of policy points that decide on prices.
_PRICES = POLICY_POINTS["price_tolerance_permille"].area
#: What counts every document that stands at a control point beyond its limit, and what counts every departure.
_SILENT = ("silent_failures", "silent_failures_value", "silent_failures_per_1000")
_DEPARTURES = ("conformance", "unregistered_deviation_share")
#: Kinds whose things are declared, and not rows of a shelf.
DECLARED = (
    Kind.PROCESS, Kind.STEP, Kind.POINT, Kind.MEASURE, Kind.CHECK, Kind.CONTROL_POINT, Kind.DOMAIN, Kind.ROLE,
)  # fmt: skip


def _point_code(point: str) -> str:
    return point.replace(" ", "-")


CONTROL_POINT_CODES: Mapping[str, str] = {_point_code(point): point for point in CONTROL_POINTS}


class World:
    """Everything that is declared: the steps of the versions that count, and the catalogues."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @cached_property
    def processes(self) -> dict[str, ProcessView]:
        return {one.code: one for one in processes(self._session)}

    @cached_property
    def steps(self) -> dict[str, StepRef]:
        return {one.code: one for one in step_refs(self._session, list(self.processes.values()))}

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """Every edge that is declared, between things that are there."""
        found = (*self._of_steps(), *_of_checks(), *_of_measures(), *self._of_domains())
        return tuple(one for one in found if self.has(one.source) and self.has(one.target))

    @cached_property
    def outward(self) -> Mapping[Ref, list[Edge]]:
        return _by((one.source, one) for one in self.edges)

    @cached_property
    def inward(self) -> Mapping[Ref, list[Edge]]:
        return _by((one.target, one) for one in self.edges)

    def has(self, ref: Ref) -> bool:
        """Whether something declared is there; what stands on a shelf is asked of the shelf."""
        return ref.kind not in DECLARED or ref.id in self._known[ref.kind]

    def name(self, ref: Ref) -> Name:
        """How something declared is called."""
        return self._known[ref.kind][ref.id]

    def names(self) -> Iterator[tuple[Ref, Name]]:
        """Everything that is declared, by name."""
        for kind, known in self._known.items():
            for key, name in known.items():
                yield Ref(kind, key), name

    def price_edges(self, refs: Iterable[Ref]) -> Iterator[Edge]:
        """Where the prices of these rules are worked with: in the steps that go by a policy point about prices."""
        steps = [
            (code, POLICY_POINTS[point].title)
            for code, one in self.steps.items()
            for point in one.step.points
            if point in POLICY_POINTS and POLICY_POINTS[point].area == _PRICES
        ]
        first = dict(reversed(steps))
        for ref in refs:
            for code, title in sorted(first.items()):
                yield edge(ref, Ref(Kind.STEP, code), "gives prices that {target} works with, by {what}", title)

    @cached_property
    def _known(self) -> Mapping[Kind, Mapping[str, Name]]:
        return {
            Kind.PROCESS: {code: Name(label=one.name, sub=one.stream) for code, one in self.processes.items()},
            Kind.STEP: {
                code: Name(label=one.name, sub=one.process.name, keys=(one.process.code, one.step.code, one.step.role))
                for code, one in self.steps.items()
            },
            Kind.POINT: {key: Name(label=one.title, sub=one.area) for key, one in POLICY_POINTS.items()},
            Kind.MEASURE: {key: Name(label=one.title, sub=one.owner) for key, one in MEASURES.items()},
            Kind.CHECK: {
                code: Name(label=f"“{one.title}”", sub=one.standard, keys=(one.step.partition(".")[0],))
                for code, one in RULES.items()
            },
            Kind.CONTROL_POINT: {
                code: Name(label=point.capitalize(), keys=(point,)) for code, point in CONTROL_POINT_CODES.items()
            },
            Kind.DOMAIN: {
                **{domain_code(one): _domain(title) for one, title in MOVED_DOMAINS.items()},
                **{code: _domain(title) for code, title in DOMAINS.items()},
            },
            Kind.ROLE: {role.value: Name(label=duty.title) for role, duty in ROLES.items()},
        }  # fmt: skip

    def _of_steps(self) -> Iterator[Edge]:
        for code, one in self.steps.items():
            here, step = Ref(Kind.STEP, code), one.step
            yield edge(here, Ref(Kind.PROCESS, one.process.code), "is a step of {target}")
            yield edge(here, Ref(Kind.ROLE, step.role), "is done by {target}")
            yield edge(here, Ref(Kind.ROLE, step.owner), "has its standard answered for by {target}")
            for measure in step.measures:
                yield edge(here, Ref(Kind.MEASURE, measure), "is measured by {target}")
            for handed in step.handoffs:
                yield edge(here, Ref(Kind.STEP, handed.to), "hands over to {target}: {what}", handed.what)
            for point in step.points:
                yield edge(Ref(Kind.POINT, point), here, "decides how {target} is done")

    def _of_domains(self) -> Iterator[Edge]:
        # A process whose data nobody declared is taken to need all of it, which tells nothing: it has no edge.
        unknown = tuple(domains_of(["?"]))
        for code in self.processes:
            needed = tuple(domains_of([code]))
            for domain in needed if needed != unknown else ():
                yield edge(
                    Ref(Kind.DOMAIN, domain_code(domain)), Ref(Kind.PROCESS, code), "is read and written in {target}"
                )


def _domain(title: str) -> Name:
    return Name(label=title, short=f"the data domain {title}")


def _of_checks() -> Iterator[Edge]:
    for code, rule in RULES.items():
        yield edge(Ref(Kind.STEP, rule.step), Ref(Kind.CHECK, code), "is checked for {target}")
        for measure in _DEPARTURES:
            yield edge(Ref(Kind.CHECK, code), Ref(Kind.MEASURE, measure), "counts in {target}")


def _of_measures() -> Iterator[Edge]:
    for code, point in CONTROL_POINT_CODES.items():
        here = Ref(Kind.CONTROL_POINT, code)
        for measure in _SILENT:
            yield edge(here, Ref(Kind.MEASURE, measure), "is counted in {target}")
        for key, one in MEASURES.items():
            if one.wait_point == point:
                yield edge(here, Ref(Kind.MEASURE, key), "gives the age of what is still open to {target}")


def _by(pairs: Iterable[tuple[Ref, Edge]]) -> dict[Ref, list[Edge]]:
    found: dict[Ref, list[Edge]] = {}
    for ref, one in pairs:
        found.setdefault(ref, []).append(one)
    return found
