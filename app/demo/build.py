"""Builds the demo: the world, then day after day its trading, its samples, its gates and its votes, up to today."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random

from app.composition.letter_consumer import NAME as LETTERS
from app.composition.measuring import SiteRecords
from app.composition.scarcity import FOLLOWERS
from app.composition.subscriptions import CONSUMERS
from app.composition.uow import Database, unit_of_work
from app.demo.approvals import Requests
from app.demo.between import Between
from app.demo.bookkeeping import write_journals
from app.demo.carriers import hire_carriers
from app.demo.cashdesk import open_the_desk
from app.demo.closing import begin_next_month
from app.demo.collecting import CLOSING_DAY, Collecting
from app.demo.committee import Committee
from app.demo.desk import Desk, moment
from app.demo.disputes import dispute_some
from app.demo.freight import bill_freight
from app.demo.funding import Funding
from app.demo.occasions import Occasions
from app.demo.office import Office
from app.demo.order_files import hand_orders_in
from app.demo.payouts import pay_out
from app.demo.people import Staff, hire
from app.demo.places import Newcomer
from app.demo.plan import DemoOptions
from app.demo.policies import share_out_exceptions
from app.demo.processes import write_processes
from app.demo.questions import ask_questions
from app.demo.raci import say_who_answers
from app.demo.rates import tell_rates
from app.demo.rebates import Rebates
from app.demo.returned import return_some
from app.demo.risks import RiskBook
from app.demo.rollout import Rollout
from app.demo.services import sell_besides_goods
from app.demo.sisters import trade_with_sisters
from app.demo.trading import Trading
from app.demo.variants import Register, approve_departures
from app.demo.world import World, build_world
from app.jobs.consumers import ConsumerRunner
from app.jobs.letters import send_letters
from app.jobs.prove import prove_books
from app.jobs.reminders import remind_of_approvals
from app.jobs.risks import watch_risks
from app.jobs.scheduler import ensure_catalogue
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import SetClock
from readiness.measures.samples import sample_day_end

#: The zone the programme keeps its days in.
_ZONE = "Europe/Berlin"
_FRIDAY = 4
#: Trading ends so long before the end, and the last look at the gates follows: nothing is dated after the end.
_LAST_ORDER, _LAST_LOOK = timedelta(minutes=100), timedelta(minutes=40)

#: What the deployment lead asks to be passed over for wave 2: criterion, why, and what is done meanwhile.
_WAIVER = (
    "promises",
    "Kassel still picks in the order of arrival; its routes will be ready two weeks after going live.",
    "Two more pickers until the routes are set up, and orders of the next day are picked first.",
)


@dataclass(frozen=True)
class Demo:
    """What was built."""

    world: World
    staff: Staff
    rollout: Rollout
    committee: Committee
    orders: int
    lines: int


def build_demo(
    database: Database,
    options: DemoOptions,
    *,
    password: str,
    progress: Callable[[int, str], None] | None = None,
    mail_url: str | None = None,
    staff_mail_url: str | None = None,
) -> Demo:
    """Build the demo in an empty database. Same options, same figures. ``progress`` is told the day and what happens.

    ``mail_url``: what takes the letters to customers; without it they wait. ``staff_mail_url``: what takes reminders to people here.
    """
    database = replace(database, followers=FOLLOWERS)
    told = progress or (lambda _day, _text: None)
    return _Story(database, options, password, told, mail_url, staff_mail_url).play()


class _Story:
    def __init__(
        self,
        database: Database,
        options: DemoOptions,
        password: str,
        progress: Callable[[int, str], None],
        mail_url: str | None,
        staff_mail_url: str | None,
    ) -> None:
        self.database, self.options, self.progress, self.mail_url = database, options, progress, mail_url
        self.staff_mail_url = staff_mail_url
        random = Random(options.seed)
        clock = SetClock(moment(options.first - timedelta(days=30), 9, 0, _ZONE))
        progress(0, "Entities, items, prices, people")
        world = build_world(database, options, random, clock)
        staff = hire(database, world, clock, password)
        share_out_exceptions(database, world, staff, clock)
        write_processes(database, staff, clock)
        hire_carriers(database, world, staff, clock)
        ask_questions(database, staff, clock)
        self.desk = Desk(database, world, staff, clock, random)
        self.trading = Trading(self.desk)
        self.rollout = Rollout(self.desk)
        self.committee = Committee(self.desk, self.rollout)
        self.requests = Requests(self.desk)
        self.office = Office(self.desk, self.rollout)
        self.funding = Funding(self.desk, self.rollout)
        self.between = Between(self.desk, self.rollout)
        self.newcomer = Newcomer(self.desk, self.rollout)
        self.occasions = Occasions(self.desk)
        self.collecting = Collecting(self.occasions.desk, self.occasions.shop, mail_url)
        self.register = Register(self.desk)
        self.rebates = Rebates(self.desk)
        self.risks = RiskBook(database, staff, clock)
        self.runners = [ConsumerRunner(database, consumer, clock=clock, bulk=True) for consumer in CONSUMERS]
        self.letters = next(runner for runner in self.runners if runner.consumer.name == LETTERS)

    def play(self) -> Demo:
        options = self.options
        ensure_catalogue(self.database, self.desk.clock)
        for number in range(options.days + 1):
            day = options.date_of(number)
            self.progress(number, self._title(number))
            last_order = options.until - _LAST_ORDER
            if moment(day, 5, 0, _ZONE) < last_order:
                self._set(day, 5, 0)
                self._morning(number)
                self.trading.play(day, until=last_order)
                self.occasions.evening(day, is_last=number == options.days)
                self._write_letters()
            if number < options.days:
                self._set(day + timedelta(days=1), 0, 10)
                self._midnight(day)
        self._finish()
        return Demo(
            self.desk.world, self.desk.staff, self.rollout, self.committee, self.trading.orders, self.trading.lines
        )

    def _title(self, number: int) -> str:
        options = self.options
        if number < options.go_live:
            return "Wave 1 rehearses, the counters sell"
        if number < options.rehearsal:
            return "Wave 1 is live"
        return "Wave 2 rehearses" if number < options.late_rehearsal else "Waves 2 and 3 rehearse"

    def _set(self, day: date, hour: int, minute: int) -> None:
        clock = self.desk.clock
        clock.set(max(clock.now(), moment(day, hour, minute, _ZONE)))

    def _morning(self, number: int) -> None:
        """What the programme does before the day's business begins."""
        if self.rollout.gates:
            self._look(compares=number > self.options.open_gates)
        for day, step in self._calendar():
            if day == number:
                step()
        if self.options.date_of(number).day == CLOSING_DAY:
            self.collecting.close_month()

    def _calendar(self) -> tuple[tuple[int, Callable[[], None]], ...]:
        """The programme's own days: what happens on which, in order."""
        options, rollout, committee = self.options, self.rollout, self.committee
        return (
            (0, rollout.set_up),
            (0, self.office.call_meetings),
            (0, self.office.record_baselines),
            (0, self.funding.lay_out),
            (1, lambda: self.funding.close(0)),
            (0, self._agree),
            (1, self.register.begin),
            (11, self.register.revoke),
            (0, lambda: self._begin("live", "KOL", "LDS")),
            (0, lambda: self._begin("rehearsal", "DUI", "WKD")),
            (options.go_live - 8, rollout.freeze_first),
            (options.go_live - 6, lambda: self.funding.close(1)),
            (options.go_live - 4, lambda: self.funding.close(2)),
            (options.go_live - 1, lambda: self.funding.close(3)),
            (options.go_live, self.office.take_counters),
            (options.go_live, self._first_wave),
            (options.go_live + 9, committee.meet_condition),
            (options.go_live + 9, self.funding.record_costs),
            (options.go_live - 6, self.between.say),
            (options.rehearsal, lambda: rollout.rehearse("W2")),
            (options.rehearsal, lambda: self._begin("rehearsal", "KAS", "PRA")),
            (options.late_rehearsal, lambda: rollout.rehearse("W3")),
            (options.late_rehearsal, lambda: self._begin("rehearsal", "LDS")),
            (options.open_gates, self.between.settle),
            (options.open_gates, rollout.freeze_gates),
            (options.open_gates + 1, rollout.attest_gates),
            (1, self.collecting.set_up),
            (1, lambda: self.rebates.begin(options.date_of(options.go_live + 14))),
            (self._workday(options.days - 16), self.collecting.ask),
            (self._workday(options.days - 13), self.collecting.listen),
            (self._workday(options.days - 6), self.collecting.ask),
            (self._workday(options.days - 4), self.collecting.tidy),
            (options.days - 4, lambda: committee.call_meeting(options.until.date() + timedelta(days=2))),
            (options.days - 4, lambda: self.office.move_next(options.until.date() + timedelta(days=2))),
            (options.days - 6, lambda: say_who_answers(self.database, self.desk.staff, self.desk.clock)),
            (options.days - 5, self.risks.write),
            (options.days - 4, lambda: rollout.ask_waiver(*_WAIVER)),
            (options.days - 3, rollout.grant_waivers),
            (options.days - 5, self.requests.agree_on_rules),
            (options.days - 5, self.requests.ask_first),
            (options.days - 4, self.requests.answer_usual),
            (options.days - 2, self.newcomer.make),
        )

    def _workday(self, number: int) -> int:
        """This day of the demo, or the Friday before."""
        while self.options.date_of(number).weekday() > _FRIDAY:
            number -= 1
        return number

    def _agree(self) -> None:
        desk = self.desk
        approve_departures(self.database, desk.world, desk.staff, desk.clock)

    def _first_wave(self) -> None:
        self.committee.let_first_wave_go()
        for site in ("DUI", "WKD"):
            self.trading.end(("rehearsal", site))
        self._begin("live", "DUI", "WKD")

    def _begin(self, realm: str, *sites: str) -> None:
        for site in sites:
            self.trading.begin((realm, site))

    def _look(self, *, compares: bool) -> None:
        """Compare the books where a gate asks for it, read all events, and evaluate the gates."""
        if compares:
            prove_books(self.database, clock=self.desk.clock)
        self._read_events()
        self.rollout.evaluate()

    def _read_events(self) -> None:
        for runner in self.runners:
            runner.run_to_head()
        self._write_letters()

    def _write_letters(self) -> None:
        """Tell customers what has happened since, as the jobs do every minute."""
        self.letters.run_to_head()
        while send_letters(self.database, clock=self.desk.clock, mail_url=self.mail_url):
            continue

    def _midnight(self, day: date) -> None:
        """Read the day's events and keep its closing states."""
        self._read_events()
        with unit_of_work(self.database, actor=Actor.system("sampler"), clock=self.desk.clock) as work:
            records = SiteRecords(work.session)
            sample_day_end(work, records.sampled_sites(), day, calendars=records, stock=records)
        watch_risks(self.database, clock=self.desk.clock)
        remind_of_approvals(self.database, clock=self.desk.clock, mail_url=self.staff_mail_url)

    def _finish(self) -> None:
        self.progress(self.options.days, "The vote on wave 2 opens")
        clock = self.desk.clock
        clock.set(max(clock.now(), self.options.until - _LAST_LOOK))
        sell_besides_goods(self.desk)
        self.register.end()
        write_journals(self.desk)
        begin_next_month(self.desk, (clock.now().date().replace(day=1) + timedelta(days=32)).replace(day=1))
        self._look(compares=True)
        self.committee.open_next()
        hand_orders_in(self.desk)
        self.requests.finish()
        open_the_desk(self.desk)
        self.occasions.end()
        dispute_some(self.desk)
        return_some(self.desk)
        self.rebates.end()
        pay_out(self.desk)
        tell_rates(self.desk)
        bill_freight(self.desk)
        trade_with_sisters(self.desk)
        self._read_events()


def until_of(now: datetime) -> datetime:
    """When a demo built now ends: now, or late yesterday in the first hours of a day, on which nothing has happened yet."""
    local = now.astimezone(moment(now.date(), 0, 0, _ZONE).tzinfo)
    if local.hour >= 3:
        return now
    return moment(local.date() - timedelta(days=1), 22, 0, _ZONE)
