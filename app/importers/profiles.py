"""What does a file mean? A profile: columns, formats, kinds of document, charges, and the business the file belongs to.

Profiles are TOML; those in ``profiles/`` come with the product, any other is named by its path.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfoNotFoundError

import msgspec

from erpcore.kernel.canonical import fingerprint
from erpcore.kernel.clock import zone
from erpcore.kernel.errors import RuleBroken

SHIPPED = Path(__file__).parent / "profiles"


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the profile; an unknown key is a mistake and refused."""


class FileSpec(Part, frozen=True):
    """How the file is written. ``nothing``: the words that stand for an empty cell; ``ignore``: columns that are not read."""

    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str | None = None
    nothing: tuple[str, ...] = ("",)
    ignore: tuple[str, ...] = ()


class Columns(Part, frozen=True):
    """Which column holds what. ``at``: the first of these that is a date says when the document was taken down."""

    document: str
    item: str
    quantity: str
    at: tuple[str, ...]
    item_name: str | None = None
    price: str | None = None
    amount: str | None = None
    customer: str | None = None
    customer_name: str | None = None
    country: str | None = None
    promised: str | None = None
    delivered: str | None = None
    shipment: str | None = None
    supply: str | None = None
    freight: str | None = None
    weight: str | None = None
    insurance: str | None = None


class Formats(Part, frozen=True):
    """``dates`` by column, ``*`` for the others, as in strptime; ``whole_number_codes`` are read without a trailing ``.0``."""

    dates: dict[str, str]
    decimal_mark: str = "."
    thousands_mark: str = ""
    whole_number_codes: tuple[Literal["customer", "item", "document"], ...] = ()


class Kind(Part, frozen=True):
    """Documents whose key begins with ``prefix`` post as this."""

    prefix: str
    posts: Literal["sale", "return", "debt"]


class SaleRules(Part, frozen=True):
    """What lines without a price are on a sale, beside free lines."""

    adjust_negative_at_price_zero: bool = False
    adjust_unnamed_at_price_zero: bool = False


class Charges(Part, frozen=True):
    """Item codes that are charged without stock behind them."""

    codes: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()


class Supply(Part, frozen=True):
    """Words of the supply column: what leaves from the supplier, and what from the site."""

    drop_ship: tuple[str, ...] = ()
    stock: tuple[str, ...] = ()


class EntitySpec(Part, frozen=True):
    code: str
    name: str
    country: str
    currency: str
    time_zone: str


class SiteSpec(Part, frozen=True):
    code: str
    name: str
    kind: Literal["distribution_centre", "branch", "store", "third_party", "drop_ship"]


class Named(Part, frozen=True):
    code: str
    name: str


class Terms(Part, frozen=True):
    """What was promised and agreed. ``tax_rate`` is a share ("0.20"); "0" where the file says nothing of tax."""

    basis: Literal["ship", "delivery"] = "ship"
    lead_days: int = 0
    payment_days: int = 30
    tax_rate: str = "0"


class Live(Part, frozen=True):
    """Why this business runs without a go of its own; recorded with its grant."""

    reason: str


class Limits(Part, frozen=True):
    """Beyond these a quantity (units) or price is taken for a slip of the keyboard; a document has at most ``lines``."""

    quantity: int = 1_000_000
    price: int = 1_000_000
    quantity_places: int = 0
    lines: int = 2_000


