"""Every job there is: what it does, how often, and how long it may be silent before somebody should look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from app.composition.anchors import keep_anchor
from app.composition.curing import cure_held_orders
from app.composition.due import settle_due
from app.composition.evidence import MeasuredReadings, evaluate_open_gates
from app.composition.measuring import SiteRecords
from app.composition.proofs import forget_proofs
from app.composition.replaying.runs import run_replays
from app.composition.uow import Database, on_disk, reading, unit_of_work
from app.identity.sessions import forget_old_sign_ins
from app.identity.throttle import forget_old_failures
from app.importers.uploads import forget_files, run_waiting
from app.jobs.allocation import serve_waiting_lines
from app.jobs.approvals import escalate_due
from app.jobs.backorders import settle_backorders
from app.jobs.billing import bill_due_shipments
from app.jobs.closings import check_closings
from app.jobs.digests import Waiting, send_digests
from app.jobs.dunning import issue_confirmed, send_dunning_letters
from app.jobs.expiry import block_expired_lots
from app.jobs.lease import forget_runs
from app.jobs.letters import send_letters
from app.jobs.prove import prove_books, prove_if_asked
from app.jobs.quotes import expire_old_quotes
from app.jobs.reminders import remind_of_approvals
from app.jobs.risks import watch_risks
from erpcore.kernel import requests
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import last_link
from erpcore.kernel.clock import Clock, local_day
from readiness.measures.samples import sample_day_end, sample_hour, thin_hourly

#: A day-end sample speaks for the day while it is taken within this time after its end; later it is a gap.
_DAY_END = timedelta(hours=1)


@dataclass(frozen=True)
class Context:
    """What a job is handed."""

    database: Database
    clock: Clock
    mail_url: str | None = None
    #: What waits for somebody, as their home page says; without it no daily mail is made.
    waiting: Waiting | None = None
    #: Where the installation writes beside its database.
    instance: Path | None = None
    #: How people reach the site, for links in mails.
    address: str | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """``run`` returns how many items it treated, each in a transaction of its own."""

    name: str
    run: Callable[[Context], int]
    every: timedelta
    longest_silence: timedelta
    sentence: str


def sample_day_ends(context: Context) -> int:
    """Sample each site whose day ended within the last hour."""
    with reading(context.database) as session:
        records = SiteRecords(session)
        sites = records.sampled_sites()
        calendars = records.of_sites([site.site for site in sites])
    now = context.clock.now()
    taken = 0
    for site in sites:
        zone = calendars[site.site].time_zone
        day = local_day(now - _DAY_END, zone)
        if day == local_day(now, zone):
            continue
        with unit_of_work(context.database, actor=Actor.system("sampler"), clock=context.clock) as work:
            here = SiteRecords(work.session)
            taken += sample_day_end(work, [site], day, calendars=here, stock=here)
    return taken


def sample_hours(context: Context) -> int:
    """Sample the control points of every site for this hour."""
    with reading(context.database) as session:
        sites = SiteRecords(session).sampled_sites()
    taken = 0
    for site in sites:
        with unit_of_work(context.database, actor=Actor.system("sampler"), clock=context.clock) as work:
            taken += sample_hour(work, [site], calendars=SiteRecords(work.session))
    return taken


def thin_samples(context: Context) -> int:
    """Drop hourly samples that are older than 35 days."""
    with unit_of_work(context.database, actor=Actor.system("sampler"), clock=context.clock) as work:
        return thin_hourly(work)


def prove(context: Context) -> int:
    """Compare both sides of every control and publish what was found."""
    return len(prove_books(context.database, clock=context.clock))


def prove_asked(context: Context) -> int:
    """Compare the books for whoever asked."""
    return prove_if_asked(context.database, clock=context.clock)


def bill(context: Context) -> int:
    """Give every shipment whose invoice is due its invoice."""
    return bill_due_shipments(context.database, clock=context.clock)


def import_files(context: Context) -> int:
    """Try or import every file that was handed in."""
    return run_waiting(context.database, clock=context.clock)


def replay_variants(context: Context) -> int:
    """Replay recent orders under every variant for which somebody asked that."""
    return run_replays(context.database, clock=context.clock)


def allocate(context: Context) -> int:
    """Allocate what is free to who waits for it."""
    return serve_waiting_lines(context.database, clock=context.clock)


def block_expired(context: Context) -> int:
    """Block what is past its last day."""
    return block_expired_lots(context.database, clock=context.clock)


def backorders(context: Context) -> int:
    """Cancel or promise anew what waits for stock, as its rule says."""
    return settle_backorders(context.database, clock=context.clock)


def cure(context: Context) -> int:
    """End holds whose cause is gone, and release what nothing holds any more."""
    return cure_held_orders(context.database, clock=context.clock)


def post_letters(context: Context) -> int:
    """Send the letters to customers that are due."""
    return send_letters(context.database, clock=context.clock, mail_url=context.mail_url)


def ask_for_overdue(context: Context) -> int:
    """Issue the notices of confirmed runs, and send the letters that are due."""
    issued = issue_confirmed(context.database, clock=context.clock)
    return issued + send_dunning_letters(context.database, clock=context.clock, mail_url=context.mail_url)


def check_books(context: Context) -> int:
    """Let the checks of the closings that are under way look."""
    return check_closings(context.database, clock=context.clock)


def post_digests(context: Context) -> int:
    """Make and send the daily mails of what waits."""
    return send_digests(
        context.database, clock=context.clock, mail_url=context.mail_url, waiting=context.waiting
    )  # fmt: skip


def escalate(context: Context) -> int:
    """Let requests for approval whose time is over go on to others too."""
    return escalate_due(context.database, clock=context.clock)


def remind(context: Context) -> int:
    """Tell people again of requests for approval whose time is nearly over."""
    return remind_of_approvals(
        context.database, clock=context.clock, mail_url=context.mail_url, address=context.address
    )  # fmt: skip


def watch(context: Context) -> int:
    """Trigger entries of the RAID register by their figures, and pass on those that are late or triggered."""
    return watch_risks(context.database, clock=context.clock)


def anchor(context: Context) -> int:
    """Write the last link of the audit trail beside the database."""
    if context.instance is None:
        return 0
    with reading(context.database) as session:
        last = last_link(session)
    # What is read need not be on disk yet: an anchor of a link that a crash takes back would call the trail cut off for good.
    on_disk(context.database)
    return keep_anchor(context.instance, context.database.url, context.clock, last)


def expire(context: Context) -> int:
    """Keep that quotes are over whose last day has passed."""
    return expire_old_quotes(context.database, clock=context.clock)


def evaluate_gates(context: Context) -> int:
    """Evaluate every open gate and keep what it says."""
    return len(evaluate_open_gates(context.database, readings=MeasuredReadings(), clock=context.clock))


def settle(context: Context) -> int:
    """Settle votes, conditions, waivers and days of going live that have fallen due."""
    return len(settle_due(context.database, clock=context.clock))


def forget_expired(context: Context) -> int:
    """Delete request keys, sign-ins, failed attempts, files handed in, runs of jobs and comparisons that are past their time."""
    with unit_of_work(context.database, actor=Actor.system("forgetter"), clock=context.clock) as work:
        forget_old_failures(work)
        return (
            requests.forget_expired(work) + forget_old_sign_ins(work) + forget_files(work) + forget_runs(work)
            + forget_proofs(work)
        )  # fmt: skip


JOBS: list[Job] = [
    Job(
        name="anchor-audit", run=anchor, every=timedelta(hours=1), longest_silence=timedelta(hours=3),
        sentence="Writes the last link of the audit trail into a file beside the database, so that a tail cut off is found.",
    ),
    Job(
        name="escalate-approvals", run=escalate, every=timedelta(minutes=5), longest_silence=timedelta(hours=1),
        sentence="Lets others decide too on requests for approval whose time is over in working hours.",
    ),
    Job(
        name="remind-approvals", run=remind, every=timedelta(minutes=5), longest_silence=timedelta(hours=1),
        sentence="Tells people once again of a request for approval when a quarter of its working hours is left, before others may decide.",
    ),
    Job(
        name="watch-risks", run=watch, every=timedelta(minutes=10), longest_silence=timedelta(hours=1),
        sentence="Triggers risks whose figure crossed its limit, and tells the next body of what is late or triggered in working hours.",
    ),
    Job(
        name="send-digests", run=post_digests, every=timedelta(minutes=15), longest_silence=timedelta(hours=2),
        sentence="Mails people each morning of their own day what waits for them, once a day, and nothing where nothing waits.",
    ),
    Job(
        name="block-expired-lots", run=block_expired, every=timedelta(minutes=15), longest_silence=timedelta(hours=2),
        sentence="Moves what is past its last day to quarantine, so that nobody promises it.",
    ),
    Job(
        name="settle-backorders", run=backorders, every=timedelta(minutes=15), longest_silence=timedelta(hours=2),
        sentence="Cancels backorders whose patience is over and promises those anew whose day cannot be kept, by their rule.",
    ),
    Job(
        name="allocate-waiting", run=allocate, every=timedelta(minutes=1), longest_silence=timedelta(minutes=15),
        sentence="Allocates what has come or become free to the lines that wait for it, by the rule of their place.",
    ),
    Job(
        name="bill-due-shipments", run=bill, every=timedelta(minutes=10), longest_silence=timedelta(hours=1),
        sentence="Drafts and posts the invoice of every shipment whose trigger has passed; doubtful ones are blocked.",
    ),
    Job(
        name="cure-holds", run=cure, every=timedelta(minutes=1), longest_silence=timedelta(minutes=15),
        sentence="Ends credit and data holds whose cause is gone and releases the orders that nothing holds any more.",
    ),
    Job(
        name="expire-quotes", run=expire, every=timedelta(minutes=10), longest_silence=timedelta(hours=2),
        sentence="Keeps that sent quotes are over once their last day has passed; they bind nobody from that day on either way.",
    ),
    Job(
        name="evaluate-gates", run=evaluate_gates, every=timedelta(hours=1), longest_silence=timedelta(hours=3),
        sentence="Evaluates every open gate; the first evaluation of a site's day counts for what must hold.",
    ),
    Job(
        name="import-files", run=import_files, every=timedelta(seconds=10), longest_silence=timedelta(hours=1),
        sentence="Tries or imports the files that were handed in by browser or API, the oldest first.",
    ),
    Job(
        name="replay-variants", run=replay_variants, every=timedelta(seconds=10), longest_silence=timedelta(hours=1),
        sentence="Replays recent orders under a proposed variant in a place of its own, for whoever asked what it would change.",
    ),
    Job(
        name="dunning", run=ask_for_overdue, every=timedelta(minutes=1), longest_silence=timedelta(minutes=15),
        sentence="Issues the notices of confirmed dunning runs, each once, and sends their letters with the paper.",
    ),
    Job(
        name="closings", run=check_books, every=timedelta(minutes=10), longest_silence=timedelta(hours=1),
        sentence="Lets the checks of closings that are under way look, and keeps what they find.",
    ),
    Job(
        name="send-letters", run=post_letters, every=timedelta(seconds=30), longest_silence=timedelta(minutes=15),
        sentence="Sends letters to customers by mail, again after a pause when the server refuses, parked after eight attempts.",
    ),
    Job(
        name="settle-due", run=settle, every=timedelta(minutes=1), longest_silence=timedelta(minutes=10),
        sentence="Counts votes that closed, lapses waivers and missed conditions, lets waves go live on their day.",
    ),
    Job(
        name="forget-expired", run=forget_expired, every=timedelta(days=1), longest_silence=timedelta(days=2),
        sentence="Deletes request keys, sign-ins, failed attempts, files handed in and runs that are past their time.",
    ),
    Job(
        name="prove-asked", run=prove_asked, every=timedelta(seconds=10), longest_silence=timedelta(hours=1),
        sentence="Compares the books with their first records at once where somebody waits for it.",
    ),
    Job(
        name="prove", run=prove, every=timedelta(hours=1), longest_silence=timedelta(hours=3),
        sentence="Recomputes stock, sub-ledgers, exposure, numbers and events from first records; a difference is a measure.",
    ),
    Job(
        name="sample-day-ends", run=sample_day_ends, every=timedelta(minutes=15), longest_silence=timedelta(hours=1),
        sentence="Samples backlog, control points, controls and stock value at each site's day end.",
    ),
    Job(
        name="sample-hours", run=sample_hours, every=timedelta(hours=1), longest_silence=timedelta(hours=2),
        sentence="Samples the control points of every site each hour.",
    ),
    Job(
        name="thin-samples", run=thin_samples, every=timedelta(days=1), longest_silence=timedelta(days=2),
        sentence="Drops hourly samples older than 35 days; daily ones stay.",
    ),
]  # fmt: skip
