"""The howto from P1 to a policy of one's own, done as it is written, and the calls that it ends with."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from asterisk_consent.ledger import approvals
from asterisk_consent.model import Outcome
from asterisk_consent.vault.recipients import recipients_path
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.round import Round, play_round
from tests.pbx.scenarios.scripts import Part, agree_in_question, refuse_in_information
from tests.pbx.settings import PROJECT

PAGE = PROJECT / "docs/howto/own-policy.md"
NUMBER = "1050"
POLICY = "winkel"
CONTROLLER = "winkel-bv"


def typed() -> str:
    """What the page tells to type, in its order."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 9
    return "\n".join(blocks)


@pytest.fixture(scope="module")
def done(running_pbx: DevelopmentPbx) -> Iterator[str]:
    """Everything on the page, typed in one shell; what it printed. Undone afterwards."""
    settings = running_pbx.settings
    extensions = settings.root / "etc/asterisk/extensions.conf"
    before = extensions.read_bytes()
    # What an earlier run recorded stays sealed to keys that are still there.
    recipients_path(CONTROLLER, settings.keys).unlink(missing_ok=True)
    try:
        result = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", typed().replace(".pbx/", f"{settings.home}/")],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        running_pbx.service.reload()  # waits for it, as a reader does without noticing
        yield result.stdout
    finally:
        (settings.policies / f"{POLICY}.toml").unlink(missing_ok=True)
        extensions.write_bytes(before)
        running_pbx.asterisk.console("dialplan reload")
        running_pbx.service.reload()


@pytest.fixture(scope="module")
def called(done: str, running_pbx: DevelopmentPbx) -> Round:
    """Two calls to the number that the page wires."""
    return play_round(
        running_pbx,
        {
            "agreed": Part(script=agree_in_question, dialled=NUMBER),
            "refused": Part(script=refuse_in_information, dialled=NUMBER),
        },
    )


def test_the_check_ends_without_an_error_and_the_try_with_what_a_call_comes_to(done: str) -> None:
    assert done.count("no error") == 2
    assert "outcome         given, by digit 1" in done
    assert "outcome         refused, by digit 2" in done
    assert "quality: granted" in done


def test_both_versions_are_approved_with_their_own_words(done: str, running_pbx: DevelopmentPbx) -> None:
    rows = approvals(running_pbx.settings.data / "ledger.sqlite", POLICY)
    assert [row.policy_version for row in rows] == [1, 2]
    for row, days in zip(rows, (30, 60), strict=True):
        assert row.approval is not None
        (announcement,) = row.approval.announcements
        information = dict(announcement.parts)["information"]
        assert information.startswith("Goedendag, u belt met Winkel BV.")
        assert f"{days} dagen" in information


def test_the_page_to_publish_is_written(done: str, running_pbx: DevelopmentPbx) -> None:
    (page,) = Path(running_pbx.settings.home / "winkel").glob("*.html")
    assert "Winkel BV" in page.read_text(encoding="utf-8")


def test_the_number_asks_under_the_second_version(called: Round) -> None:
    for name, outcome in (("agreed", Outcome.GIVEN), ("refused", Outcome.REFUSED)):
        call = called[name]
        assert call.decision.outcome is outcome
        assert (call.header.policy, call.header.policy_version) == (POLICY, 2)
    assert called["agreed"].decision.purposes == ("quality",)
