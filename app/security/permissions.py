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

    SELF_READ = "app:self:read", "see for whom one acts"
    OWN_ACCOUNT = "app:own_account:change", "change one's own password and sign-ins"
    TODAY = "app:today:read", "see what waits for oneself"
    VIEW_SAVE = "app:view:save", "keep views of lists for oneself"
    VIEW_SHARE = "app:view:share", "share views of lists with a role or a site"
    USER_READ = "app:user:read", "see people and their roles"
    USER_MANAGE = "app:user:manage", "open and close accounts, give and take roles, set passwords"
    NAME_LOOK = "app:name:look", "see the names of the people of one's own site; each look is kept"
    TOKEN_READ = "app:token:read", "see the tokens of programs"
    TOKEN_MANAGE = "app:token:manage", "make and revoke tokens of programs"
    OPERATIONS_READ = "app:operations:read", "see jobs, consumers, parked events and health"
    OPERATIONS_REPLAY = "app:operations:replay", "replay parked events"
    METRICS_READ = "app:metrics:read", "read the technical metrics"
    AUDIT_READ = "app:audit:read", "read the audit trail and verify its chain"
    IMPORT_READ = "app:import:read", "see imports and their rejected lines"
    IMPORT_RUN = "app:import:run", "import files"

    MASTERDATA_READ = "masterdata:record:read", "see sites, channels, customers, items and prices"
    TAX_KEEP = "masterdata:tax:keep", "keep tax rules, tax numbers and exemptions"
    RATE_KEEP = "masterdata:rate:keep", "keep exchange rates"
    MASTERDATA_CHANGE = "masterdata:record:change", "change sites, channels, customers, items and prices"
    ADDRESS_CHANGE = "masterdata:address:change", "enter, change and end addresses of customers"
    ORDER_READ = "orders:order:read", "see orders and their journeys"
    ORDER_CAPTURE = "orders:order:capture", "enter orders"
    ORDER_BACK_ENTER = "orders:order:back-enter", "enter afterwards what was done on paper, with its times"
    QUOTE_WRITE = "orders:quote:write", "write and send quotes, and record what customers answer"
    PRICE_OVERRIDE = "orders:price:override", "enter another price than the list gives, with a reason"
    PRICE_APPROVE_DESK = "orders:price:approve_desk", "approve prices entered by somebody else, as far as the desk may"
    PRICE_APPROVE_SITE = (
        "orders:price:approve_site",
        "approve prices entered by somebody else within the limit of the site's lead",
    )
    PRICE_APPROVE_PROCESS = "orders:price:approve_process", "approve any price entered by somebody else"
    PRICE_CHANGE = "pricing:rule:change", "change price rules and apply price lists"
    PRICE_RULE_APPROVE = (
        "pricing:rule:approve",
        "decide on prices that somebody else lowered beyond the tolerance or the floor",
    )
    COST_READ = "pricing:cost:read", "see costs, margins and floors"
    ORDER_RELEASE = "orders:order:release", "release orders"
    ORDER_ALLOCATE = "orders:order:allocate", "allocate stock to orders"
    ORDER_ANEW = "orders:order:put-under-rules", "put orders under way under the rules of now, with a reason"
    ORDER_AMEND = "orders:order:amend", "change orders after they are taken, with a reason"
    ALLOCATION_SIMULATE = "orders:allocation:simulate", "simulate allocation runs"
    ALLOCATION_COMMIT = "orders:allocation:commit", "commit or reject simulated allocation runs"
    ALLOCATION_OVERRIDE = "orders:allocation:override", "change the ranking of a run by hand, with a reason"
    ALLOCATION_TAKE_BACK = "orders:allocation:take_back", "take stock back from a line that ranks lower, with a reason"
    LINE_SUBSTITUTE = "orders:line:substitute", "send another item instead of one that is short, where the rule lets it"
    SUBSTITUTION_APPROVE = "orders:substitution:approve", "approve substitutions that somebody else asked for"
    SHORTAGE_CHOOSE = "orders:shortage:choose", "choose what happens to a line that is short, with a reason"
    TAKE_BACK_APPROVE = "orders:allocation:approve_take_back", "agree to taking stock back that somebody else asked for"
    PROTECTION_CHANGE = "orders:protection:change", "protect stock for a customer by contract"
    BACKORDER_PROMISE = "orders:backorder:promise", "promise waiting lines anew, with a reason"
    ORDER_CANCEL = "orders:order:cancel", "cancel orders or part of them"
    ORDER_CLOSE = "orders:order:close", "close orders"
    HOLD_PLACE = "orders:hold:place", "hold an order, with a reason"
    HOLD_RELEASE = "orders:hold:release", "release an order from hold, with a reason"
    HOLD_SETTLE = (
        "orders:hold:settle",
        "end holds placed by hand or for a customer's record, an address, an export or a duplicate",
    )
    EXCEPTION_READ = "orders:exception:read", "see documents in trouble and who looks after them"
    EXCEPTION_WORK = "orders:exception:work", "take documents in trouble, note, and leave them alone for a while"
    EXCEPTION_ASSIGN = "orders:exception:assign", "give documents in trouble to others, and set who owns a queue"
    LETTER_READ = "orders:letter:read", "see what customers were written"
    LETTER_WRITE = "orders:letter:write", "change texts to customers, words for people, and addresses of customers"
    LETTER_REPLAY = "orders:letter:replay", "let parked letters be sent again"
    CREDIT_LIMIT = "credit:limit:set", "set the credit limits of customers, with a reason"
    CREDIT_HOLD = "credit:hold:release", "release an order from a credit hold that somebody else asked for"
    RETURN_READ = "returns:return:read", "see returns"
    RETURN_REQUEST = "returns:return:request", "request returns"
    RETURN_AUTHORISE = "returns:return:authorise", "authorise or decline returns"
    RETURN_AUTHORISE_OUTSIDE = "returns:return:authorise_outside", "authorise returns outside of the policy"
    RETURN_RECEIVE = "warehouse:return:receive", "receive returns"
    SHIPMENT_READ = "warehouse:shipment:read", "see shipments"
    SHIPMENT_PICK = "warehouse:shipment:pick", "pick"
    SHIPMENT_CONFIRM = "warehouse:shipment:confirm", "confirm shipments"
    SHIPMENT_DELIVER = "warehouse:shipment:deliver", "record deliveries and damage"
    SHIPMENT_PACK = "warehouse:shipment:pack", "pack cartons"
    SHIPMENT_TRACK = "warehouse:shipment:track", "record what carriers report and charge, and settle it"
    TASK_READ = "warehouse:task:read", "see the work of the warehouse floor"
    TASK_WORK = "warehouse:task:work", "take tasks and do them"
    TASK_ASSIGN = "warehouse:task:assign", "hand tasks to people and change their turn, with a reason"
    PICK_WAVE_PLAN = "warehouse:pick_wave:plan", "plan, release, interrupt and cancel pick waves"
    CARRIER_CHANGE = "warehouse:carrier:change", "change carriers, services, cut-offs, carrier rules and carton types"
    STOCK_READ = "warehouse:stock:read", "see stock and its moves"
    STOCK_ADJUST = "warehouse:stock:adjust", "adjust stock, with a reason"
    STOCK_COUNT = "warehouse:stock:count", "count stock"
    STOCK_OPEN = "warehouse:stock:open", "enter the stock a site begins with"
    STOCK_RECEIVE = "warehouse:stock:receive", "receive goods"
    RECEIPT_EXPECT = "warehouse:receipt:expect", "enter and change what is expected to come"
    STOCK_PUT_AWAY = "warehouse:stock:put_away", "put goods away and move them from place to place"
    STOCK_STATUS = "warehouse:stock:change_status", "block goods from sale and release them, with a reason"
    ADJUSTMENT_APPROVE = (
        "warehouse:stock:approve_adjustment",
        "approve or reject adjustments that somebody else asked for",
    )
    COUNT_PLAN = "warehouse:count:plan", "plan counts and cancel them"
    COUNT_APPROVE = "warehouse:count:approve", "decide on differences that others counted"
    SISTER_SEND = "warehouse:sister:send", "send goods to another company of ours, and turn that back"
    TRANSFER_SHIP = "warehouse:transfer:ship", "ship goods to another site"
    TRANSFER_REQUEST = "supply:transfer_order:request", "ask another site for goods, and take that back"
    TRANSFER_APPROVE = "supply:transfer_order:approve", "approve or reject what other sites ask for"
    LOCATION_CHANGE = "warehouse:location:change", "set up zones and locations"
    PURCHASE_READ = "purchasing:order:read", "see purchase orders and suppliers"
    PURCHASE_PLACE = "purchasing:order:place", "order from suppliers"
    PURCHASE_CONFIRM = "purchasing:order:confirm", "note what suppliers confirm"
    GOODS_SEND_BACK = "purchasing:return:send", "send goods back to their supplier"
    SUPPLIER_CREDIT_TAKE = "purchasing:credit:take", "enter credit notes of suppliers for goods sent back"
    DIFFERENCE_ACCEPT = "purchasing:difference:accept", "accept that a supplier credits more or less than was expected"
    PURCHASE_END = "purchasing:order:end", "cancel and close purchase orders, with a reason"
    INVOICE_READ = "billing:invoice:read", "see invoices, credit memos and receipts"
    INVOICE_DRAFT = "billing:invoice:draft", "draft invoices"
    INVOICE_AMEND = "billing:invoice:amend", "amend drafts, with a reason"
    INVOICE_UNBLOCK = "billing:invoice:unblock", "unblock invoices"
    INVOICE_POST = "billing:invoice:post", "post invoices"
    CREDIT_POST = "billing:credit_memo:post", "post credit memos"
    RECEIPT_TAKE = "billing:receipt:take", "record receipts"
    RECEIPT_APPLY = "billing:receipt:apply", "apply receipts to invoices"
    BANK_IMPORT = "billing:bank:import", "hand bank statements in"
    BANK_ACCOUNT = "billing:bank:account", "add bank accounts and say how their files are read"
    PARTNER_KEEP = "billing:partner:keep", "say who sells for us, what was agreed and how payouts are read"
    PAYOUT_IMPORT = "billing:payout:import", "hand payouts of partners in"
    PAYOUT_POST = "billing:payout:post", "match, post and reverse payouts, and set their differences against each other"
    CARRIER_BILL_TAKE = (
        "billing:carrier_bill:take",
        "hand carriers' bills in, and say which shipments their lines are about",
    )
    CARRIER_BILL_POST = (
        "billing:carrier_bill:post",
        "decide on carriers' bills that others handed in, post, refuse and reverse them",
    )
    DEBT_WRITE_OFF = "billing:debt:write_off", "write off bad debt"
    DISPUTE_WORK = "billing:dispute:work", "open disputes, hand them over and settle them"
    DISPUTE_ROUTE = "billing:dispute:route", "say whose the reasons of deductions and disputes are"
    REBATE_WRITE = "billing:rebate:write", "write rebate agreements and change their drafts"
    REBATE_AGREE = (
        "billing:rebate:agree",
        "agree to rebates that others wrote, end them, and settle above what is accrued",
    )
    REBATE_SETTLE = "billing:rebate:settle", "settle rebates by credit memo"
    DUNNING_PROPOSE = "billing:dunning:propose", "propose whom to ask for what is overdue"
    DUNNING_CONFIRM = "billing:dunning:confirm", "confirm dunning runs that others proposed"
    DUNNING_SET_UP = "billing:dunning:set_up", "write the procedures of dunning"
    COLLECTION_WORK = (
        "billing:collection:work",
        "keep promises to pay, blocks of dunning and what was said to customers",
    )
    LEDGER_READ = "ledger:entry:read", "see the ledger"
    LEDGER_POST = "ledger:entry:post", "post journals by hand"
    JOURNAL_APPROVE = "ledger:journal:approve", "approve journals that others wrote by hand"
    COSTING_CHOOSE = "ledger:costing:choose", "choose the method by which a site values its stock"
    LATE_COST_ADD = "ledger:late_cost:add", "add costs that come after the goods"
    PERIOD_CLOSE = "ledger:period:close", "close periods of the books and open them again, with a reason"

    PROGRAMME_VIEW = "governance:programme:view", "see the programme"
    PROGRAMME_MANAGE = "governance:programme:manage", "set up the programme and its decision bodies"
    TEMPLATE_VIEW = "governance:template:view", "see templates of places and what was made from them"
    TEMPLATE_WRITE = "governance:template:write", "write templates of places"
    TEMPLATE_APPLY = "governance:template:apply", "make sites, companies and channels from templates"
    SEAT_ASSIGN = "governance:seat:assign", "assign seats, which carry votes"
    SEAT_DELEGATE = "governance:seat:delegate", "name a delegate for one's seat"
    DECISION_VIEW = "governance:decision:view", "see decisions and votes"
    DECISION_DRAFT = "governance:decision:draft", "draft decisions"
    DECISION_OPEN = "governance:decision:open", "open votes and set their terms"
    DECISION_VOTE = "governance:decision:vote", "vote on the seat one holds"
    DECISION_ATTENDANCE = "governance:decision:record-attendance", "record who attends and who is recused"
    DECISION_CLOSE = "governance:decision:close", "close votes and record the outcome"
    DECISION_REVOKE = "governance:decision:revoke", "revoke a go"
    CONDITION_SETTLE = "governance:condition:settle", "settle conditions of others"
    VARIANT_VIEW = "governance:variant:view", "see the policy points and the register of variants"
    VARIANT_REQUEST = "governance:variant:request", "ask for another way than the standard, with scope, time and reason"
    VARIANT_CONSENT = "governance:variant:consent", "agree, as process owner, to a variant that somebody else asks for"
    VARIANT_DECIDE = (
        "governance:variant:decide",
        "decide on controlled variations that somebody else asked for, and revoke them",
    )
    VARIANT_DECIDE_EXCEPTION = "governance:variant:decide-exception", "decide on strategic exceptions, and revoke them"
    VARIANT_DECIDE_STANDARD = "governance:variant:decide-standard", "decide on a new standard value, and revoke it"
    APPROVAL_VIEW = "governance:approval:view", "see requests for approval and the rules behind them"
    APPROVAL_ANSWER = "governance:approval:answer", "answer requests for approval that the rules give to oneself"
    APPROVAL_DELEGATE = "governance:approval:delegate", "name somebody who answers for oneself for a while"
    APPROVAL_RULE_PROPOSE = "governance:approval_rule:propose", "propose another version of a rule of approval"
    APPROVAL_RULE_DECIDE = "governance:approval_rule:decide", "decide on rules of approval that somebody else proposed"

    PROCESS_VIEW = "governance:process:view", "see processes, their steps and their procedures"
    PROCESS_MANAGE = "governance:process:manage", "set up value streams and processes, and say who owns them"
    PROCESS_WRITE = "governance:process:write", "write versions of processes and hand them in"
    PROCESS_APPROVE = (
        "governance:process:approve",
        "approve versions of processes that somebody else wrote, and put them in force",
    )

    QUESTION_VIEW = "governance:question:view", "see design questions with their options and decisions"
    QUESTION_ASK = "governance:question:ask", "ask design questions, put them off and withdraw them"
    RACI_VIEW = "governance:raci:view", "see who answers for processes, data domains and waves"
    RACI_ASSIGN = "governance:raci:assign", "say who answers for processes, data domains and waves"
    RISK_VIEW = "governance:risk:view", "see risks, assumptions, issues and dependencies"
    RISK_RAISE = "governance:risk:raise", "raise risks, assumptions, issues and dependencies"
    RISK_WORK = "governance:risk:work", "work on entries of the RAID register that one owns"
    RISK_MANAGE = "governance:risk:manage", "work on every entry of the RAID register, whoever owns it"
    QUESTION_DECIDE = (
        "governance:question:decide",
        "decide design questions that somebody else asked, and open them again",
    )

    WAVE_VIEW = "readiness:wave:view", "see waves"
    WAVE_PLAN = "readiness:wave:plan", "plan and date waves"
    WAVE_REHEARSE = "readiness:wave:rehearse", "start and end rehearsals"
    WAVE_RUN = "readiness:wave:run", "start go-live and support, and end them"
    WAVE_ROLL_BACK = "readiness:wave:roll-back", "roll a wave back"
    GRANT_ALREADY_LIVE = "readiness:grant:record-already-live", "record what ran before the programme, with a reason"
    GRANT_OPEN = "readiness:grant:open", "open and close cells on a valid go"
    GRANT_FALLBACK = "readiness:grant:declare-fallback", "declare that a site works on paper"
    GATE_VIEW = "readiness:gate:view", "see gates, criteria and evidence"
    GATE_DEFINE = "readiness:gate:define", "define gates and criteria"
    GATE_FREEZE = "readiness:gate:freeze", "freeze criteria, and change them afterwards"
    GATE_EVALUATE = "readiness:gate:evaluate", "evaluate gates"
    ATTEST = "readiness:attestation:give", "attest what no transaction shows"
    WAIVER_REQUEST = "readiness:waiver:request", "ask for a waiver"
    WAIVER_APPROVE = "readiness:waiver:approve", "approve a waiver that somebody else asked for"
    LIMIT_SET = "readiness:limit:set", "set the limits of a site's control points, with a reason"
    MEASURE_VIEW = "readiness:measure:view", "see measures and the journeys behind them"
    BASELINE_RECORD = "readiness:baseline:record", "record what figures read before the programme"
    MEASURE_OWNER_NAME = "readiness:measure:name-owner", "name who answers for a measure"
    PACK_MAKE = "readiness:pack:make", "make and verify decision packs"
