"""Everything that somebody may be allowed to do, as ``package:thing:action``. One word here, one meaning everywhere.

Services and flows of the domain name these as text, since they know no role; a test finds every name in this catalogue.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Permission(StrEnum):
    """In the order of the packages; the sentence beside each is what people read when they give a role or make a token."""

    sentence: str

    def __new__(cls, value: str, sentence: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        return member

    OWN_ACCOUNT = "app:own_account:change", "change one's own password and sign-ins"
    SELF_READ = "app:self:read", "see for whom one acts"
    TODAY = "app:today:read", "see what waits for oneself"
    USER_READ = "app:user:read", "see people and their roles"
    USER_MANAGE = "app:user:manage", "open and close accounts, give and take roles, set passwords"
    TOKEN_READ = "app:token:read", "see the tokens of programs"
    TOKEN_MANAGE = "app:token:manage", "make and revoke tokens of programs"
    OPERATIONS_READ = "app:operations:read", "see jobs, consumers, parked events and health"
    OPERATIONS_REPLAY = "app:operations:replay", "replay parked events, pause and resume consumers"
    METRICS_READ = "app:metrics:read", "read the technical metrics"
    AUDIT_READ = "app:audit:read", "read the audit trail and verify its chain"
    IMPORT_READ = "app:import:read", "see imports and their rejected lines"
    IMPORT_RUN = "app:import:run", "import files"

    MASTERDATA_READ = "erpcore:masterdata:read", "see sites, channels, customers, items and prices"
    MASTERDATA_CHANGE = "erpcore:masterdata:change", "change sites, channels, customers, items and prices"
    ORDER_READ = "erpcore:order:read", "see orders and their journeys"
    ORDER_CAPTURE = "erpcore:order:capture", "enter orders"
    ORDER_CHANGE = "erpcore:order:change", "change orders before they are released"
    ORDER_RELEASE = "erpcore:order:release", "release orders"
    ORDER_CANCEL = "erpcore:order:cancel", "cancel orders"
    ORDER_ALLOCATE = "erpcore:order:allocate", "allocate stock to orders"
    HOLD_RELEASE = "erpcore:hold:release", "release orders from hold"
    SHIPMENT_READ = "erpcore:shipment:read", "see shipments"
    SHIPMENT_CONFIRM = "erpcore:shipment:confirm", "confirm shipments"
    SHIPMENT_DELIVER = "erpcore:shipment:deliver", "record deliveries and damage"
    RETURN_READ = "erpcore:return:read", "see returns"
    RETURN_REQUEST = "erpcore:return:request", "request returns"
    RETURN_AUTHORISE = "erpcore:return:authorise", "authorise returns"
    RETURN_RECEIVE = "erpcore:return:receive", "receive returns"
    STOCK_READ = "erpcore:stock:read", "see stock and its moves"
    STOCK_ADJUST = "erpcore:stock:adjust", "adjust stock"
    STOCK_RECEIVE = "erpcore:stock:receive", "receive goods"
    INVOICE_READ = "erpcore:invoice:read", "see invoices, credit memos and receipts"
    INVOICE_POST = "erpcore:invoice:post", "post invoices"
    CREDIT_POST = "erpcore:credit_memo:post", "post credit memos"
    CASH_APPLY = "erpcore:cash:apply", "record and apply receipts"
    LEDGER_READ = "erpcore:ledger:read", "see the ledger"
    LEDGER_POST = "erpcore:ledger:post", "post journals by hand"

    PROGRAMME_READ = "governance:programme:read", "see the programme"
    PROGRAMME_PLAN = "governance:programme:plan", "plan the programme"
    COMMITTEE_MANAGE = "governance:committee:manage", "set up committees and seats"
    DECISION_READ = "governance:decision:read", "see decisions and votes"
    DECISION_PREPARE = "governance:decision:prepare", "open and close votes, record conditions"
    VOTE_CAST = "governance:vote:cast", "vote on the seat one holds"
    GRANT_READ = "governance:grant:read", "see which cells are open"
    GRANT_RECORD = "governance:grant:record", "record what was live before the programme"

    WAVE_READ = "readiness:wave:read", "see waves"
    WAVE_PLAN = "readiness:wave:plan", "plan and move waves"
    GATE_READ = "readiness:gate:read", "see gates, criteria and evidence"
    GATE_DEFINE = "readiness:gate:define", "define gates and criteria, and freeze them"
    GATE_EVALUATE = "readiness:gate:evaluate", "evaluate gates"
    ATTEST = "readiness:attestation:give", "attest what no transaction shows"
    WAIVER_REQUEST = "readiness:waiver:request", "ask for a waiver"
    WAIVER_APPROVE = "readiness:waiver:approve", "approve a waiver asked for by somebody else"
    MEASURE_READ = "readiness:measure:read", "see measures and the journeys behind them"
    PACK_MAKE = "readiness:pack:make", "make and verify decision packs"
