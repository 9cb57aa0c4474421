"""Where do the things of the graph stand, how are they called, who sees them, and which of them are over?

A shelf is a table, or a join, of one kind. Things that are over are found by their own address, and no more from others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import String, cast, func, literal, or_, select, union
from sqlalchemy.orm import aliased

from app.identity.models import Account
from app.queries.approvals import kind_title
from app.queries.impact.kinds import Kind
from app.queries.impact.moment import Moment
from app.queries.risks import seen_entries
from erpcore.kernel.actor import Actor
from erpcore.masterdata.models import Channel, Customer, CustomerGroup, Entity, Item, ItemGroup, Realm, Site
from erpcore.pricing.models import PriceList, PriceRule
from governance.approvals.flow import RuleState
from governance.approvals.models import ApprovalRule
from governance.interim.kinds import DOMAINS, LinkKind, process_title
from governance.interim.models import InterimLink
from governance.programme.models import Body, ProgrammeCell
from governance.questions.flow import QuestionState
from governance.questions.models import DesignQuestion
from governance.risks.flow import STANDING
from governance.risks.models import RaidEntry
from governance.roadmap.models import Benefit, BenefitWithdrawal, RoadmapPhase, StageCriterion
from governance.variants.flow import AGREED, VariantState
from governance.variants.models import Variant
from readiness.gates.flow import GateState
from readiness.gates.models import Gate, GateCriterion
from readiness.waves.flow import WaveState
from readiness.waves.models import Wave, WaveScope

#: How many texts a shelf gives of a thing besides its id.
TEXTS = 6
#: Variants that hold, will, or wait for somebody's word.
_OPEN = (*AGREED, VariantState.SUBMITTED)

Conditions = list[Any]


@dataclass(frozen=True, kw_only=True)
class Name:
    """How a thing is called: in a list, in a sentence, a line beneath, and what its page is found by besides its id."""

    label: str
    short: str = ""
    sub: str = ""
    keys: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """As it stands in a sentence."""
        return self.short or self.label


def _nothing(_row: Any, _of: Any) -> Conditions:
    return []


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """``texts`` give up to six texts of a row, ``called`` makes a name of them. ``joins`` are outer ones: table and condition.

    ``seen`` narrows rows to what somebody may see, ``alive`` to what is not over; both get the row's columns.
    """

    table: Any
    texts: tuple[Any, ...]
    called: Callable[[Sequence[str]], Name]
    joins: tuple[tuple[Any, Any], ...] = ()
    searched: tuple[Any, ...] = ()
    seen: Callable[[Any, Actor], Conditions] = _nothing
    alive: Callable[[Any, Moment], Conditions] = field(default=_nothing)

    def row(self) -> Any:
        """The columns of the table itself."""
        return self.table.c if hasattr(self.table, "c") else self.table

    def other(self) -> tuple[Any, Any]:
        """The table once more under another name, and its columns."""
        again = aliased(self.table)
        return again, again.c if hasattr(self.table, "c") else again

    def select(self, kind: Kind) -> Any:
        """Kind, id and texts of every row, in the shape that all shelves share."""
        blank = [literal("", String)] * (TEXTS - len(self.texts))
        texts = [func.coalesce(cast(one, String), "") for one in self.texts]
        columns = [one.label(f"t{number}") for number, one in enumerate([*texts, *blank])]
        found = select(literal(kind.value, String).label("kind"), cast(self.row().id, String).label("id"), *columns)
        found = found.select_from(self.table)
        for table, condition in self.joins:
            found = found.outerjoin(table, condition)
        return found


def companies_of(actor: Actor) -> Any:
    """The live companies that somebody sees something of."""
    found = select(Entity.id).where(Entity.realm == Realm.LIVE)
    if actor.sites is not None:
        found = found.where(Entity.id.in_(select(Site.entity_id).where(Site.id.in_(sorted(actor.sites)))))
    return found


def _of_company(row: Any, actor: Actor) -> Conditions:
    if actor.sites is None:
        return []
    return [row.entity_id.in_(select(Site.entity_id).where(Site.id.in_(sorted(actor.sites))))]


def _of_live_company(row: Any, _now: Moment) -> Conditions:
    """Practice has records of its own: they are found by their own address, and never among the live ones."""
    return [row.entity_id.in_(select(Entity.id).where(Entity.realm == Realm.LIVE))]


def _site_or_none(row: Any, actor: Actor) -> Conditions:
    return [] if actor.sites is None else [or_(row.site_id.is_(None), row.site_id.in_(sorted(actor.sites)))]


def _variant_seen(row: Any, actor: Actor) -> Conditions:
    if actor.sites is None:
        return []
    companies = select(Site.entity_id).where(Site.id.in_(sorted(actor.sites)))
    return [*_site_or_none(row, actor), or_(row.entity_id.is_(None), row.entity_id.in_(companies))]


def _variant_alive(row: Any, now: Moment) -> Conditions:
    return [row.state.in_(_OPEN), or_(row.valid_until.is_(None), row.valid_until > now.at)]


def _rule_alive(row: Any, now: Moment) -> Conditions:
    goes_on = row.valid_until > now.day_at(row.entity_id)
    return [*_of_live_company(row, now), or_(row.valid_until.is_(None), goes_on)]


def _site_seen(row: Any, actor: Actor) -> Conditions:
    live = [row.entity_id.in_(select(Entity.id).where(Entity.realm == Realm.LIVE))]
    return live if actor.sites is None else [*live, row.id.in_(sorted(actor.sites))]


def _cell_seen(row: Any, actor: Actor) -> Conditions:
    return [] if actor.sites is None else [row.site_id.in_(sorted(actor.sites))]


def _criterion_alive(row: Any, _now: Moment) -> Conditions:
    return [row.removed_in.is_(None), row.gate_id.in_(select(Gate.id).where(Gate.state != GateState.CLOSED))]


_PAIRS = union(
    select(ProgrammeCell.site_id, ProgrammeCell.channel_id), select(WaveScope.site_id, WaveScope.channel_id)
).subquery()  # fmt: skip


def cell_id(site: Any, channel: Any) -> Any:
    """How a cell is known: its site and its channel."""
    return cast(site, String) + "-" + cast(channel, String)


_CELLS = select(
    cell_id(_PAIRS.c.site_id, _PAIRS.c.channel_id).label("id"), _PAIRS.c.site_id, _PAIRS.c.channel_id
).subquery()  # fmt: skip

_MASTERS = {"legacy": "mastered by the old systems", "ours": "mastered here", "both": "mastered by both"}


def _named(texts: Sequence[str]) -> Name:
    return Name(label=texts[0], sub=texts[1])


def _price(texts: Sequence[str]) -> Name:
    kind, item, group, customer, segment, channel = texts
    whom = ", ".join(one for one in (customer, segment, channel) if one) or "everybody"
    return Name(label=f"{kind.capitalize()} price of {item or group} for {whom}")


def _gate_words(wave: str, phase: str) -> str:
    return f"{wave} {phase.replace('_', ' ')} gate"


def _interim(texts: Sequence[str]) -> Name:
    kind, code, master, wave, wave_id = texts[:5]
    if kind == LinkKind.DATUM:
        what = next((title for domain, title in DOMAINS.items() if domain == code), code)
    else:
        process, _, step = code.partition(".")
        what = process_title(process) + (f", {step.replace('_', ' ')}" if step else "")
    return Name(label=f"{what} in {wave}, {_MASTERS.get(master, master)}", keys=(wave_id,))


SHELVES: Mapping[Kind, Shelf] = {
    Kind.VARIANT: Shelf(
        table=Variant, texts=(Variant.code, Variant.title, Variant.state, Variant.trainings, Variant.tests),
        called=lambda t: Name(label=f"{t[0]} {t[1]}", short=t[0], sub=t[2].replace("_", " "), keys=(t[3], t[4])),
        searched=(Variant.code, Variant.title), seen=_variant_seen, alive=_variant_alive,
    ),
    Kind.PRICE_RULE: Shelf(
        table=PriceRule, called=_price, seen=_of_company, alive=_rule_alive, searched=(Item.code, ItemGroup.name),
        texts=(PriceRule.kind, Item.code, ItemGroup.name, Customer.name, CustomerGroup.name, Channel.name),
        joins=(
            (Item, Item.id == PriceRule.item_id), (ItemGroup, ItemGroup.id == PriceRule.item_group_id),
            (Customer, Customer.id == PriceRule.customer_id),
            (CustomerGroup, CustomerGroup.id == PriceRule.customer_group_id), (Channel, Channel.id == PriceRule.channel_id),
        ),
    ),
    Kind.PRICE_LIST: Shelf(
        table=PriceList, texts=(PriceList.file_name, PriceList.state), searched=(PriceList.file_name,), seen=_of_company, alive=_of_live_company,
        called=lambda t: Name(label=t[0], sub=t[1]),
    ),
    Kind.ITEM: Shelf(
        table=Item, texts=(Item.code, Item.name, Item.entity_id), searched=(Item.code, Item.name), seen=_of_company,
        alive=_of_live_company,
        called=lambda t: Name(label=f"{t[0]} {t[1]}", short=t[0], keys=(t[0], t[2])),
    ),
    Kind.ITEM_GROUP: Shelf(table=ItemGroup, texts=(ItemGroup.name, ItemGroup.code), searched=(ItemGroup.name, ItemGroup.code), called=_named),
    Kind.CUSTOMER: Shelf(
        table=Customer, texts=(Customer.name, Customer.code, Customer.entity_id), searched=(Customer.code, Customer.name),
        seen=_of_company, alive=_of_live_company, called=lambda t: Name(label=t[0], sub=t[1], keys=(t[1], t[2])),
    ),
    Kind.CUSTOMER_GROUP: Shelf(
        table=CustomerGroup, texts=(CustomerGroup.name, CustomerGroup.code), called=_named,
        searched=(CustomerGroup.name, CustomerGroup.code),
    ),
    Kind.COMPANY: Shelf(
        table=Entity, texts=(Entity.name, Entity.code), searched=(Entity.name, Entity.code), called=_named,
        seen=lambda row, actor: [row.id.in_(companies_of(actor))],
    ),
    Kind.SITE: Shelf(table=Site, texts=(Site.name, Site.code), searched=(Site.name, Site.code), called=_named, seen=_site_seen),
    Kind.CHANNEL: Shelf(table=Channel, texts=(Channel.name, Channel.code), searched=(Channel.name, Channel.code), called=_named),
    Kind.CELL: Shelf(
        table=_CELLS, texts=(Site.name, Channel.name), searched=(Site.name, Channel.name), seen=_cell_seen,
        joins=((Site, Site.id == _CELLS.c.site_id), (Channel, Channel.id == _CELLS.c.channel_id)),
        called=lambda t: Name(label=f"{t[0]} · {t[1]}"),
    ),
    Kind.WAVE: Shelf(
        table=Wave, texts=(Wave.code, Wave.name, Wave.state), searched=(Wave.code, Wave.name),
        called=lambda t: Name(label=f"{t[0]} {t[1]}", short=t[0], sub=t[2].replace("_", " ")),
        alive=lambda row, _now: [row.state != WaveState.CANCELLED],
    ),
    Kind.GATE: Shelf(
        table=Gate, texts=(Wave.code, Gate.phase, Gate.state), searched=(Wave.code,), joins=((Wave, Wave.id == Gate.wave_id),),
        called=lambda t: Name(label=_gate_words(t[0], t[1]), sub=t[2]),
        alive=lambda row, _now: [row.state != GateState.CLOSED],
    ),
    Kind.CRITERION: Shelf(
        table=GateCriterion, searched=(GateCriterion.title, Wave.code),
        texts=(GateCriterion.title, Wave.code, Gate.phase, GateCriterion.code, GateCriterion.gate_id),
        joins=((Gate, Gate.id == GateCriterion.gate_id), (Wave, Wave.id == Gate.wave_id)), alive=_criterion_alive,
        called=lambda t: Name(label=f"{t[0]} ({_gate_words(t[1], t[2])})", keys=(t[3], t[4], _gate_words(t[1], t[2]))),
    ),
    Kind.BENEFIT: Shelf(
        table=Benefit, texts=(Benefit.title, Benefit.code, Benefit.programme_id), searched=(Benefit.title, Benefit.code),
        called=lambda t: Name(label=t[0], sub=t[1], keys=(t[2],)),
        alive=lambda row, _now: [row.id.not_in(select(BenefitWithdrawal.benefit_id))],
    ),
    Kind.STAGE_CRITERION: Shelf(
        table=StageCriterion, texts=(StageCriterion.title, RoadmapPhase.code, StageCriterion.phase_id),
        searched=(StageCriterion.title,), joins=((RoadmapPhase, RoadmapPhase.id == StageCriterion.phase_id),),
        called=lambda t: Name(label=f"{t[0]} (stage gate of {t[1].replace('_', ' ')})", keys=(t[2],)),
        alive=lambda row, _now: [row.removed_at.is_(None)],
    ),
    Kind.RISK: Shelf(
        table=RaidEntry, texts=(RaidEntry.code, RaidEntry.title, RaidEntry.kind, RaidEntry.state), seen=seen_entries,
        searched=(RaidEntry.code, RaidEntry.title), alive=lambda row, _now: [row.state.in_(STANDING)],
        called=lambda t: Name(label=f"{t[0]} {t[1]}", short=t[0], sub=f"{t[2]}, {t[3]}"),
    ),
    Kind.QUESTION: Shelf(
        table=DesignQuestion, texts=(DesignQuestion.title, DesignQuestion.state), searched=(DesignQuestion.title,), called=_named,
        seen=_site_or_none, alive=lambda row, _now: [row.state != QuestionState.WITHDRAWN],
    ),
    Kind.INTERIM: Shelf(
        table=InterimLink, texts=(InterimLink.kind, InterimLink.code, InterimLink.master, Wave.code, InterimLink.wave_id),
        searched=(InterimLink.code,), joins=((Wave, Wave.id == InterimLink.wave_id),), called=_interim,
    ),
    Kind.APPROVAL_RULE: Shelf(
        table=ApprovalRule, texts=(ApprovalRule.kind, ApprovalRule.code, ApprovalRule.state), searched=(ApprovalRule.kind, ApprovalRule.code),
        called=lambda t: Name(label=f"{kind_title(t[0])}, rule “{t[1].replace('_', ' ')}”", sub=t[2].replace("_", " ")),
        alive=lambda row, _now: [row.state == RuleState.IN_FORCE],
    ),
    Kind.BODY: Shelf(table=Body, texts=(Body.name, Body.code), searched=(Body.name, Body.code), called=_named),
    Kind.PERSON: Shelf(
        table=Account, texts=(Account.name, Account.closed_at),
        called=lambda t: Name(label=t[0], sub="has left" if t[1] else ""),
    ),
}  # fmt: skip
