"""What a call of the policies proves: what its caller heard, what its agent heard, what was kept of it.

Rule: sound is measured, not inferred from what the service says it played; files are searched byte by byte.
"""

from collections.abc import Iterable
from itertools import pairwise

import pytest

from asterisk_consent.ledger import Kind
from tests.pbx import sound
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import Announcement, files_holding
from tests.pbx.scenarios.exchange import AGENT_HZ, BEFORE_HZ, CALLER_HZ
from tests.pbx.scenarios.recorded import from_vault
from tests.pbx.scenarios.round import Played
from tests.pbx.spoken import Spoken, spoken

FOLLOWS_S = 0.15
"""What lies between two sounds that are played one after the other."""
TONES_HZ = {True: 880, False: 440}
"""What the agent hears at pick-up: recorded or not."""
TONES_S = 0.35
_CLICK_S = 0.05
"""Shorter than any tone: the edge of one, or what a stalled phone makes of a sound."""
_TONE_GAP_S = 0.02


def heard(
    call: Played, part: str, announcement: Announcement | None = None, until: float | None = None
) -> Spoken:
    """Find a part in what the caller heard; of the announcement that the caller was given unless told."""
    given = announcement or call.caller.announcement
    received = call.caller.call.stream.received_in_step
    if until is not None:
        received = received.between(received.started_at, until)
    return spoken(received, given.sound(part))


def assert_the_entry_names_what_was_heard(call: Played, *parts: str) -> None:
    """Assert that the entry's digest is that of the announcement of which these parts were heard in full, in order."""
    given, header = call.caller.announcement.spoken, call.header
    assert (header.language, header.announcement) == (given.language, given.digest)
    found = [heard(call, parts[0])]
    for part in parts[1:]:
        # What was played more than once is looked for where it must follow.
        found.append(heard(call, part, until=found[-1].ended_at + given_s(call, part) + 1.0))
    assert [(part, each.share) for part, each in zip(parts, found, strict=True)] == [
        (part, 1.0) for part in parts
    ]
    assert call.caller.call.answered_at - FOLLOWS_S <= found[0].began_at
    for before, after in pairwise(found):
        assert after.began_at == pytest.approx(before.ended_at, abs=FOLLOWS_S)


def given_s(call: Played, part: str) -> float:
    """How long the part lasts."""
    return call.caller.announcement.part_s(part)


def assert_recorded(call: Played, purposes: Iterable[str]) -> None:
    """Assert that the call is recorded for exactly these purposes, its number kept."""
    decision = call.decision
    assert decision.purposes == tuple(purposes)
    assert call.end[0] is Kind.RECORDING_VERIFIED
    assert decision.caller == call.caller.number
    assert f"{decision.recording_id}-caller" in call.caller.recorders
    assert decision.played_ms >= decision.information_ms


def assert_holds_the_conversation_only(pbx: DevelopmentPbx, call: Played) -> None:
    """Assert that the recording is what was said while both were connected, each side apart, and nothing else."""
    recorded = from_vault(pbx, str(call.decision.recording_id))
    assert min(recorded.apart_db()) >= 40
    assert recorded.impure_s() == pytest.approx((0, 0), abs=0.15)
    assert sound.tone_db(recorded.caller, recorded.rate, BEFORE_HZ) < -55
    for hz in TONES_HZ.values():
        spans = sound.tone_spans(recorded.agent, recorded.rate, hz, purity_db=3.0)
        assert max((end - start for start, end in spans), default=0.0) < _CLICK_S
    # A phone that a busy machine stalls sends nothing for a while, and nothing is recorded of that.
    assert recorded.duration_s == pytest.approx(connected_s(call), abs=0.5)


def connected_s(call: Played) -> float:
    """How long the agent heard the caller."""
    assert call.caller.agent is not None
    return call.caller.call.ended_at - first_heard_at(call)


def first_heard_at(call: Played) -> float:
    """When the agent first heard the caller."""
    assert call.caller.agent is not None
    received = call.caller.agent.received
    return received.started_at + sound.tone_spans(received.samples, received.rate, CALLER_HZ)[0][0]


def assert_nothing_is_kept(pbx: DevelopmentPbx, call: Played) -> None:
    """Assert that the entry names no recording and nobody, and that the number is in no file."""
    decision = call.decision
    assert (decision.recording_id, decision.caller, decision.caller_name) == (None, None, None)
    assert decision.purposes == ()
    assert_the_number_is_nowhere(pbx, call)


def assert_the_number_is_nowhere(pbx: DevelopmentPbx, call: Played) -> None:
    """Assert that the number is in no file of ours."""
    settings = pbx.settings
    number = call.caller.number.removeprefix("+44").encode()
    places = (settings.data, settings.log / "service.log", settings.spool, settings.policies)
    assert files_holding(number, [*places, settings.config_file]) == []


def assert_reached_the_agent_unrecorded(call: Played) -> None:
    """Assert that the call got its agent, and that nothing of ours recorded it."""
    assert call.caller.agent is not None
    assert "MixMonitor ID" in call.caller.recorders
    assert "/asterisk-consent/" not in call.caller.recorders


def tones_at_pick_up(call: Played, hz: int) -> list[sound.Span]:
    """When the agent heard a tone of this frequency, in seconds after answering."""
    agent = call.caller.agent
    assert agent is not None
    heard_there = agent.received.between(agent.answered_at, agent.ended_at)
    spans = sound.tone_spans(heard_there.samples, heard_there.rate, hz, bridge_s=_TONE_GAP_S, purity_db=3.0)
    lead_s = heard_there.started_at - agent.answered_at
    return [(lead_s + start, lead_s + end) for start, end in spans if end - start > _CLICK_S]


def assert_nothing_was_heard_before_the_agent(call: Played) -> None:
    """Assert that the caller heard neither an announcement nor a tone before the agent."""
    received = call.caller.call.received
    agent_s = sound.tone_spans(received.samples, received.rate, AGENT_HZ)[0][0]
    before = received.samples[: max(0, round((agent_s - 0.05) * received.rate))]
    assert sound.sound_spans(before, received.rate) == []
