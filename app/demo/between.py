"""The demo's time between: who masters what in each wave while the old systems still run, and over which interfaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from app.composition.interim_desk import NewInterface, change_interface, map_link, put_interface
from app.demo.desk import Desk
from app.demo.rollout import Rollout
from erpcore.kernel.work import UnitOfWork
from governance.interim.kinds import Direction, LinkKind, Master
from governance.interim.services import ChangeInterface, MapLink

_Said = Sequence[tuple[str, LinkKind, str, Master, str, str]]
_P, _D = LinkKind.PROCESS, LinkKind.DATUM
#: Wave, kind, code, who masters it, by which rule, and where that was agreed. Wave 3 has hardly begun.
_LINKS = (
    ("W1", _P, "order_to_cash", Master.OURS, "", "Design, signed by its owner"), ("W1", _P, "warehouse", Master.OURS, "", "Design, signed by its owner"),
    ("W1", _P, "returns_to_credit", Master.OURS, "", "Design, signed by its owner"),
    ("W1", _P, "record_to_report", Master.BOTH, "The core for German entities, the old books for the group.", "Auditor's letter"),
    ("W1", _D, "customers", Master.OURS, "", "Load of the second rehearsal"), ("W1", _D, "items", Master.OURS, "", "Load of the second rehearsal"),
    ("W1", _D, "prices", Master.OURS, "", "Price committee"),
    ("W1", _D, "stock", Master.BOTH, "A site's stock is mastered where the site transacts; no item of a site is promised by both.", "Count of the cut-over"),
    ("W1", _D, "open_orders", Master.OURS, "", "Open orders are moved at the cut-over"), ("W1", _D, "receivables", Master.OURS, "", "Balance agreed with the old books"),
    ("W1", _D, "ledger", Master.LEGACY, "", "Group closes in the old books until the last wave"),
    ("W2", _P, "order_to_cash", Master.OURS, "", "Design, signed by its owner"), ("W2", _P, "warehouse", Master.OURS, "", "Rehearsal in Kassel"),
    ("W2", _D, "customers", Master.OURS, "", "Since wave 1"), ("W2", _D, "items", Master.OURS, "", "Since wave 1"),
    ("W2", _D, "prices", Master.BOTH, "Swiss prices in the old system until the day of the cut-over.", "Price committee"),
    ("W2", _D, "open_orders", Master.LEGACY, "", "Moved at the cut-over"),
)  # fmt: skip
#: What the second wave says of the rest, before its gate is frozen on it.
_REST = (
    ("W2", _P, "returns_to_credit", Master.OURS, "", "Rehearsal in Pratteln"),
    ("W2", _P, "record_to_report", Master.BOTH, "The core for the Swiss company, the old books for the group.", "Auditor's letter"),
    ("W2", _D, "stock", Master.BOTH, "A site's stock is mastered where the site transacts; no item of a site is promised by both.", "Count of the rehearsal"),
    ("W2", _D, "receivables", Master.LEGACY, "", "Balance is agreed at the cut-over"),
    ("W2", _D, "ledger", Master.LEGACY, "", "Group closes in the old books until the last wave"),
)  # fmt: skip
#: Interface, who looks after it from then on, in how many days it ends, and why.
_HANDED = (
    ("Swiss price lists by file", "sales", 60, "Sales in Pratteln sends the file and checks what came of it"),
    ("Orders of Pratteln for the rehearsal", "data", 75, "Needed until the cut-over"),
)  # fmt: skip
#: Wave, kind and code of the link, name, direction, how often, who looks after it, in how many days it ends, and what follows.
_INTERFACES = (
    ("W1", _D, "ledger", "Journals to the group's books", Direction.TO_LEGACY, "each night", "finance", 200, "The group closes in the core."),
    ("W1", _D, "stock", "Stock of German sites to the old planning", Direction.TO_LEGACY, "each hour", "operations", 90, "Planning reads the core."),
    ("W2", _D, "prices", "Swiss price lists by file", Direction.TO_US, "on Fridays, by hand", "", 90, "Prices are kept in the core."),
    ("W2", _D, "open_orders", "Orders of Pratteln for the rehearsal", Direction.TO_US, "before each rehearsal", "data", 10, "Orders are typed in the core."),
)  # fmt: skip


@dataclass
class Between:
    """What the office says of the time between."""

    desk: Desk
    rollout: Rollout
    interfaces: dict[str, int] = field(default_factory=dict)

    def say(self) -> None:
        """Masters first, then the interfaces that hang on them."""
        today, staff = self.desk.clock.now().date(), self.desk.staff
        with self.desk.work(staff["pmo"], "live", "screen") as work:
            links = self._map(work, _LINKS)
            for wave, kind, code, name, direction, often, who, ends, after in _INTERFACES:
                self.interfaces[name] = put_interface(
                    work,
                    NewInterface(
                        link_id=links[wave, kind, code], name=name, direction=direction, frequency=often,
                        owner=staff.ids[who] if who else None, ends_on=today + timedelta(days=ends), when_it_stops=after,
                    ),
                ).id  # fmt: skip

    def settle(self) -> None:
        """Wave 2 says the rest, and somebody looks after each of its interfaces; wave 3 has said nothing yet."""
        today, staff = self.desk.clock.now().date(), self.desk.staff
        with self.desk.work(staff["pmo"], "live", "screen") as work:
            self._map(work, _REST)
            for name, who, ends, why in _HANDED:
                command = ChangeInterface(
                    interface_id=self.interfaces[name],
                    owner=staff.ids[who],
                    ends_on=today + timedelta(days=ends),
                    reason=why,
                )
                change_interface(work, command)

    def _map(self, work: UnitOfWork, said: _Said) -> dict[tuple[str, LinkKind, str], int]:
        links = {}
        for wave, kind, code, master, rule, evidence in said:
            command = MapLink(
                wave_id=self.rollout.waves[wave], kind=kind, code=code, master=master, rule=rule, evidence=evidence
            )
            links[wave, kind, code] = map_link(work, command).id
        return links
