"""What the distributor sells and to whom: families of building supplies, and the parts that customers' names are made of."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import NamedTuple

from erpcore.masterdata.models import ItemKind


class Family(NamedTuple):
    """Items that differ in one size. ``cost`` is that of the smallest; each next one costs a seventh of it more."""

    code: str
    name: str
    sizes: tuple[str, ...]
    cost: str
    unit: str = "pc"
    group: str = "Fittings"


class Article(NamedTuple):
    """An item as the catalogue has it, before an entity carries it. ``weight`` is its share of all lines."""

    code: str
    name: str
    kind: ItemKind
    unit: str
    group: str
    cost: Decimal
    abc: str
    weight: float
    is_tile: bool


_MM = ("12", "15", "18", "22", "28", "35", "42", "54")
_INCH = ("3/8", "1/2", "3/4", "1", "1 1/4", "1 1/2", "2")
_THICK = ("20", "40", "60", "80", "100", "120", "140", "160", "200")
_FORMATS = ("20 × 20", "30 × 30", "30 × 60", "45 × 45", "60 × 60", "60 × 120", "80 × 80", "100 × 100", "120 × 120")
_SHADES = ("white", "grey", "anthracite", "beige", "sand", "graphite", "jasmine", "bahama", "silver")

FAMILIES = (
    Family("CU", "Copper pipe {} mm, 5 m", _MM, "14.20", group="Pipes"),
    Family("PX", "Composite pipe {} mm, 50 m", ("16", "18", "20", "25", "26", "32", "40"), "38.00", group="Pipes"),
    Family("DN", "Drain pipe DN {}, 2 m", ("40", "50", "70", "90", "100", "125", "150", "200"), "4.80", group="Pipes"),
    Family("PE", "Press elbow 90° {} mm", _MM, "2.10"),
    Family("PT", "Press tee {} mm", _MM, "3.40"),
    Family("PC", "Press coupling {} mm", _MM, "1.60"),
    Family("DB", "Drain bend 45° DN {}", ("40", "50", "70", "90", "100", "125", "150", "200"), "1.30"),
    Family("BV", "Ball valve {} in", _INCH, "6.90", group="Valves"),
    Family("CV", "Check valve {} in", _INCH, "8.40", group="Valves"),
    Family("SV", "Radiator valve {} in", ("3/8", "1/2", "3/4"), "9.80", group="Valves"),
    Family("GB", "Gypsum board {} mm, 2 m²", ("9.5", "12.5", "15", "18", "20", "25"), "4.10", group="Dry construction"),
    Family("MS", "Metal stud {} mm, 2.75 m", ("50", "75", "100", "125", "150"), "3.30", group="Dry construction"),
    Family("MT", "Metal track {} mm, 4 m", ("50", "75", "100", "125", "150"), "4.20", group="Dry construction"),
    Family("MW", "Mineral wool {} mm, pack", _THICK, "16.50", "pack", "Insulation"),
    Family("EP", "EPS board {} mm, pack", _THICK, "13.80", "pack", "Insulation"),
    Family("WF", "Wood fibre board {} mm, pack", ("40", "60", "80", "100", "120", "140"), "29.00", "pack", "Insulation"),
    Family("TA", "Tile adhesive C{}, 25 kg", ("1 T", "2 T", "2 TE", "2 TE S1", "2 FT"), "8.70", "bag", "Mortars"),
    Family("GR", "Grout {}, 5 kg", _SHADES, "6.20", "bag", "Mortars"),
    Family("CE", "Cement CEM {}, 25 kg", ("I 42.5", "I 52.5", "II 32.5", "II 42.5", "III 32.5"), "3.60", "bag", "Mortars"),
    Family("PL", "Plaster {}, 30 kg", ("gypsum", "lime", "lime cement", "clay", "machine", "finish"), "5.40", "bag", "Mortars"),
    Family("SC", "Screws {} mm, 500", ("3.5 × 25", "3.5 × 35", "3.5 × 45", "4 × 40", "4 × 60", "5 × 60", "5 × 80", "6 × 100"),
           "5.90", "box", "Fixings"),
    Family("AN", "Wall plugs {} mm, 100", ("5", "6", "8", "10", "12", "14", "16"), "3.10", "box", "Fixings"),
    Family("AB", "Through bolts M{}, 25", ("6", "8", "10", "12", "16", "20"), "11.00", "box", "Fixings"),
    Family("WC", "Installation cable {} mm², 100 m", ("3 × 1.5", "3 × 2.5", "5 × 1.5", "5 × 2.5", "5 × 4", "5 × 6"), "46.00",
           "roll", "Electrical"),
    Family("CO", "Conduit {} mm, 50 m", ("16", "20", "25", "32", "40", "50"), "14.90", "roll", "Electrical"),
    Family("JB", "Junction box {}", ("60 mm", "60 mm deep", "85 mm", "100 mm", "IP 44", "IP 65"), "0.80", group="Electrical"),
    Family("PA", "Interior paint {}, 10 l", _SHADES, "31.00", "can", "Paint"),
    Family("SE", "Sealant {}, 310 ml", _SHADES, "3.40", "can", "Paint"),
    Family("RM", "Roof membrane {} g/m², 75 m²", ("110", "130", "150", "170", "200", "230"), "62.00", "roll", "Roof"),
    Family("GU", "Gutter {} mm, 3 m", ("200", "250", "280", "333", "400"), "12.40", group="Roof"),
    Family("DP", "Downpipe {} mm, 3 m", ("60", "76", "80", "87", "100", "120"), "13.10", group="Roof"),
    Family("FT", "Floor tile {} cm, box", _FORMATS, "18.00", "box", "Tiles"),
    Family("WT", "Wall tile {} cm, box", _FORMATS, "15.00", "box", "Tiles"),
    Family("PV", "Paving slab {} cm", _FORMATS, "7.50", group="Tiles"),
)  # fmt: skip

#: A fifth of the items make two thirds of the lines.
_CLASSES = (("A", 0.2, 0.66), ("B", 0.3, 0.24), ("C", 0.5, 0.10))

_WHO = {
    "Germany": (("Haustechnik", "Bauausführung", "Trockenbau", "Sanitär", "Dachbau", "Fliesenhof", "Ausbau"), "GmbH"),
    "Austria": (("Installationen", "Trockenbau", "Bau"), "GesmbH"),
    "Switzerland": (("Sanitär", "Gipserei", "Bauunternehmung", "Haustechnik", "Bedachungen"), "AG"),
    "Liechtenstein": (("Haustechnik", "Bau"), "Anstalt"),
    "United Kingdom": (("Plumbing", "Drylining", "Builders", "Roofing", "Interiors", "Heating"), "Ltd"),
    "Ireland": (("Contracting", "Heating"), "Limited"),
}
_PLACES = {
    "Germany": ("Ostervald", "Brennhofen", "Kaltenried", "Mittelach", "Rungsfelde", "Wesselau", "Tiefenohl", "Hagenbrück",
                "Lünsiek", "Quermoor", "Sandkamp", "Immerath-Süd"),
    "Austria": ("Sankt Evern", "Obertraunach", "Pölzing"),
    "Switzerland": ("Hinterwiler", "Rothenmatt", "Seenried", "Aarfelden", "Gipfigen", "Munzach-Dorf"),
    "Liechtenstein": ("Vadutsch", "Planknen"),
    "United Kingdom": ("Aldersley", "Thornwick", "Marbeck", "Cattershall", "Ringwold", "Haverleigh", "Ormsby Cross"),
    "Ireland": ("Ballymorra", "Knocklane"),
}  # fmt: skip


def articles(random: Random) -> list[Article]:
    """The whole assortment with costs, ABC class and share of demand, in the order of its codes."""
    found = [
        (family, number, size, _cost(family, number)) for family in FAMILIES for number, size in enumerate(family.sizes)
    ]
    ranks = list(range(len(found)))
    random.shuffle(ranks)
    bounds = _bounds(len(found))
    out = []
    for (family, number, size, cost), rank in zip(found, ranks, strict=True):
        abc, share = next((abc, share) for abc, last, share in bounds if rank < last)
        out.append(
            Article(
                code=f"{family.code}-{number + 1:02d}", name=family.name.format(size), kind=ItemKind.STOCK, unit=family.unit,
                group=family.group, cost=cost, abc=abc, weight=share, is_tile=family.group == "Tiles",
            )
        )  # fmt: skip
    return out


def _cost(family: Family, number: int) -> Decimal:
    first = Decimal(family.cost)
    return (first + first * number / 7).quantize(Decimal("0.01"))


def _bounds(count: int) -> list[tuple[str, int, float]]:
    """Class, first rank behind it, and the share of demand of each of its items."""
    out = []
    last = 0
    for abc, part, demand in _CLASSES:
        size = round(count * part) if abc != "C" else count - last
        last += size
        out.append((abc, last, demand / size))
    return out


def company(random: Random, country: str, taken: set[str]) -> str:
    """The name of a customer that nobody has yet."""
    trades, form = _WHO[country]
    while True:
        name = f"{random.choice(trades)} {random.choice(_PLACES[country])} {form}"
        if name in taken:
            name = name.replace(f" {form}", f" {random.choice('ABDEGHKMRS')}. {form}")
        if name not in taken:
            taken.add(name)
            return name
