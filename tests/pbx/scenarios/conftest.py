"""The main round as a fixture: placed once for all the tests that look at what came of it."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from asterisk_consent.calls.session import ESCAPE_MARGIN_S
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import announcement_of, wait_for_ends
from tests.pbx.scenarios.main_round import main_round
from tests.pbx.scenarios.round import Round, play_round
from tests.pbx.settings import SERVICE_UID

FIRST_DIGIT_S = 5.0
"""As the policy of the development numbers says."""


@pytest.fixture(scope="session")
def three_escapes_s(running_pbx: DevelopmentPbx) -> float:
    """Three times the escape time-out of the development numbers, and a little more."""
    return 3 * (announcement_of(running_pbx.settings).whole_s + FIRST_DIGIT_S + ESCAPE_MARGIN_S) + 1.0


@pytest.fixture(scope="session")
def asked(running_pbx: DevelopmentPbx, three_escapes_s: float) -> Round:
    """The main round, played to its end."""
    return play_round(running_pbx, main_round(three_escapes_s))


@pytest.fixture(scope="session", autouse=True)
def everything_fits(running_pbx: DevelopmentPbx) -> Iterator[None]:
    """After all scenarios, faults included: every recording has its end, and ledger and files agree."""
    yield
    wait_for_ends(running_pbx.settings)
    running_pbx.consent("ledger", "verify")
    running_pbx.consent("recordings", "verify")


@pytest.fixture
def exports(pbx: DevelopmentPbx) -> Iterator[Path]:
    """A directory that the service's user may write exports to."""
    directory = pbx.settings.home / "exports"
    directory.mkdir(exist_ok=True)
    os.chown(directory, SERVICE_UID, SERVICE_UID)
    yield directory
    for file in directory.iterdir():
        file.unlink()
    directory.rmdir()


@pytest.fixture
def call_listed(pbx: DevelopmentPbx) -> Callable[[str], dict[str, object]]:
    """Find a call in ``calls list --json`` by its recording."""

    def find(recording_id: str) -> dict[str, object]:
        listed = json.loads(pbx.consent("calls", "list", "--json"))
        return next(row for row in listed if (row["recording"] or {}).get("id") == recording_id)

    return find
