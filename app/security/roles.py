"""Which permissions does a role have? A table; a person has a role for a time, at one site or at all.

A person acts in one role at a time. So a permission held for one site never reaches another through a second role, and
every record says in which capacity somebody acted.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.security import permissions


class Role(StrEnum):
    """What people are in a rollout."""

    SPONSOR = "sponsor"
    STEERING_MEMBER = "steering_member"
    PMO = "pmo"
    DESIGN_AUTHORITY = "design_authority"
    DEPLOYMENT_LEAD = "deployment_lead"
    PROCESS_OWNER = "process_owner"
    DATA_OWNER = "data_owner"
    SUPER_USER = "super_user"
    SITE_LEAD = "site_lead"
    CUSTOMER_SERVICE = "customer_service"
    WAREHOUSE_OPERATOR = "warehouse_operator"
    WAREHOUSE_SUPERVISOR = "warehouse_supervisor"
    BUYER = "buyer"
    BILLING = "billing"
    COLLECTIONS = "collections"
    FINANCE = "finance"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Duty:
    """A role's name as people say it, and what it may do."""

    title: str
    permissions: frozenset[P]


P = permissions.Permission

_EVERYBODY = {P.SELF_READ, P.OWN_ACCOUNT, P.TODAY, P.PROGRAMME_VIEW, P.WAVE_VIEW, P.VIEW_SAVE}
#: People whose colleagues work by what they set up.
_LEADS = {P.NAME_LOOK, P.VIEW_SHARE, P.EXCEPTION_ASSIGN, P.LETTER_REPLAY}
_STEER = {P.GATE_VIEW, P.DECISION_VIEW, P.MEASURE_VIEW, P.PACK_MAKE}
_SEATED = {P.DECISION_VOTE, P.SEAT_DELEGATE}
_CORE = {
    P.MASTERDATA_READ, P.ORDER_READ, P.SHIPMENT_READ, P.RETURN_READ, P.STOCK_READ, P.INVOICE_READ, P.POLICY_VIEW, P.EXCEPTION_READ, P.LETTER_READ, P.PURCHASE_READ,
}  # fmt: skip
_SITE = _CORE | {P.MEASURE_VIEW, P.TASK_READ, P.EXCEPTION_WORK}
_DESK = {P.QUOTE_WRITE, P.ORDER_CAPTURE, P.ORDER_RELEASE, P.ORDER_ALLOCATE, P.ORDER_AMEND, P.RETURN_REQUEST}
_DESK |= {P.ADDRESS_CHANGE, P.LINE_SUBSTITUTE, P.SHORTAGE_CHOOSE}
_ALLOCATION = {P.ALLOCATION_SIMULATE, P.ALLOCATION_COMMIT, P.ALLOCATION_OVERRIDE, P.ALLOCATION_TAKE_BACK}


def _duty(title: str, *parts: set[P] | P) -> Duty:
    permissions = set(_EVERYBODY)
    for part in parts:
        permissions |= part if isinstance(part, set) else {part}
    return Duty(title, frozenset(permissions))


