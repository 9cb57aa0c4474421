"""All tables of the product: importing this module fills the metadata that migrations are compared with."""

from __future__ import annotations

from app.composition import (
    cases,
    digests,
    dunning_letters,
    imports,
    jobruns,
    letters,
    orderfiles,
    proofs,
    reminders,
    saved_views,
)
from app.identity import models as identity
from erpcore.billing import bank_models as bank
from erpcore.billing import models as billing
from erpcore.billing import paying
from erpcore.billing.accruals import models as accruals
from erpcore.billing.collecting import models as collecting
from erpcore.billing.disputes import models as disputes
from erpcore.billing.dunning import models as dunning
from erpcore.billing.freight import models as freight
from erpcore.billing.rebates import models as rebates
from erpcore.billing.settling import models as settling
from erpcore.credit import models as credit
from erpcore.fulfilment import models as fulfilment
from erpcore.fulfilment.branch import models as branch
from erpcore.fulfilment.carriers import models as carriers
from erpcore.fulfilment.floor import models as floor
from erpcore.fulfilment.packing import models as packing
from erpcore.fulfilment.sending_back import models as sending_back
from erpcore.inventory import cost_models as costing
from erpcore.inventory import documents
from erpcore.inventory import models as inventory
from erpcore.inventory.sisters import models as sisters
from erpcore.kernel import audit, events, history, ids, numbering, requests
from erpcore.kernel.model import Base
from erpcore.ledger import models as ledger
from erpcore.ledger.closing import models as closing
from erpcore.masterdata import addresses
from erpcore.masterdata import company_address as company_addresses
from erpcore.masterdata import models as masterdata
from erpcore.masterdata import rate_models as rates
from erpcore.masterdata import tax_models as taxes
from erpcore.orders import allocation_models as allocation
from erpcore.orders import models as orders
from erpcore.orders.quotes import models as quotes
from erpcore.pricing import models as pricing
from erpcore.purchasing import models as purchasing
from governance.approvals import models as approvals
from governance.decisions import models as decisions
from governance.interim import models as interim
from governance.processes import models as processes
from governance.programme import models as programme
from governance.questions import models as questions
from governance.raci import models as raci
from governance.replays import models as replays
from governance.risks import models as risks
from governance.roadmap import models as roadmap
from governance.templates import models as templates
from governance.variants import models as variants
from readiness.conformance import models as conformance
from readiness.gates import models as gates
from readiness.measures import models as measures
from readiness.waves import models as waves

__all__ = [
    "Base",
    "accruals",
    "addresses",
    "allocation",
    "approvals",
    "audit",
    "bank",
    "billing",
    "branch",
    "carriers",
    "cases",
    "closing",
    "collecting",
    "company_addresses",
    "conformance",
    "costing",
    "credit",
    "decisions",
    "digests",
    "disputes",
    "documents",
    "dunning",
    "dunning_letters",
    "events",
    "floor",
    "freight",
    "fulfilment",
    "gates",
    "history",
    "identity",
    "ids",
    "imports",
    "interim",
    "inventory",
    "jobruns",
    "ledger",
    "letters",
    "masterdata",
    "measures",
    "numbering",
    "orderfiles",
    "orders",
    "packing",
    "paying",
    "pricing",
    "processes",
    "programme",
    "proofs",
    "purchasing",
    "questions",
    "quotes",
    "raci",
    "rates",
    "rebates",
    "reminders",
    "replays",
    "requests",
    "risks",
    "roadmap",
    "saved_views",
    "sending_back",
    "settling",
    "sisters",
    "taxes",
    "templates",
    "variants",
    "waves",
]
