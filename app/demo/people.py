"""Who works on the demo's rollout: a person for every role, site staff where orders are handled, and the seats they hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from app.composition.uow import Database, unit_of_work
from app.config import PasswordCost
from app.demo.world import World
from app.identity.passwords import hash_password
from app.identity.services import CreateUser, GrantRole, create_user, grant_role
from app.security.roles import Role, permissions_of
from erpcore.kernel.actor import Actor
from erpcore.kernel.clock import Clock
from erpcore.masterdata.models import Realm

#: A demo on loopback has some forty passwords to make and guards nothing: Argon2id at a fraction of the usual cost.
_CHEAP = PasswordCost(passes=1, memory_kib=8_192, lanes=1)


class Person(NamedTuple):
    """Sign-in, name, role, and the site the role is for (all sites when empty)."""

    sign_in: str
    name: str
    role: Role
    site: str = ""


PEOPLE = (
    Person("sponsor", "Friederike Aldenhoff", Role.SPONSOR),
    Person("operations", "Marius Tillner", Role.STEERING_MEMBER),
    Person("sales", "Odile Brenneke", Role.STEERING_MEMBER),
    Person("technology", "Ravi Sandersen", Role.STEERING_MEMBER),
    Person("finance", "Hanne Voskamp", Role.FINANCE),
    Person("process", "Tomasz Wielgus", Role.PROCESS_OWNER),
    Person("process.billing", "Ilse Marquandt", Role.PROCESS_OWNER),
    Person("pmo", "Nadia Castellan", Role.PMO),
    Person("deployment", "Jonas Feldkirch", Role.DEPLOYMENT_LEAD),
    Person("data", "Mireille Oberson", Role.DATA_OWNER),
    Person("auditor", "Gwen Ashcombe", Role.AUDITOR),
    Person("admin", "Piet Hallmann", Role.ADMINISTRATOR),
    Person("superuser", "Selma Dietz", Role.SUPER_USER, "DUI"),
    Person("superuser.kol", "Berit Overkamp", Role.SUPER_USER, "KOL"),
    Person("billing", "Karsten Lohe", Role.BILLING),
    Person("billing.two", "Amelie Trost", Role.BILLING),
    Person("collections", "Yvonne Harkness", Role.COLLECTIONS),
    Person("design", "Aurel Brandis", Role.DESIGN_AUTHORITY),
    Person("buyer", "Henning Lachmund", Role.BUYER),
)
_STAFF: dict[str, tuple[str, str, str, str, str, str]] = {
    "DUI": ("Bernd Aukamp", "Lena Prohaska", "Osman Teke", "Ute Siebold", "Ralf Konnert", "Dragan Miloš"),
    "KOL": ("Sabine Rothkegel", "Timo Esser", "Nele Gruber", "Volker Hamm", "Aylin Kaya", "Paul Winand"),
    "KAS": ("Georg Allmers", "Maren Toft", "Jessy Lindner", "Holger Bast", "Ewa Nowicka", "Sven Tiede"),
    "PRA": ("Claudine Zbinden", "Reto Imfeld", "Noemi Gasser", "Urs Bärfuss", "Flavia Conti", "Beat Rüegsegger"),
    "LDS": ("Gareth Plumley", "Chloe Bassett", "Imran Saddiq", "Neil Crowther", "Joanne Tetley", "Kyle Armitage"),
}
_STAFF_ROLES = (
    ("lead", Role.SITE_LEAD),
    ("desk", Role.CUSTOMER_SERVICE),
    ("desk.two", Role.CUSTOMER_SERVICE),
    ("supervisor", Role.WAREHOUSE_SUPERVISOR),
    ("warehouse", Role.WAREHOUSE_OPERATOR),
    ("warehouse.two", Role.WAREHOUSE_OPERATOR),
)


@dataclass
class Staff:
    """Everybody, as actors of units of work; site staff by site code."""

    ids: dict[str, int] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)
    signs: list[Person] = field(default_factory=list)

    def __getitem__(self, sign_in: str) -> Actor:
        return self.actors[sign_in]

    def at(self, site: str, duty: str) -> Actor:
        """The person with this duty at a site; a supplier's works have none of ours, so its messages act there."""
        return self.actors.get(f"{site.lower()}.{duty}") or Actor.system("supplier")


def hire(database: Database, world: World, clock: Clock, password: str) -> Staff:
    """Open all accounts with one password and give everybody the one role that their work needs."""
    staff = Staff()
    everybody = list(PEOPLE)
    for site, names in _STAFF.items():
        everybody += [
            Person(f"{site.lower()}.{duty}", name, role, site)
            for (duty, role), name in zip(_STAFF_ROLES, names, strict=True)
        ]
    hashes = [hash_password(password, _CHEAP) for _ in everybody]
    with unit_of_work(database, actor=Actor.system("demo"), clock=clock) as work:
        for person, hashed in zip(everybody, hashes, strict=True):
            live = world.nodes[Realm.LIVE, person.site] if person.site else None
            account = create_user(
                work,
                CreateUser(
                    sign_in=person.sign_in, name=person.name, email=f"{person.sign_in}@aldenhoff.example", password_hash=hashed,
                    time_zone=live.zone if live else "Europe/Berlin",
                ),
            )  # fmt: skip
            work.session.flush()
            grant_role(
                work,
                GrantRole(
                    account=account.id,
                    role=person.role,
                    site=live.id if live else None,
                    reason="Works on the rollout of the Aldenhoff group",
                ),
            )
            twin = world.nodes.get((Realm.REHEARSAL, person.site))
            staff.ids[person.sign_in] = account.id
            staff.actors[person.sign_in] = Actor(
                id=account.id, role=person.role, permissions=permissions_of(person.role),
                sites=frozenset({live.id, *({twin.id} if twin else ())}) if live else None,
            )  # fmt: skip
    staff.signs = everybody
    return staff


def one_per_role() -> list[Person]:
    """A sign-in for each role, in the order of the roles."""
    found = {person.role: person for person in reversed(PEOPLE)}
    for (duty, role), name in zip(_STAFF_ROLES, _STAFF["DUI"], strict=True):
        found.setdefault(role, Person(f"dui.{duty}", name, role, "DUI"))
    return [found[role] for role in Role]
