"""Which country is meant? Names as people write them, and the codes of ISO 3166-1 by which documents tell them to others."""

from __future__ import annotations

import unicodedata
from functools import cache

from babel import Locale

#: Two letters that CLDR has a name for, though they are no country of ISO 3166-1.
_NO_COUNTRY = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB XK ZZ".split())
#: The languages in which a name is understood; the first is the one in which it is shown.
_LANGUAGES = ("en", "de", "fr", "it", "es", "nl", "pl")
#: Names in use that CLDR does not have.
_ALSO = {
    "great britain": "GB", "uk": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB", "usa": "US",
    "united states of america": "US", "czech republic": "CZ", "turkey": "TR", "holland": "NL", "the netherlands": "NL",
    "republic of ireland": "IE", "eire": "IE", "slovak republic": "SK", "macedonia": "MK",
}  # fmt: skip


@cache
def country_names() -> dict[str, str]:
    """The English name of each country by its code, by name."""
    names = Locale(_LANGUAGES[0]).territories
    own = {code: str(name) for code, name in names.items() if len(code) == 2 and code.isalpha()}
    return dict(
        sorted(((code, name) for code, name in own.items() if code not in _NO_COUNTRY), key=lambda one: _plain(one[1]))
    )


def country_code(name: str) -> str | None:
    """The code of a country by its name in one of several languages, or by the code itself; ``None``: no such country."""
    said = name.strip()
    if said.upper() in country_names():
        return said.upper()
    return _by_name().get(_plain(said))


def country_name(code: str) -> str:
    """The English name of a code; the code where it has none."""
    return country_names().get(code, code)


@cache
def _by_name() -> dict[str, str]:
    found: dict[str, str] = {}
    for language in reversed(_LANGUAGES):
        territories = Locale(language).territories
        found |= {_plain(str(territories[code])): code for code in country_names() if code in territories}
    return found | _ALSO


def _plain(name: str) -> str:
    """Without case, accents and dots, so that “Österreich” and “OSTERREICH” are one."""
    spread = unicodedata.normalize("NFKD", name.casefold())
    return " ".join("".join(one for one in spread if not unicodedata.combining(one)).replace(".", "").split())
