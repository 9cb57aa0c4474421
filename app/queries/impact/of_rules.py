"""What do variants, policy points, prices and their groups touch?"""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import String, literal
from sqlalchemy.orm import aliased

from app.queries.impact.kinds import Kind
from app.queries.impact.touches import Touches
from erpcore.masterdata.models import Customer, Item, Site
from erpcore.ports import POLICY_POINTS
from erpcore.pricing.models import PriceRule
from governance.approvals.models import ApprovalGround, ApprovalRequest, ApprovalRule
from governance.questions.flow import LinkKind as AskedAbout
from governance.questions.models import DesignQuestion, QuestionLink
from governance.risks.flow import LinkKind as RiskLink
from governance.risks.models import RaidEntry, RaidLink
from governance.variants.models import Variant, VariantDeviation, VariantValue

_older = aliased(Variant)
_WAITS = "waiting"
#: What a request for approval calls a variant that it is about.
_SUBJECT = "variant"


def _value(what: str, point: str) -> str:
    """A value as people read it; of a point that is no more, as it is kept."""
    found = POLICY_POINTS.get(point)
    return found.shown(orjson.loads(what)) if found is not None else what


def _of_variant(target: Kind, says: str, column: Any) -> Touches:
    return Touches(source=Kind.VARIANT, target=target, says=says, source_id=Variant.id, target_id=column)


def _of_price(target: Kind, says: str, column: Any) -> Touches:
    return Touches(source=Kind.PRICE_RULE, target=target, says=says, source_id=PriceRule.id, target_id=column)


VARIANTS = (
    Touches(
        source=Kind.VARIANT, target=Kind.POINT, says="sets {target} to {what}", source_id=VariantValue.variant_id,
        target_id=VariantValue.point, what=VariantValue.value, word=_value,
    ),
    Touches(
        source=Kind.VARIANT, target=Kind.CHECK, says="allows what departs from {target}", source_id=VariantDeviation.variant_id,
        target_id=VariantDeviation.deviation,
    ),
    _of_variant(Kind.STEP, "departs from the standard of {target}", Variant.step),
    _of_variant(Kind.SITE, "holds at {target}", Variant.site_id),
    _of_variant(Kind.COMPANY, "holds in {target}", Variant.entity_id),
    _of_variant(Kind.CHANNEL, "holds for orders of {target}", Variant.channel_id),
    _of_variant(Kind.CUSTOMER_GROUP, "holds for customers of {target}", Variant.customer_group_id),
    _of_variant(Kind.ITEM_GROUP, "holds for items of {target}", Variant.item_group_id),
    _of_variant(Kind.PERSON, "is answered for by {target}", Variant.owner_id),
    _of_variant(Kind.PERSON, "has {target} as deputy of its owner", Variant.deputy_id),
    Touches(
        source=Kind.VARIANT, target=Kind.VARIANT, says="makes way for {target}", source_id=_older.id, target_id=Variant.id,
        base=Variant,
        joins=((_older, _older.id == Variant.supersedes_id),),
    ),
    Touches(
        source=Kind.APPROVAL_RULE, target=Kind.VARIANT, says="says who decides on {target}", source_id=ApprovalRule.id,
        target_id=ApprovalRequest.subject_id, base=ApprovalRequest,
        joins=(
            (ApprovalGround, ApprovalGround.request_id == ApprovalRequest.id),
            (ApprovalRule, ApprovalRule.id == ApprovalGround.rule_id),
        ),
        where=(ApprovalRequest.state == _WAITS, ApprovalRequest.subject_type == _SUBJECT),
    ),
)  # fmt: skip

PRICES = (
    _of_price(Kind.ITEM, "prices {target}", PriceRule.item_id),
    _of_price(Kind.ITEM_GROUP, "prices items of {target}", PriceRule.item_group_id),
    _of_price(Kind.CUSTOMER, "holds for {target}", PriceRule.customer_id),
    _of_price(Kind.CUSTOMER_GROUP, "holds for customers of {target}", PriceRule.customer_group_id),
    _of_price(Kind.CHANNEL, "holds for orders of {target}", PriceRule.channel_id),
    _of_price(Kind.COMPANY, "is a price of {target}", PriceRule.entity_id),
    Touches(
        source=Kind.PRICE_RULE, target=Kind.DOMAIN, says="is part of {target}", source_id=PriceRule.id,
        target_id=literal("price", String), is_one_way=True,
    ),
    Touches(
        source=Kind.PRICE_LIST, target=Kind.PRICE_RULE, says="brought {target}", source_id=PriceRule.price_list_id,
        target_id=PriceRule.id,
    ),
    Touches(source=Kind.ITEM, target=Kind.ITEM_GROUP, says="belongs to {target}", source_id=Item.id, target_id=Item.group_id),
    Touches(
        source=Kind.CUSTOMER, target=Kind.CUSTOMER_GROUP, says="belongs to {target}", source_id=Customer.id,
        target_id=Customer.group_id,
    ),
    Touches(source=Kind.SITE, target=Kind.COMPANY, says="belongs to {target}", source_id=Site.id, target_id=Site.entity_id),
)  # fmt: skip


def _asked(target: Kind, column: Any) -> Touches:
    return Touches(
        source=Kind.QUESTION,
        target=target,
        says="asks how it shall be at {target}",
        source_id=DesignQuestion.id,
        target_id=column,
    )


def _asked_about(target: Kind, kind: AskedAbout) -> Touches:
    return Touches(
        source=Kind.QUESTION, target=target, says="bears on {target}", source_id=QuestionLink.question_id,
        target_id=QuestionLink.target, where=(QuestionLink.kind == kind,),
    )  # fmt: skip


def _risked(target: Kind, kind: RiskLink) -> Touches:
    return Touches(
        source=Kind.RISK, target=target, says="bears on {target}", source_id=RaidLink.entry_id, target_id=RaidLink.target,
        where=(RaidLink.kind == kind,),
    )  # fmt: skip


def _of_risk(target: Kind, says: str, column: Any) -> Touches:
    return Touches(source=Kind.RISK, target=target, says=says, source_id=RaidEntry.id, target_id=column)


DOUBTS = (
    _asked(Kind.SITE, DesignQuestion.site_id),
    _asked(Kind.CHANNEL, DesignQuestion.channel_id),
    Touches(
        source=Kind.QUESTION, target=Kind.PROCESS, says="asks how {target} shall be", source_id=DesignQuestion.id,
        target_id=DesignQuestion.process,
    ),
    Touches(
        source=Kind.QUESTION, target=Kind.PERSON, says="is decided by {target}", source_id=DesignQuestion.id,
        target_id=DesignQuestion.decider_id,
    ),
    _asked_about(Kind.STEP, AskedAbout.STEP),
    _asked_about(Kind.POINT, AskedAbout.POINT),
    _asked_about(Kind.VARIANT, AskedAbout.VARIANT),
    _risked(Kind.STEP, RiskLink.STEP),
    _risked(Kind.POINT, RiskLink.POINT),
    _of_risk(Kind.SITE, "bears on {target}", RaidEntry.site_id),
    _of_risk(Kind.WAVE, "bears on {target}", RaidEntry.wave_id),
    _of_risk(Kind.PROCESS, "bears on {target}", RaidEntry.process),
    _of_risk(Kind.PERSON, "is answered for by {target}", RaidEntry.owner_id),
    _of_risk(Kind.BODY, "goes on to {target} when it is late or triggered", RaidEntry.body_id),
)  # fmt: skip
