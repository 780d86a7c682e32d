"""A ledger file of its own for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from asterisk_consent.ledger import Ledger
from tests.ledger.entries import decision, open_ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
async def ledger(path: Path) -> AsyncIterator[Ledger]:
    opened = await open_ledger(path)
    yield opened
    await opened.close()


@pytest.fixture
async def filled(path: Path) -> Path:
    ledger = await open_ledger(path)
    for number in range(3):
        await ledger.append(decision(number))
    await ledger.close()
    return path