class Profile(Part, frozen=True):
    """A whole profile. ``totals`` names the report that ``wavegate totals`` prints for it."""

    name: str
    title: str
    columns: Columns
    formats: Formats
    entity: EntitySpec
    site: SiteSpec
    channel: Named
    unknown_customer: Named
    live: Live
    totals: Literal["sales", "deliveries"] = "sales"
    file: FileSpec = FileSpec()
    keep: dict[str, str] = {}
    kinds: tuple[Kind, ...] = ()
    sale: SaleRules = SaleRules()
    charges: Charges = Charges()
    supply: Supply = Supply()
    terms: Terms = Terms()
    limits: Limits = Limits()

    @property
    def digest(self) -> str:
        """Names this content of the profile: SHA-256 over its canonical JSON."""
        return fingerprint(msgspec.to_builtins(self))

    def kind_of(self, key: str) -> str:
        """What a document with this key posts as."""
        return next((kind.posts for kind in self.kinds if key.startswith(kind.prefix)), "sale")

    def is_charge(self, code: str) -> bool:
        """Whether the item has no stock behind it."""
        return code in self.charges.codes or any(code.startswith(prefix) for prefix in self.charges.prefixes)

    def date_format(self, column: str) -> str:
        """How days are written in a column."""
        return self.formats.dates.get(column) or self.formats.dates.get("*", "%Y-%m-%d")


def shipped() -> list[str]:
    """Names of the profiles that come with the product."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def choices() -> list[tuple[str, str]]:
    """Those profiles: name, and what it is for."""
    return [(name, load(name).title) for name in shipped()]


def load(name: str) -> Profile:
    """The profile of that name, or the one in the file of that path. Raises ``RuleBroken`` saying what is wrong with it."""
    path = SHIPPED / f"{name}.toml" if name in shipped() else Path(name)
    if not path.is_file():
        raise RuleBroken("profile_unknown", field="profile", profile=name, known=shipped())
    try:
        return parse(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise RuleBroken("profile_invalid", field="profile", profile=name, why=str(error)) from error


def parse(text: str) -> Profile:
    """A profile out of its TOML text."""
    try:
        profile = msgspec.convert(tomllib.loads(text), Profile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise RuleBroken("profile_invalid", field="profile", profile="", why=str(error)) from error
    for why in _mistakes(profile):
        raise RuleBroken("profile_invalid", field="profile", profile=profile.name, why=why)
    return profile


def _mistakes(profile: Profile) -> Iterator[str]:
    """What no file could be read by, or no business kept by, each in words."""
    columns, formats = profile.columns, profile.formats
    if columns.price is None and columns.amount is None:
        yield "neither price nor amount has a column"
    if not columns.at:
        yield "columns.at names no column, so no document would have a date"
    try:
        codecs.lookup(profile.file.encoding)
    except LookupError:
        yield f"“{profile.file.encoding}” is no encoding; write utf-8, latin-1, cp1252 …"
    if len(profile.file.delimiter) != 1 or profile.file.delimiter in '"\r\n':
        yield f"the delimiter “{profile.file.delimiter}” is not one character that separates cells"
    if not formats.decimal_mark or formats.decimal_mark == formats.thousands_mark:
        yield "the decimal mark is empty or the same as the thousands mark"
    for column, how in formats.dates.items():
        if not _writes_a_day(how):
            yield f"the dates of “{column}” are written as “{how}”, which does not give day, month and year"
    yield from _mistakes_of_the_business(profile)


def _mistakes_of_the_business(profile: Profile) -> Iterator[str]:
    terms = profile.terms
    try:
        zone(profile.entity.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield f"“{profile.entity.time_zone}” is no time zone; write a name such as Europe/London"
    if not re.fullmatch("[A-Z]{3}", profile.entity.currency):
        yield f"“{profile.entity.currency}” is no currency; write its three letters, such as GBP"
    if not re.fullmatch(r"0(\.\d{1,6})?|1(\.0{1,6})?", terms.tax_rate):
        yield f"the tax rate “{terms.tax_rate}” is no share from 0 to 1, such as 0.20"
    if terms.lead_days < 0 or terms.payment_days < 0:
        yield "a number of days in the terms is below zero"
    if min(profile.limits.quantity, profile.limits.price, profile.limits.lines) < 1:
        yield "a limit is below one, so nothing could pass it"


def _writes_a_day(how: str) -> bool:
    """Whether a day written like this can be read back."""
    day = datetime(2023, 11, 28)  # noqa: DTZ001 - a sample, of no zone
    try:
        return datetime.strptime(day.strftime(how), how).date() == day.date()  # noqa: DTZ007 - the same sample
    except ValueError:
        return False
