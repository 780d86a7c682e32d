"""Private keys that lie somewhere in the clear, and whether they open something."""

import re
from itertools import chain
from pathlib import Path

from asterisk_consent.errors import KeysError
from asterisk_consent.vault.age import Identity, unseal

SECRET = re.compile(rb"AGE-SECRET-KEY-1[0-9A-Z]{58}")


def secrets_in(*places: Path) -> list[Identity]:
    """Every private key that lies in the clear in a file at or below the places."""
    files = [file for place in places for file in place.rglob("*") if file.is_file()]
    found = chain.from_iterable(SECRET.findall(file.read_bytes()) for file in files)
    return [Identity.read(each.decode()) for each in found]


def opens(identity: Identity, sealed: bytes) -> bool:
    """Tell whether an identity opens what was sealed."""
    try:
        unseal(sealed, [identity])
    except KeysError:
        return False
    return True
