"""Where the demo's customers are: invented doors in real towns, the same in every run."""

from __future__ import annotations

from erpcore.masterdata.addresses import AddressContent

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
