"""Where the demo's customers are: invented doors in real towns, the same in every run."""

from __future__ import annotations

from datetime import date

from erpcore.kernel.work import UnitOfWork
from erpcore.masterdata.addresses import AddressContent
from erpcore.masterdata.company_address import CompanyAddress, TellAddress, tell_address

_TOWNS = {
    "Germany": (("47051", "Duisburg"), ("50667", "Köln"), ("34117", "Kassel"), ("44135", "Dortmund"), ("40213", "Düsseldorf")),
    "Switzerland": (("4133", "Pratteln"), ("4051", "Basel"), ("8004", "Zürich"), ("3011", "Bern")),
    "United Kingdom": (("LS1 4AP", "Leeds"), ("BD1 1HU", "Bradford"), ("S1 2HH", "Sheffield"), ("YO1 7HH", "York")),
    "Austria": (("6900", "Bregenz"), ("5020", "Salzburg")),
    "Liechtenstein": (("9490", "Vaduz"), ("9494", "Schaan")),
    "Ireland": (("D01 F5P2", "Dublin"), ("T12 W8KP", "Cork")),
}  # fmt: skip
_STREETS = {
    "United Kingdom": ("Canal Road", "Station Road", "Mill Lane", "Albert Street"),
    "Ireland": ("Quay Street", "Mill Road"),
}
_OTHERWISE = ("Industriestraße", "Hafenstraße", "Bahnhofstraße", "Mühlenweg")


def address_of(name: str, country: str, number: int) -> AddressContent:
    """The door of a customer of this name, in one of the countries that the demo trades with."""
    towns = _TOWNS[country]
    code, city = towns[number % len(towns)]
    streets = _STREETS.get(country, _OTHERWISE)
    house = 1 + number * 7 % 118
    street = streets[number % len(streets)]
    door = f"{house} {street}" if country in _STREETS else f"{street} {house}"
    return AddressContent(code="main", name=name, street=door, postal_code=code, city=city, country=country)


#: Where the demo's companies are registered, by country.
_SEATS = {
    "Germany": CompanyAddress(
        name="Aldenhoff Baubedarf GmbH", street="Ruhrorter Straße 112", postal_code="47059", city="Duisburg", country="DE",
        register_number="HRB 24117 Duisburg",
    ),
    "Switzerland": CompanyAddress(
        name="Aldenhoff Baubedarf AG", street="Salinenstrasse 61", postal_code="4133", city="Pratteln", country="CH",
        register_number="CHE-123.456.788",
    ),
    "United Kingdom": CompanyAddress(
        name="Aldenhoff Building Supplies Ltd", street="18 Pontefract Lane", postal_code="LS9 0DX", city="Leeds", country="GB",
        register_number="Company number 04117226",
    ),
}  # fmt: skip


def seat_a_company(work: UnitOfWork, entity: int, country: str, since: date) -> None:
    """The registered address of the demo's company in a country."""
    tell_address(
        work, TellAddress(entity=entity, address=_SEATS[country], valid_from=since, reason="As registered, at set-up")
    )
