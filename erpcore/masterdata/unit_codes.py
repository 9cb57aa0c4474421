"""By which code of UN/ECE Recommendation 20 (with the packages of 21, after an X) do documents tell a unit to others?"""

from __future__ import annotations

#: Codes with the words that people write for them; a unit may be kept as the code itself.
_CODES = {
    "H87": "pc pcs piece pieces ea each st stk stück stuck", "C62": "one unit units", "PR": "pair pairs paar", "SET": "set sets satz",
    "DZN": "dozen doz dz", "CEN": "hundred", "MIL": "thousand tsd", "KGM": "kg kilogram kilo", "GRM": "g gram", "MGM": "mg",
    "TNE": "t ton tonne tonnes", "LBR": "lb lbs pound", "ONZ": "oz ounce", "MTR": "m metre meter", "CMT": "cm", "MMT": "mm", "KMT": "km",
    "LM": "lm rm lfm", "INH": "in inch", "FOT": "ft foot feet", "YRD": "yd yard", "MTK": "m2 m² sqm qm", "CMK": "cm2 cm²", "MMK": "mm2 mm²",
    "FTK": "ft2 ft² sqft", "MTQ": "m3 m³ cbm", "CMQ": "cm3 cm³ ccm", "LTR": "l litre liter", "MLT": "ml", "CLT": "cl", "DLT": "dl", "HLT": "hl",
    "GLI": "gal", "HUR": "h hr hour hours std", "MIN": "min minute minutes", "SEC": "s sec", "DAY": "d day days tag", "WEE": "week weeks",
    "MON": "month months", "ANN": "year years", "KWH": "kwh", "MWH": "mwh", "LS": "ls flat lump pausch", "P1": "% percent",
    "XBG": "bag bags beutel", "XSA": "sack sacks", "XBX": "box boxes", "XCT": "ctn carton cartons karton", "XPK": "pack package packages pkg pk",
    "XPA": "packet packets", "XPX": "pal pallet pallets palette", "XRO": "roll rolls rolle", "XCX": "can cans tin tins dose", "XBO": "bottle bottles",
    "XBJ": "bucket buckets eimer", "XDR": "drum drums", "XTU": "tube tubes", "XCR": "crate crates", "XCS": "case cases", "XBE": "bundle bundles bund",
    "XBA": "barrel barrels", "XJR": "jar jars", "XCN": "container containers", "XPC": "parcel parcels", "XRL": "reel reels", "XCL": "coil coils",
    "XSH": "sachet sachets", "XST": "sheet sheets", "XTY": "tank tanks",
}  # fmt: skip
_BY_WORD = {word: code for code, words in _CODES.items() for word in words.split()}


def unit_code(unit: str) -> str | None:
    """The code of a unit as items keep it, by a word for it or by the code itself; ``None``: documents cannot tell it."""
    said = unit.strip()
    if said.upper() in _CODES:
        return said.upper()
    return _BY_WORD.get(said.casefold().rstrip("."))
