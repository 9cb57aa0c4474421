"""Is this the person's password, and is a new one good enough? Argon2id; nothing here touches the database.

A hash takes a tenth of a second and 64 MiB on purpose, so it is never made inside a unit of work.
"""

from __future__ import annotations

import secrets
import unicodedata
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.config import PasswordCost
from erpcore.kernel.errors import RuleBroken

#: Length is what makes a password hard to guess (NIST SP 800-63B-4, 3.1.1); no rules about kinds of characters.
LEAST_LENGTH = 12
#: Argon2 takes any length; a page-long password is an attack on our memory.
MOST_LENGTH = 256
#: Parts that attackers try first; a password that is little more than one of them is refused.
_OBVIOUS = (
    "password",
    "passwort",
    "wavegate",
    "qwerty",
    "qwertz",
    "azerty",
    "letmein",
    "welcome",
    "123456",
    "abcdef",
    "admin",
)


@lru_cache(maxsize=4)
def _hasher(cost: PasswordCost) -> PasswordHasher:
    return PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes)


@lru_cache(maxsize=4)
def _decoy(cost: PasswordCost) -> str:
    """A hash of a password nobody has: verifying against it takes as long as against a real one."""
    return _hasher(cost).hash(secrets.token_urlsafe(32))


def _normal(password: str) -> str:
    # The same letters typed on another keyboard give the same bytes.
    return unicodedata.normalize("NFKC", password)


def hash_password(password: str, cost: PasswordCost) -> str:
    """What is stored instead of the password."""
    return _hasher(cost).hash(_normal(password))


def password_matches(password: str, stored: str | None, cost: PasswordCost) -> bool:
    """Whether this is the password behind ``stored``. Takes the same time when there is none, so that the answer does not
    tell which names exist.
    """
    if len(password) > MOST_LENGTH:
        return False
    try:
        _hasher(cost).verify(stored or _decoy(cost), _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def check_new_password(password: str, *, sign_in: str, name: str) -> None:
    """Raise ``RuleBroken`` with what is missing: length, variety, or distance from what everybody would try."""
    plain = _normal(password)
    if len(plain) < LEAST_LENGTH:
        raise RuleBroken("password_short", field="password", least=LEAST_LENGTH)
    if len(plain) > MOST_LENGTH:
        raise RuleBroken("password_long", field="password", most=MOST_LENGTH)
    low = plain.casefold()
    if len(set(low)) < 5:
        raise RuleBroken("password_repeats", field="password")
    known = {*_OBVIOUS, *(part for part in (*sign_in.casefold().split("@"), *name.casefold().split()) if len(part) > 3)}
    for part in known:
        if len(low.replace(part, "")) < LEAST_LENGTH - 4 and part in low:
            raise RuleBroken("password_obvious", field="password", part=part)
