"""Terms that do not run out by themselves, and requests that nobody carries out."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from asterisk_consent.doctor.finding import Level
from asterisk_consent.doctor.promises import promise_findings
from tests.doctor.levels import only, those
from tests.rights.kept_calls import KeptCalls, withdrawal


@pytest.fixture
async def kept(tmp_path: Path) -> KeptCalls:
    kept = await KeptCalls.begin(tmp_path, "p1-nl")
    kept.trust_the_clock()
    return kept


def now(kept: KeptCalls, later: timedelta = timedelta()) -> datetime:
    return datetime.fromtimestamp(kept.clock.now, UTC) + later


def test_where_all_is_carried_out_nothing_is_red(kept: KeptCalls) -> None:
    kept.requests.carry_out(kept.requests.enter(withdrawal(), kept.recorded(1)))
    findings = list(promise_findings(kept.place.config, now=now(kept, timedelta(hours=2))))
    assert those(findings, Level.ERROR) == []


def test_a_clock_in_doubt_is_red_since_nothing_is_erased_then(kept: KeptCalls) -> None:
    found = only(
        those(promise_findings(kept.place.config, now=now(kept, timedelta(days=3))), Level.ERROR), Level.ERROR
    )
    assert "nothing is erased by itself" in found.what
    assert "--clock-is-right" in found.remedy


def test_a_request_that_nobody_carries_out_is_red_after_an_hour(kept: KeptCalls) -> None:
    kept.requests.enter(withdrawal(), kept.recorded(1))
    config = kept.place.config
    assert those(promise_findings(config, now=now(kept, timedelta(minutes=59))), Level.ERROR) == []
    (late,) = those(promise_findings(config, now=now(kept, timedelta(minutes=61))), Level.ERROR)
    assert "1 request of people not carried out" in late.what


def test_one_that_waits_for_somebody_to_be_identified_is_not_late(kept: KeptCalls) -> None:
    kept.requests.enter(withdrawal(identified_by=""), kept.recorded(1))
    assert those(promise_findings(kept.place.config, now=now(kept, timedelta(hours=24))), Level.ERROR) == []
