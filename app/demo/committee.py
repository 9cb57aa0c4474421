"""What the steering committee of the demo does: a go with a condition in the past, and a vote that waits for its last seats."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from app.composition import golive
from app.composition.uow import reading
from app.demo.desk import Desk, moment, working_day
from app.demo.rollout import Rollout
from governance.decisions.kinds import DecisionKind
from governance.decisions.queries import DecisionView, decision_view
from governance.decisions.rules import Choice
from governance.decisions.services import AddCondition, DraftDecision, add_condition, draft_decision, settle_condition
from governance.decisions.voting import CastVote
from governance.programme.meetings import ScheduleMeeting, schedule_meeting
from readiness.waves.services import step_wave


class StoryEnds(Exception):
    """The figures do not carry the demo's story any further; the message says what to do."""


class Ballot(NamedTuple):
    """Who votes what, and why."""

    who: str
    choice: Choice
    reason: str


class Asked(NamedTuple):
    """A condition of a go: what, how one sees it, who has to do it, in how many days."""

    text: str
    check: str
    owner: str
    days: int


_FIRST = (
    Ballot("sponsor", Choice.CONDITIONAL_GO, "The rehearsal convinces me; the fallback must be faster before winter."),
    Ballot("finance", Choice.CONDITIONAL_GO, "Invoices are right, and the opening stock is signed."),
    Ballot("operations", Choice.CONDITIONAL_GO, "Duisburg is ready; two hours on paper must not cost a day."),
    Ballot("process", Choice.CONDITIONAL_GO, "I agree with the condition."),
    Ballot("process.billing", Choice.CONDITIONAL_GO, "Billing runs keep their times."),
    Ballot("sales", Choice.NO_GO, "The season's first large orders come this week; I would wait for two weeks."),
    Ballot("technology", Choice.CONDITIONAL_GO, "No open defect stands against it."),
)
_NEXT = (
    Ballot("finance", Choice.CONDITIONAL_GO, "Swiss invoices were right over the whole rehearsal."),
    Ballot(
        "process", Choice.CONDITIONAL_GO, "Duisburg shows that it holds live; Kassel has to finish its picking routes."
    ),
    Ballot("process.billing", Choice.CONDITIONAL_GO, "Credits after returns came in time."),
    Ballot("technology", Choice.CONDITIONAL_GO, "Cut-over and the way back were both tried."),
)


@dataclass
class Committee:
    """The votes, by wave."""

    desk: Desk
    rollout: Rollout
    decisions: dict[str, int] = field(default_factory=dict)

    def let_first_wave_go(self) -> None:
        """Wave 1 goes live today, on a condition and against one vote.

        Raises ``StoryEnds`` where its gate does not allow that: a small world can have bad luck, and nothing is forced.
        """
        decision = self._open(
            "W1", "Go-live of wave 1", "May Duisburg and the direct deliveries of Westerkamp go live today?",
            timedelta(hours=10),
            Asked("The way back from paper is practised again", "A second trial with its times, signed by the site", "dui.lead",
                  12),
        )  # fmt: skip
        if Choice.CONDITIONAL_GO not in self._view(decision).allowed:
            raise StoryEnds("The rehearsal of wave 1 went too badly for a go. Take another --seed, or more --orders.")
        self._cast(decision, _FIRST)
        with self.desk.work(self.desk.staff["pmo"], "live", "screen") as work:
            golive.close_vote(work, decision)
        with self.desk.work(self.desk.staff["deployment"], "live", "screen") as work:
            step_wave(work, self.rollout.waves["W1"], "start_hypercare")

    def meet_condition(self) -> None:
        """Its owner has done in time what wave 1 was asked for."""
        (condition,) = self._view(self.decisions["W1"]).conditions
        with self.desk.work(self.desk.staff["dui.lead"], "live", "screen") as work:
            settle_condition(work, condition.id, evidence="Trial of last night: 84 orders entered within 50 minutes.")

    def call_meeting(self, day: date) -> None:
        """Put the meeting that decides on wave 2 into the calendar."""
        starts = moment(working_day(day), 10, 0, "Europe/Berlin")
        with self.desk.work(self.desk.staff["pmo"], "live", "screen") as work:
            schedule_meeting(
                work,
                ScheduleMeeting(
                    body_id=self.rollout.body, title="Steering committee: wave 2", starts_at=starts,
                    ends_at=starts + timedelta(hours=1), agenda="Go-live of wave 2 · Leeds: what has to change before March",
                ),
            )  # fmt: skip

    def open_next(self) -> None:
        """Open the vote on wave 2; whose mind is made up votes, sponsor, operations and sales are still waited for."""
        decision = self._open(
            "W2", "Go-live of wave 2", "May Pratteln and the Kassel warehouse go live?", timedelta(days=3),
            Asked("Kassel finishes its picking routes", "Share of late picks below 3 % in the first two weeks", "kas.lead", 20),
        )  # fmt: skip
        if Choice.CONDITIONAL_GO in self._view(decision).allowed:
            self._cast(decision, _NEXT)

    def _open(self, code: str, title: str, question: str, runs: timedelta, asked: Asked) -> int:
        desk = self.desk
        with desk.work(desk.staff["pmo"], "live", "screen") as work:
            decision = draft_decision(
                work,
                DraftDecision(
                    body_id=self.rollout.body, wave_id=self.rollout.waves[code], kind=DecisionKind.GO_LIVE, title=title,
                    question=question, closes_at=work.now + runs,
                ),
            )  # fmt: skip
            due = working_day((work.now + timedelta(days=asked.days)).date())
            add_condition(
                work,
                AddCondition(
                    decision_id=decision.id, text=asked.text, check=asked.check, owner=desk.staff.ids[asked.owner],
                    due_at=moment(due, 18, 0, "Europe/Berlin"),
                ),
            )  # fmt: skip
            golive.open_vote(work, decision.id)
        self.decisions[code] = decision.id
        return decision.id

    def _view(self, decision: int) -> DecisionView:
        with reading(self.desk.database) as session:
            return decision_view(session, decision, now=self.desk.clock.now())

    def _cast(self, decision: int, ballots: tuple[Ballot, ...]) -> None:
        desk, view = self.desk, self._view(decision)
        seats = {seat.person: seat.id for seat in view.seats}
        for who, choice, reason in ballots:
            goes = choice in {Choice.GO, Choice.CONDITIONAL_GO}
            with desk.work(desk.staff[who], "live", "screen") as work:
                golive.cast_vote(
                    work,
                    CastVote(
                        decision_id=decision, decision_seat_id=seats[desk.staff.ids[who]], choice=choice, reason=reason,
                        waivers=view.waivers if goes else (),
                    ),
                )  # fmt: skip
