"""The running development PBX as a fixture, and the faults that tests do to the service.

Rule: what was up before the tests stays up after them; each test finds the service running and answering,
whatever the one before did to it.
"""

from collections.abc import Iterator

import pytest

from tests.pbx.development import DevelopmentPbx
from tests.pbx.service import Service
from tests.pbx.settings import Settings

DEFAULT_AGENT = "Local/agent@simulated-agent"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the PBX, so that ``-m 'not pbx'`` leaves it out."""
    for item in items:
        if "running_pbx" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.pbx)


@pytest.fixture(scope="session")
def running_pbx() -> Iterator[DevelopmentPbx]:
    """The PBX, up for the whole session."""
    found = DevelopmentPbx.of(Settings.from_environment())
    was_up = found.is_up()
    try:
        found.up(_say)
        yield found
    finally:
        if not was_up:
            found.down(_say)


@pytest.fixture
def pbx(running_pbx: DevelopmentPbx) -> Iterator[DevelopmentPbx]:
    """The PBX with the simulated agent; whatever a test did to Asterisk or named as the agent is undone."""
    yield running_pbx
    if not running_pbx.is_up():
        running_pbx.up(_say)
    running_pbx.answer_with(DEFAULT_AGENT)


@pytest.fixture
def service(pbx: DevelopmentPbx) -> Iterator[Service]:
    """The service of the PBX, for tests that stop, kill or freeze it; it runs again after each."""
    yield pbx.service
    pbx.service.thaw()
    if pbx.service.is_running():
        pbx.service.await_asking()
    else:
        pbx.service.start()


def _say(text: str) -> None:
    print(text, flush=True)
