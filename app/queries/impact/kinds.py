"""What may stand in the impact graph: kinds of things, what each is called, and who may see it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from app.security.permissions import Permission


class Kind(StrEnum):
    """A kind of thing, as addresses name it. Beside it: one, several, and what it takes to see them."""

    one: str
    many: str
    permission: Permission
    #: Whether its things are known by number; else by a code of letters.
    is_number: bool

    def __new__(cls, value: str, one: str, many: str, permission: Permission, is_number: bool = True) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.one, member.many, member.permission, member.is_number = one, many, permission, is_number
        return member

    PROCESS = "process", "process", "Processes", Permission.PROCESS_VIEW, False
    STEP = "step", "step", "Steps", Permission.PROCESS_VIEW, False
    POINT = "policy-point", "policy point", "Policy points", Permission.VARIANT_VIEW, False
    VARIANT = "variant", "variant", "Variants", Permission.VARIANT_VIEW
    CHECK = "check", "rule of a standard", "Rules of a standard", Permission.MEASURE_VIEW, False
    PRICE_RULE = "price-rule", "price rule", "Price rules", Permission.MASTERDATA_READ
    PRICE_LIST = "price-list", "price list", "Price lists", Permission.MASTERDATA_READ
    ITEM = "item", "item", "Items", Permission.STOCK_READ
    ITEM_GROUP = "item-group", "item group", "Item groups", Permission.MASTERDATA_READ
    CUSTOMER = "customer", "customer", "Customers", Permission.ORDER_READ
    CUSTOMER_GROUP = "customer-group", "customer group", "Customer groups", Permission.MASTERDATA_READ
    COMPANY = "company", "company", "Companies", Permission.PROGRAMME_VIEW
    SITE = "site", "site", "Sites", Permission.PROGRAMME_VIEW
    CHANNEL = "channel", "channel", "Channels", Permission.PROGRAMME_VIEW
    CELL = "cell", "cell", "Cells", Permission.PROGRAMME_VIEW, False
    WAVE = "wave", "wave", "Waves", Permission.WAVE_VIEW
    GATE = "gate", "gate", "Gates", Permission.GATE_VIEW
    CRITERION = "criterion", "gate criterion", "Gate criteria", Permission.GATE_VIEW
    MEASURE = "measure", "measure", "Measures", Permission.MEASURE_VIEW, False
    CONTROL_POINT = "control-point", "control point", "Control points", Permission.MEASURE_VIEW, False
    BENEFIT = "benefit", "benefit", "Benefits", Permission.PROGRAMME_VIEW
    STAGE_CRITERION = (
        "stage-criterion",
        "criterion of a stage gate",
        "Criteria of stage gates",
        Permission.PROGRAMME_VIEW,
    )
    RISK = "risk", "RAID entry", "Risks, assumptions, issues, dependencies", Permission.RISK_VIEW
    QUESTION = "question", "design question", "Design questions", Permission.QUESTION_VIEW
    INTERIM = "interim-link", "link of an interim state", "Interim state", Permission.WAVE_VIEW
    DOMAIN = "data-domain", "data domain", "Data domains", Permission.RACI_VIEW, False
    APPROVAL_RULE = "approval-rule", "rule of approval", "Rules of approval", Permission.APPROVAL_VIEW
    BODY = "body", "decision body", "Decision bodies", Permission.PROGRAMME_VIEW
    ROLE = "role", "role", "Roles", Permission.PROGRAMME_VIEW, False
    PERSON = "person", "person", "People who answer", Permission.PROGRAMME_VIEW
    #: Counts, never single documents: where a walk ends.
    DOCUMENTS = "documents", "count of documents", "Documents and people", Permission.PROGRAMME_VIEW, False


#: What one may look for and begin a walk at; a person is reached through what names them.
BEGINNINGS = tuple(kind for kind in Kind if kind not in (Kind.DOCUMENTS, Kind.PERSON))
#: Longer than any code: what is longer names nothing.
LONGEST_ID = 100


@dataclass(frozen=True, order=True)
class Ref:
    """A thing by its kind and its id or code."""

    kind: Kind
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


_BY_WORD = {one.value: one for one in Kind}


def kind_of(word: str) -> Kind | None:
    """A kind by its word; ``None``: there is none of it."""
    return _BY_WORD.get(word)


def is_readable(kind: Kind, text: str) -> bool:
    """Whether the text could be an id of this kind; a zero byte is part of none."""
    if not text or len(text) > LONGEST_ID or not text.isprintable():
        return False
    return not kind.is_number or (text.isascii() and text.isdecimal() and int(text) < 2**63 and str(int(text)) == text)


def read_ref(text: str) -> Ref | None:
    """``price-rule:12`` as a reference; ``None`` for anything else."""
    word, _, rest = text.partition(":")
    kind = kind_of(word)
    return Ref(kind, rest) if kind is not None and is_readable(kind, rest) else None
