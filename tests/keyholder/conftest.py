"""An installation of a few calls, and a key holder that answers for it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from asterisk_consent.keyholder.listening import listen
from asterisk_consent.keyholder.server import Holdings, KeyHolder
from tests.keyholder.place import Place

NOBODY = 65534
"""A group that nobody here is in; root may ask all the same."""


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    found = Place(tmp_path)
    found.make()
    await found.fill()
    return found


def key_holder(place: Place, *, per_minute: int = 1000, within_s: float = 5.0) -> KeyHolder:
    """One that is not started."""
    holdings = Holdings(places=place.places, identities=place.identities)
    return KeyHolder(holdings, group=NOBODY, per_minute=per_minute, within_s=within_s)


@pytest.fixture
async def socket(place: Place) -> AsyncIterator[Path]:
    """The socket of one that answers."""
    path = place.root / "socket"
    holder = key_holder(place)
    await holder.start(listen(path, NOBODY))
    yield path
    await holder.close()
