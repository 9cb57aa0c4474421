"""What do most waves have to show? Criteria to start from; a programme keeps its own versions beside these."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from erpcore.kernel.work import UnitOfWork
from readiness.gates.criteria import Basis, Evidence, Layer, Phase
from readiness.gates.services import SaveTemplate, save_template
from readiness.gates.specs import CriterionSpec

_HOUR: Final = 3600
_DAY: Final = 86400


def _measured(
    code: str, title: str, measure: str, pass_mark: str, warn_mark: str | None, weight: int, *,
    evidence: Evidence, key: bool = False, basis: Basis = Basis.VALUE, documents: int = 1, days: int = 1,
    layer: Layer | None = None,
) -> CriterionSpec:  # fmt: skip
    return CriterionSpec(
        code=code, title=title, measure=measure, evidence=evidence, pass_mark=Decimal(pass_mark),
        warn_mark=None if warn_mark is None else Decimal(warn_mark), weight=Decimal(weight), key=key, basis=basis,
        min_documents=documents, min_days=days, layer=layer,
    )  # fmt: skip


_OWN, _REFERENCE, _LIVE = Evidence.OWN_REHEARSAL, Evidence.REFERENCE, Evidence.OWN_LIVE

#: Before going live: the wave's own rehearsal, what reference cells show live, and what people attest.
ENTRY: Final = SaveTemplate(
    code="entry", name="Entry to go-live", phase=Phase.ENTRY, waiver_body="pmo",
    criteria=(
        _measured("invoices_right", "Invoices right at posting", "invoice_right_at_posting", "0.97", "0.94", 10,
                  evidence=_OWN, key=True, documents=30, days=3),
        _measured("promises_kept", "Promises kept", "promise_accuracy", "0.95", "0.90", 8, evidence=_OWN, documents=30),
        _measured("fill_rate", "Lines filled at first shipment", "fill_rate_lines", "0.95", "0.90", 8, evidence=_OWN,
                  documents=30),
        _measured("touchless", "Orders without a hand", "touchless_rate", "0.70", "0.60", 5, evidence=_OWN, documents=30),
        _measured("exceptions", "Orders with an exception", "order_exception_rate", "0.15", "0.25", 5, evidence=_OWN,
                  documents=30),
        _measured("billing_time", "Invoice after its trigger", "billing_cycle_time.p90", str(24 * _HOUR), str(48 * _HOUR), 5,
                  evidence=_OWN, documents=30, layer=Layer.DEPLOYMENT),
        _measured("books_agree", "Books that disagree", "control_difference", "0", None, 8, evidence=_OWN, key=True,
                  layer=Layer.DATA),
        _measured("silent", "Documents beyond their limit", "silent_failures_per_1000", "0.02", "0.05", 4, evidence=_OWN,
                  layer=Layer.DEPLOYMENT),
        _measured("interim_links", "Interim links open", "interim_links_open", "0", None, 5, evidence=_OWN, key=True),
        _measured("reference_otif", "On time in full where it runs", "otif_lines", "0.93", "0.88", 8, evidence=_REFERENCE,
                  basis=Basis.BOUND, documents=50, days=5),
        _measured("reference_invoices", "Invoices right where it runs", "invoice_right_at_posting", "0.97", "0.94", 8,
                  evidence=_REFERENCE, basis=Basis.BOUND, documents=50, days=5),
        _measured("reference_stock", "Stock adjusted where it runs", "inventory_adjustment_rate", "0.01", "0.02", 4,
                  evidence=_REFERENCE, layer=Layer.DATA),
        CriterionSpec(code="tax_opinion", title="Electronic invoice and archive", measure=None, weight=Decimal(3),
                      evidence=Evidence.ATTESTATION, statutory=True, owner="Tax and audit", layer=Layer.DEPLOYMENT),
        CriterionSpec(code="people_trained", title="People certified for their roles", measure=None, weight=Decimal(6),
                      evidence=Evidence.ATTESTATION, owner="Change and enablement", layer=Layer.ADOPTION),
        CriterionSpec(code="fallback_ready", title="Paper fallback tried", measure=None, weight=Decimal(4),
                      evidence=Evidence.ATTESTATION, owner="Deployment lead", layer=Layer.DEPLOYMENT),
    ),
)  # fmt: skip

#: While live: what must not slip, read from the wave's own cells.
STAY_LIVE: Final = SaveTemplate(
    code="stay_live", name="Stay live", phase=Phase.STAY_LIVE, waiver_body="pmo",
    criteria=(
        _measured("invoices_right", "Invoices right at posting", "invoice_right_at_posting", "0.95", "0.90", 10, evidence=_LIVE,
                  documents=20),
        _measured("otif", "On time in full", "otif_lines", "0.90", "0.80", 10, evidence=_LIVE, documents=20),
        _measured("books_agree", "Books that disagree", "control_difference", "0", None, 8, evidence=_LIVE, layer=Layer.DATA),
        _measured("silent", "Documents beyond their limit", "silent_failures_per_1000", "0.03", "0.08", 6, evidence=_LIVE,
                  layer=Layer.DEPLOYMENT),
        _measured("backlog", "Age of the backlog", "backlog_age.p90", str(3 * _DAY), str(6 * _DAY), 6, evidence=_LIVE),
    ),
)  # fmt: skip

#: Out of hypercare: the same figures, proven, and support no longer needed.
EXIT: Final = SaveTemplate(
    code="exit", name="Exit from hypercare", phase=Phase.EXIT, waiver_body="pmo",
    criteria=(
        _measured("invoices_right", "Invoices right at posting", "invoice_right_at_posting", "0.97", "0.95", 10, evidence=_LIVE,
                  key=True, documents=50, days=5),
        _measured("otif", "On time in full", "otif_lines", "0.93", "0.88", 10, evidence=_LIVE, basis=Basis.BOUND, documents=50,
                  days=5),
        _measured("fill_rate", "Lines filled at first shipment", "fill_rate_lines", "0.95", "0.90", 8, evidence=_LIVE,
                  documents=50),
        _measured("cycle_time", "Order cycle time", "order_cycle_time.p90", str(3 * _DAY), str(5 * _DAY), 6, evidence=_LIVE,
                  documents=50),
        _measured("return_credit", "Credit after a return", "return_credit_time.p90", str(5 * _DAY), str(10 * _DAY), 4,
                  evidence=_LIVE, documents=5),
        _measured("adjustments", "Stock adjusted", "inventory_adjustment_rate", "0.01", "0.02", 6, evidence=_LIVE,
                  layer=Layer.DATA),
        _measured("books_agree", "Books that disagree", "control_difference", "0", None, 8, evidence=_LIVE, key=True,
                  layer=Layer.DATA),
        _measured("silent", "Documents beyond their limit", "silent_failures_per_1000", "0.015", "0.03", 6, evidence=_LIVE,
                  layer=Layer.DEPLOYMENT),
        _measured("interim_links", "Interim links open", "interim_links_open", "0", None, 5, evidence=_LIVE, key=True),
        CriterionSpec(code="support_handed_over", title="Support handed over", measure=None, weight=Decimal(4),
                      evidence=Evidence.ATTESTATION, owner="Deployment lead", layer=Layer.ADOPTION),
    ),
)  # fmt: skip

STANDARD: Final = (ENTRY, STAY_LIVE, EXIT)


def save_standard_templates(work: UnitOfWork) -> None:
    """Keep the standard templates as this programme's first, or next, versions."""
    for template in STANDARD:
        save_template(work, template)
