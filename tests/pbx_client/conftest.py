"""Peers for the tests of the clients."""

from collections.abc import AsyncIterator

import pytest

from tests.pbx_client.fake_ami import FakeAmi, fake_ami
from tests.pbx_client.fake_ari import FakeAri, fake_ari


@pytest.fixture
async def ami_peer() -> AsyncIterator[FakeAmi]:
    async with fake_ami() as peer:
        yield peer


@pytest.fixture
async def ari_peer() -> AsyncIterator[FakeAri]:
    async with fake_ari() as peer:
        yield peer
