"""Asterisk killed under its calls: what was recorded is kept and marked, what was asked is entered."""

import asyncio

from asterisk_consent.ledger import Kind
from asterisk_consent.model import Outcome
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import list_files, read_entries, wait_for_ends
from tests.pbx.scenarios.exchange import Caller, Exchange
from tests.pbx.scenarios.test_service_away import notes_entered
from tests.pbx.service import Service

TALKED_S = 4.0


def test_a_killed_asterisk_leaves_a_partial_recording_and_an_aborted_call(
    pbx: DevelopmentPbx, service: Service
) -> None:
    async def scenario() -> tuple[Caller, Caller]:
        async with Exchange(pbx) as exchange:
            talking = await exchange.connect("1001")
            await talking.wait_for_question()
            await talking.press("1")
            await talking.reach_agent()
            asked = await exchange.connect("1001")
            await asyncio.sleep(TALKED_S)
            await asyncio.to_thread(restart_asterisk, pbx)
            return talking, asked

    talking, asked = asyncio.run(scenario())
    wait_for_ends(pbx.settings)
    entries = read_entries(pbx.settings)
    kind, recording = entries.end(entries.decision(talking.channel).recording_id)
    assert kind is Kind.RECORDING_FAILED
    assert recording.reason.startswith("cut off while Asterisk wrote it")
    assert recording.duration_ms >= 1000
    assert f"{recording.recording_id}.flac.age" in list_files(pbx.settings.data / "vault")
    assert [decision.outcome for decision in notes_entered(pbx, [asked.channel])] == [Outcome.ABORTED]


def restart_asterisk(pbx: DevelopmentPbx) -> None:
    """End Asterisk at once and start it again from the same configuration."""
    running = pbx.asterisk.program.running()
    assert running is not None
    pbx.asterisk.program.kill()
    pbx.asterisk.start(running.fingerprint)