ROLES: dict[Role, Duty] = {
    Role.SPONSOR: _duty(
        "Sponsor", _STEER, _SEATED, _CORE, P.WAIVER_APPROVE, P.DECISION_REVOKE,
        P.WAVE_ROLL_BACK,
    ),
    Role.STEERING_MEMBER: _duty("Steering member", _STEER, _SEATED, _CORE),
    Role.PMO: _duty(
        "Programme office", _STEER, _CORE, P.VIEW_SHARE, P.PROGRAMME_MANAGE, P.SEAT_ASSIGN, P.DECISION_DRAFT, P.DECISION_OPEN,
        P.DECISION_ATTENDANCE, P.DECISION_CLOSE, P.DECISION_REVOKE, P.CONDITION_SETTLE, P.WAVE_PLAN, P.WAVE_REHEARSE,
        P.WAVE_RUN, P.WAVE_ROLL_BACK, P.GRANT_OPEN, P.GRANT_ALREADY_LIVE, P.GATE_DEFINE, P.GATE_FREEZE, P.GATE_EVALUATE,
        P.WAIVER_REQUEST, P.IMPORT_READ, P.AUDIT_READ, P.USER_READ,
    ),
    Role.DESIGN_AUTHORITY: _duty("Design authority", _STEER, _SEATED, _CORE, P.POLICY_DECIDE, P.AUDIT_READ),
    Role.DEPLOYMENT_LEAD: _duty(
        "Deployment lead", _STEER, _CORE, P.WAVE_PLAN, P.WAVE_REHEARSE, P.WAVE_RUN, P.GATE_DEFINE, P.GATE_EVALUATE,
        P.ATTEST, P.WAIVER_REQUEST, P.IMPORT_READ,
    ),
    Role.PROCESS_OWNER: _duty(
        "Process owner", _STEER, _SEATED, _CORE, P.VIEW_SHARE, P.EXCEPTION_WORK, P.EXCEPTION_ASSIGN, P.LETTER_WRITE, P.LETTER_REPLAY, P.LEDGER_READ, P.ATTEST, P.LIMIT_SET, P.GATE_EVALUATE, P.WAIVER_REQUEST,
        P.WAIVER_APPROVE, P.POLICY_REQUEST, P.HOLD_SETTLE, P.HOLD_RELEASE, P.PRICE_APPROVE_DESK, P.PRICE_APPROVE_SITE,
        P.PRICE_APPROVE_PROCESS, P.PRICE_RULE_APPROVE, P.COST_READ,
    ),
    Role.DATA_OWNER: _duty(
        "Data owner", _STEER, _CORE, P.MASTERDATA_CHANGE, P.ADDRESS_CHANGE, P.PRICE_CHANGE, P.COST_READ, P.IMPORT_READ, P.IMPORT_RUN,
        P.ATTEST, P.STOCK_OPEN,
    ),
    Role.SUPER_USER: _duty(
        "Super user", _SITE, _DESK, _LEADS, P.ORDER_BACK_ENTER, P.PRICE_OVERRIDE, P.HOLD_RELEASE, P.PRICE_APPROVE_DESK, P.GATE_VIEW, P.ATTEST,
        P.SHIPMENT_PICK, P.SHIPMENT_CONFIRM, P.SHIPMENT_DELIVER, P.TASK_WORK, P.SHIPMENT_PACK,
    ),
    Role.SITE_LEAD: _duty(
        "Site lead", _SITE, _ALLOCATION, _LEADS, P.GATE_VIEW, P.DECISION_VIEW, P.ATTEST, P.WAIVER_REQUEST, P.HOLD_PLACE,
        P.HOLD_SETTLE, P.HOLD_RELEASE, P.CREDIT_HOLD, P.QUOTE_WRITE, P.ORDER_CAPTURE, P.ORDER_RELEASE, P.ORDER_ALLOCATE, P.ORDER_AMEND,
        P.ORDER_CANCEL, P.ORDER_CLOSE, P.PRICE_OVERRIDE, P.PRICE_APPROVE_DESK, P.PRICE_APPROVE_SITE, P.COST_READ,
        P.RETURN_AUTHORISE, P.STOCK_ADJUST, P.STOCK_COUNT, P.STOCK_OPEN,
        P.GRANT_FALLBACK, P.TASK_ASSIGN, P.PICK_WAVE_PLAN, P.SHIPMENT_TRACK, P.CARRIER_CHANGE, P.ADJUSTMENT_APPROVE,
        P.COUNT_APPROVE, P.PURCHASE_PLACE, P.PURCHASE_CONFIRM, P.PURCHASE_END, P.TRANSFER_REQUEST, P.TRANSFER_APPROVE,
        P.LINE_SUBSTITUTE, P.SUBSTITUTION_APPROVE, P.SHORTAGE_CHOOSE,
    ),
    Role.CUSTOMER_SERVICE: _duty(
        "Customer service", _SITE, _DESK, P.PRICE_OVERRIDE, P.ORDER_CANCEL, P.HOLD_PLACE, P.SHIPMENT_TRACK
    ),
    Role.WAREHOUSE_OPERATOR: _duty(
        "Warehouse operator", P.STOCK_READ, P.SHIPMENT_READ, P.ORDER_READ, P.RETURN_READ, P.MASTERDATA_READ,
        P.SHIPMENT_PICK, P.SHIPMENT_CONFIRM, P.RETURN_RECEIVE, P.STOCK_RECEIVE, P.STOCK_COUNT, P.TASK_READ, P.TASK_WORK,
        P.SHIPMENT_PACK, P.STOCK_PUT_AWAY, P.PURCHASE_READ,
    ),
    Role.WAREHOUSE_SUPERVISOR: _duty(
        "Warehouse supervisor", _SITE, P.ALLOCATION_SIMULATE, P.ALLOCATION_COMMIT, _LEADS, P.ORDER_ALLOCATE, P.SHIPMENT_PICK,
        P.SHIPMENT_CONFIRM, P.SHIPMENT_DELIVER,
        P.RETURN_RECEIVE, P.STOCK_RECEIVE, P.STOCK_ADJUST, P.STOCK_COUNT, P.TASK_WORK, P.TASK_ASSIGN, P.PICK_WAVE_PLAN,
        P.SHIPMENT_PACK, P.SHIPMENT_TRACK, P.CARRIER_CHANGE, P.RECEIPT_EXPECT, P.STOCK_PUT_AWAY, P.STOCK_STATUS,
        P.COUNT_PLAN, P.COUNT_APPROVE, P.TRANSFER_SHIP, P.TRANSFER_REQUEST, P.TRANSFER_APPROVE, P.LOCATION_CHANGE, P.ADJUSTMENT_APPROVE,
    ),
    Role.BUYER: _duty(
        "Buyer", _SITE, _LEADS, P.COST_READ, P.PURCHASE_PLACE, P.PURCHASE_CONFIRM, P.PURCHASE_END, P.RECEIPT_EXPECT,
        P.TRANSFER_SHIP, P.TRANSFER_REQUEST, P.TRANSFER_APPROVE,
    ),
    Role.BILLING: _duty("Billing", _SITE, P.LEDGER_READ, P.INVOICE_DRAFT, P.INVOICE_AMEND, P.INVOICE_POST, P.CREDIT_POST),
    Role.COLLECTIONS: _duty("Collections", _SITE, P.RECEIPT_TAKE, P.RECEIPT_APPLY, P.HOLD_RELEASE, P.CREDIT_HOLD),
    Role.FINANCE: _duty(
        "Finance", _STEER, _SEATED, _CORE, P.VIEW_SHARE, P.EXCEPTION_WORK, P.COST_READ, P.CREDIT_LIMIT, P.LEDGER_READ, P.LEDGER_POST, P.PERIOD_CLOSE, P.INVOICE_UNBLOCK, P.CREDIT_POST, P.RECEIPT_TAKE,
        P.RECEIPT_APPLY, P.DEBT_WRITE_OFF, P.HOLD_RELEASE, P.CREDIT_HOLD, P.ATTEST, P.PRICE_RULE_APPROVE,
    ),
    Role.AUDITOR: _duty(
        "Auditor", _STEER, _CORE, P.COST_READ, P.LEDGER_READ, P.IMPORT_READ, P.USER_READ, P.TOKEN_READ, P.OPERATIONS_READ,
        P.AUDIT_READ,
    ),
    Role.ADMINISTRATOR: _duty(
        "Administrator", P.USER_READ, P.USER_MANAGE, P.TOKEN_READ, P.TOKEN_MANAGE, P.OPERATIONS_READ,
        P.OPERATIONS_REPLAY, P.LETTER_READ, P.LETTER_REPLAY, P.METRICS_READ, P.AUDIT_READ, P.IMPORT_READ, P.IMPORT_RUN, P.MASTERDATA_READ, P.MEASURE_VIEW,
    ),
}  # fmt: skip


def permissions_of(role: str) -> frozenset[str]:
    """What the role may do; nothing for a role this version does not know."""
    return frozenset(ROLES[Role(role)].permissions) if role in set(Role) else frozenset()


def title_of(role: str) -> str:
    """The role as people say it; a job's or unknown role as it is written."""
    return ROLES[Role(role)].title if role in set(Role) else role
