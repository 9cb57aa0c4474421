"""How is the machine? Consumers, parked events, the audit trail, and what watchers ask: alive, ready, metrics."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Blueprint, Response, abort, flash, jsonify, redirect, render_template, request, url_for
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.composition import schema
from app.composition.anchors import check_chain
from app.composition.request import change, installation, now, reader
from app.composition.subscriptions import CONSUMERS
from app.jobs.consumers import replay_parked
from app.jobs.registry import JOBS
from app.queries.jobs import job_status, leader
from app.queries.operations import (
    consumer_status,
    head_seq,
    parked_count,
    parked_events,
    schema_revision,
)
from app.security.permissions import Permission
from app.security.require import public, require
from app.web import metrics
from app.web.letters.views import unsent
from app.web.navigation import Entry, Group, navigation_entry
from erpcore.kernel.actor import Actor
from erpcore.kernel.audit import last_link

blueprint = Blueprint("operations", __name__)


def _count(session: Session, _actor: Actor) -> int:
    return parked_count(session)


navigation_entry(
    Entry(
        label="Operations", endpoint="operations.show", permission=Permission.OPERATIONS_READ, group=Group.OPERATE,
        order=90, count=_count,
    )
)  # fmt: skip


def _names() -> list[str]:
    return [consumer.name for consumer in CONSUMERS]


@blueprint.get("/operations")
@require(Permission.OPERATIONS_READ)
def show() -> str:
    session = reader()
    return render_template(
        "operations/show.html",
        unsent=unsent(),
        consumers=consumer_status(session, _names(), now()),
        jobs=job_status(session, [(job.name, job.sentence, job.every, job.longest_silence) for job in JOBS], now()),
        leader=leader(session, now()),
        parked=parked_events(session),
        parked_total=parked_count(session),
        head=head_seq(session),
        audit=last_link(session) or (0, ""),
        database="SQLite" if installation().database.is_sqlite else "PostgreSQL",
        revision=schema_revision(session),
        needed=_needed_revision(),
        at=now(),
    )


@blueprint.post("/operations/replay")
@require(Permission.OPERATIONS_REPLAY)
def replay() -> Any:
    """Try parked events again: of one journey, or all of a consumer. Who asked for it stands in the audit trail."""
    consumer = next((one for one in CONSUMERS if one.name == request.form.get("consumer")), None)
    if consumer is None:
        abort(404)
    journey = request.form.get("journey", type=int)
    taken, left = replay_parked(installation().database, consumer, journey=journey, clock=installation().clock)
    with change() as work:
        work.audit("parked.replayed", "consumer", None, consumer=consumer.name, journey=journey, taken=taken, left=left)
    if left:
        flash(f"{taken} events were taken; {left} stay parked, with the reason beside them.", "warn")
    else:
        flash(f"{taken} events were taken; none of them is parked any more.", "success")
    return redirect(url_for("operations.show"))


@blueprint.get("/operations/audit/verify")
@require(Permission.AUDIT_READ)
def verify() -> str:
    """Recomputes every link, and so takes as long as the trail is long; it reads only."""
    report = check_chain(installation().database, installation().settings.instance)
    return render_template("operations/audit.html", report=report)


@blueprint.get("/healthz")
@public
def alive() -> Response:
    return jsonify(status="ok")


@blueprint.get("/readyz")
@public
def ready() -> Any:
    """Whether requests may be sent here: the database answers, and its schema is the one this code needs."""
    try:
        fits = schema_revision(reader()) == _needed_revision()
    except SQLAlchemyError:
        return jsonify(status="no database"), 503
    return (jsonify(status="ok"), 200) if fits else (jsonify(status="other schema"), 503)


@cache
def _needed_revision() -> str:
    return schema.head()


@blueprint.get("/metrics")
@require(Permission.METRICS_READ)
def show_metrics() -> Response:
    """For Prometheus with a token (see ``app.web.signed_in``), or for a person signed in."""
    session = reader()
    status = consumer_status(session, _names(), now())
    gauges: dict[str, tuple[str, dict[str, int]]] = {
        "wavegate_event_seq": ("Last sequence number of the event log.", {"": head_seq(session)}),
        "wavegate_consumer_events_behind": (
            "Events a consumer has not taken.", {one.name: one.events_behind for one in status},
        ),
        "wavegate_consumer_seconds_behind": (
            "Age of the oldest event not taken.", {one.name: one.behind_seconds or 0 for one in status},
        ),
        "wavegate_parked_events": ("Events a consumer could not take.", {one.name: one.parked for one in status}),
    }  # fmt: skip
    return Response(metrics.exposition(gauges), content_type=metrics.CONTENT_TYPE)
