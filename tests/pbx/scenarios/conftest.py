"""The rounds of calls as fixtures: placed once for all the tests that look at what came of them."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from asterisk_consent.calls.ways_out import ESCAPE_MARGIN_S
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import announcement_of, wait_for_ends
from tests.pbx.scenarios.main_round import main_round
from tests.pbx.scenarios.policy_round import OFF_CALLS, PolicyRound, policies_of, policy_round
from tests.pbx.scenarios.reloading import Reloading
from tests.pbx.scenarios.round import Round, play_round
from tests.pbx.settings import SERVICE_UID

pytest.register_assert_rewrite("tests.pbx.scenarios.proof")

FIRST_DIGIT_S = 5.0
"""As the policy of the development numbers says."""
POLICIES_START_S = 14.0
"""When the callers of the main round are all listening; those of the policies have left before its last ones answer."""
RELOADING_STARTS_S = 16.0
"""Nobody of the policies' round begins under a policy after it was changed, or hears a sound after it was spoilt."""


@pytest.fixture(scope="session")
def three_escapes_s(running_pbx: DevelopmentPbx) -> float:
    """Three times the escape time-out of the development numbers, and a little more."""
    return 3 * (announcement_of(running_pbx.settings).whole_s + FIRST_DIGIT_S + ESCAPE_MARGIN_S) + 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """What was played side by side."""

    main: Round
    policies: PolicyRound
    reloading: Reloading


@pytest.fixture(scope="session")
def rounds(
    request: pytest.FixtureRequest, running_pbx: DevelopmentPbx, three_escapes_s: float
) -> Iterator[Rounds]:
    """The rounds that the tests of this session look at, side by side, played to their end."""
    wanted = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    parts = main_round(three_escapes_s) if "asked" in wanted else {}
    policies_start_s = POLICIES_START_S if parts else 0.0
    parts |= policy_round(policies_start_s) if "policy_calls" in wanted else {}
    reloading = Reloading(running_pbx, policies_start_s + RELOADING_STARTS_S if parts else 0.0)
    counted_before = running_pbx.asterisk.global_number(OFF_CALLS)
    with reloading.prepared() if "reloaded" in wanted else nullcontext():
        beside = [reloading.beside] if "reloaded" in wanted else []
        played = play_round(running_pbx, parts, beside=beside)
        reloading.entries = played.entries
        policies = policies_of(running_pbx, played, counted_before)
        yield Rounds(main=played, policies=policies, reloading=reloading)


@pytest.fixture(scope="session")
def asked(rounds: Rounds) -> Round:
    """The main round."""
    return rounds.main


@pytest.fixture(scope="session")
def policy_calls(rounds: Rounds) -> PolicyRound:
    """The round of the policies."""
    return rounds.policies


@pytest.fixture(scope="session")
def reloaded(rounds: Rounds) -> Reloading:
    """What became of calls while policies were reloaded.

    :raises Exception: what that failed with.
    """
    if rounds.reloading.failure is not None:
        raise rounds.reloading.failure
    return rounds.reloading


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
