"""``prompts play``: a telephone of the house rings and hears the announcement, part by part, as callers will."""

import asyncio

import pytest

from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.evidence import read_entries
from tests.pbx.sip import Call, SipPhone
from tests.pbx.spoken import spoken

PARTS = ("menu", "information", "question")


async def audition(pbx: DevelopmentPbx, *arguments: str) -> tuple[list[Call], int]:
    """Play to a telephone that answers; return its calls and the exit status of the command."""
    calls: list[Call] = []

    async def answer(call: Call) -> None:
        calls.append(call)
        call.accept()

    async with SipPhone(port=pbx.settings.agent_port, on_invite=answer):
        words = ("prompts", "play", *arguments, "--on", pbx.sip_agent())
        done = await asyncio.to_thread(pbx.service.run, *words)
    return calls, done.returncode


def test_the_telephone_hears_every_part_to_its_end_and_nothing_is_entered(pbx: DevelopmentPbx) -> None:
    before = len(read_entries(pbx.settings).all)

    (call,), status = asyncio.run(audition(pbx, "p5-be", "--language", "fr"))

    assert status == 0
    assert call.ended_by_peer
    directory = pbx.settings.prompts / "p5-be" / "1" / "fr"
    heard = [spoken(call.received, directory / f"{part}.wav") for part in PARTS]
    assert [each.share for each in heard] == pytest.approx([1, 1, 1], abs=0.1)
    assert [each.began_at for each in heard] == sorted(each.began_at for each in heard)
    assert len(read_entries(pbx.settings).all) == before
