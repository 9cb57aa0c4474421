"""What each wave of the demo has to show: criteria of its gates, with marks as a committee would set them."""

from __future__ import annotations

from decimal import Decimal

from app.demo.plan import DemoOptions
from readiness.gates.criteria import Basis, Evidence, Layer
from readiness.gates.specs import Cells, CriterionSpec, Grain

_HOUR, _DAY = 3600, 86_400
_OWN, _THERE, _LIVE, _SAID = Evidence.OWN_REHEARSAL, Evidence.REFERENCE, Evidence.OWN_LIVE, Evidence.ATTESTATION


class Criteria:
    """Criteria for one size of world: a smaller one has fewer documents to count."""

    def __init__(self, options: DemoOptions) -> None:
        self._size = options.orders / 3600 * 10 / options.weeks

    def _least(self, documents: int) -> int:
        return documents if documents == 1 else max(3, round(documents * self._size))

    def _measured(
        self, code: str, title: str, measure: str, pass_mark: str | int, warn_mark: str | int, weight: int, evidence: Evidence, *,
        window: int | None = None, documents: int = 1, days: int = 1, key: bool = False, bound: bool = False,
        grain: Grain | None = None, cells: Cells = (), owner: str = "", layer: Layer | None = None, dimension: str | None = None,
    ) -> CriterionSpec:  # fmt: skip
        return CriterionSpec(
            code=code, title=title, measure=measure, evidence=evidence, pass_mark=Decimal(pass_mark),
            warn_mark=Decimal(warn_mark), weight=Decimal(weight), window_days=window, min_documents=self._least(documents),
            min_days=days, key=key, basis=Basis.BOUND if bound else Basis.VALUE, grain=grain, cells=cells, owner=owner,
            layer=layer, dimension=dimension,
        )  # fmt: skip

    def _attested(
        self, code: str, title: str, weight: int, layer: Layer, owner: tuple[str, int], *, key: bool = False
    ) -> CriterionSpec:
        return CriterionSpec(
            code=code, title=title, measure=None, evidence=_SAID, weight=Decimal(weight), key=key, owner=owner[0],
            owner_id=owner[1], layer=layer,
        )  # fmt: skip

    def first_entry(
        self, stocked: Cells, direct: Cells, people: dict[str, tuple[str, int]]
    ) -> tuple[CriterionSpec, ...]:
        """Wave 1: there is nothing live to refer to, so its own rehearsal carries the weight."""
        one = self._measured
        return (
            one("fill", "Lines filled at first shipment", "fill_rate_lines", "0.92", "0.85", 10, _OWN, window=10, documents=50,
                cells=stocked, grain="all"),
            one("otif", "On time in full", "otif_lines", "0.86", "0.70", 10, _OWN, window=10, documents=50, cells=stocked,
                grain="all"),
            one("direct", "Direct deliveries on time", "otif_lines", "0.85", "0.70", 4, _OWN, window=10, documents=4,
                cells=direct, grain="all", dimension="drop_ship/delivery"),
            one("invoices", "Invoices right at posting", "invoice_right_at_posting", "0.92", "0.85", 10, _OWN, window=10,
                documents=40, cells=stocked, grain="all"),
            one("touchless", "Orders without a hand", "touchless_rate", "0.85", "0.75", 6, _OWN, window=10, documents=40,
                cells=stocked, grain="all"),
            one("billing", "Invoice after its trigger, nine of ten", "billing_cycle_time.p90", 24 * _HOUR, 48 * _HOUR, 5, _OWN,
                window=10, documents=40, cells=stocked, grain="all"),
            one("silent", "Documents beyond their limit", "silent_failures", 3, 8, 6, _OWN, cells=stocked, grain="all",
                layer=Layer.DEPLOYMENT),
            self._attested("trained", "People certified for their roles", 8, Layer.ADOPTION, people["deployment"]),
            self._attested("fallback", "Paper fallback tried on a Saturday", 5, Layer.DEPLOYMENT, people["dui.lead"]),
            self._attested("opening", "Opening stock counted and signed", 8, Layer.DATA, people["data"], key=True),
        )  # fmt: skip

    def stay_live(self, cells: Cells, people: dict[str, tuple[str, int]]) -> tuple[CriterionSpec, ...]:
        """Wave 1 while it is supported."""
        one = self._measured
        return (
            one("otif", "On time in full", "otif_lines", "0.90", "0.82", 10, _LIVE, cells=cells, grain="all", documents=100),
            one("fill", "Lines filled at first shipment", "fill_rate_lines", "0.94", "0.90", 8, _LIVE, cells=cells, grain="all",
                documents=100),
            one("invoices", "Invoices right at posting", "invoice_right_at_posting", "0.93", "0.88", 10, _LIVE, cells=cells,
                grain="all", documents=100, key=True),
            one("returns", "Credit after a return, nine of ten", "return_credit_time.p90", 5 * _DAY, 8 * _DAY, 5, _LIVE,
                cells=cells, grain="all", documents=8),
            one("adjusted", "Stock adjusted", "inventory_adjustment_rate", "0.01", "0.02", 6, _LIVE, cells=cells, grain="all"),
            one("backlog", "Age of the backlog, nine of ten", "backlog_age.p90", 8 * _DAY, 14 * _DAY, 5, _LIVE, cells=cells,
                grain="all", documents=100),
            one("backorders", "Age of backorders, nine of ten", "backorder_age.p90", 7 * _DAY, 14 * _DAY, 4, _LIVE, cells=cells,
                grain="all"),
            one("silent", "Documents beyond their limit", "silent_failures", 12, 30, 6, _LIVE, cells=cells, grain="all",
                layer=Layer.DEPLOYMENT),
            one("books", "Controls that disagree", "control_difference", 0, 0, 8, _LIVE, cells=cells, grain="all",
                layer=Layer.DATA),
            self._attested("support", "Support keeps its promised hours", 4, Layer.ADOPTION, people["deployment"]),
        )  # fmt: skip

    def next_entry(self, reference: Cells, people: dict[str, tuple[str, int]]) -> tuple[CriterionSpec, ...]:
        """Waves 2 and 3: what wave 1 shows live, what their own rehearsal shows, and what people attest."""
        one = self._measured
        return (
            one("ref_otif", "Duisburg live: on time in full", "otif_lines", "0.88", "0.82", 8, _THERE, window=28, documents=300,
                days=10, cells=reference, grain="all", bound=True),
            one("ref_perfect", "Duisburg live: perfect orders", "perfect_order_rate", "0.85", "0.70", 5, _THERE, window=14,
                documents=100, cells=reference, grain="all"),
            one("ref_returns", "Duisburg live: credit after a return, nine of ten", "return_credit_time.p90", 5 * _DAY, 8 * _DAY,
                4, _THERE, documents=15, cells=reference, grain="all"),
            one("ref_adjusted", "Duisburg live: stock adjusted", "inventory_adjustment_rate", "0.008", "0.015", 4, _THERE,
                cells=reference, grain="all"),
            one("ref_books", "Duisburg live: controls that disagree", "control_difference", 0, 0, 6, _THERE, cells=reference,
                grain="all", layer=Layer.DATA, key=True),
            one("fill", "Lines filled at first shipment", "fill_rate_lines", "0.84", "0.72", 10, _OWN, documents=80, days=5,
                grain="site", key=True),
            one("otif", "On time in full", "otif_lines", "0.95", "0.70", 8, _OWN, documents=80, grain="site"),
            one("promises", "Promises kept", "promise_accuracy", "0.93", "0.90", 6, _OWN, documents=80, grain="site"),
            one("touchless", "Orders without a hand", "touchless_rate", "0.90", "0.80", 6, _OWN, documents=60, grain="site"),
            one("exceptions", "Orders with an exception", "order_exception_rate", "0.15", "0.25", 5, _OWN, documents=60,
                grain="site"),
            one("invoices", "Invoices right at posting", "invoice_right_at_posting", "0.91", "0.87", 10, _OWN, documents=60,
                days=5, grain="site", key=True),
            one("billing", "Invoice after its trigger, nine of ten", "billing_cycle_time.p90", 24 * _HOUR, 48 * _HOUR, 5, _OWN,
                documents=60, grain="site"),
            one("returns", "Credit after a return, nine of ten", "return_credit_time.p90", 5 * _DAY, 8 * _DAY, 4, _OWN,
                documents=8, grain="all"),
            one("adjusted", "Stock adjusted", "inventory_adjustment_rate", "0.02", "0.04", 4, _OWN, grain="site"),
            one("silent", "Documents beyond their limit", "silent_failures", 4, 10, 5, _OWN, grain="all", layer=Layer.DEPLOYMENT),
            one("interim", "Interim links open", "interim_links_open", 0, 0, 5, _OWN, grain="all", key=True),
            self._attested("trained", "People certified for their roles", 8, Layer.ADOPTION, people["trained"]),
            self._attested("cutover", "Cut-over rehearsed with a way back", 6, Layer.DEPLOYMENT, people["cutover"], key=True),
        )  # fmt: skip
