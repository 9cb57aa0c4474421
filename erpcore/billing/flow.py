"""The life of an invoice as a table."""

from __future__ import annotations

from erpcore.billing.models import InvoiceState as S
from erpcore.kernel.flow import Flow, Move

INVOICE = Flow(
    "invoice",
    S,
    S.DRAFT,
    (
        Move(name="block", sources=(S.DRAFT,), target=S.BLOCKED, permission="billing:invoice:draft", reason_required=True,
             event="invoice.blocked"),
        Move(name="unblock", sources=(S.BLOCKED,), target=S.DRAFT, permission="billing:invoice:unblock",
             reason_required=True, event="invoice.unblocked"),
        Move(name="recheck", sources=(S.BLOCKED,), target=S.DRAFT, permission="billing:invoice:draft",
             event="invoice.unblocked"),
        Move(name="amend", sources=(S.DRAFT,), target=S.DRAFT, permission="billing:invoice:amend", reason_required=True),
        Move(name="mend", sources=(S.BLOCKED,), target=S.DRAFT, permission="billing:invoice:amend", reason_required=True),
        Move(name="post", sources=(S.DRAFT,), target=S.POSTED, permission="billing:invoice:post", event="invoice.posted"),
    ),
)  # fmt: skip
