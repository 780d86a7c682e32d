"""The development PBX is what an administrator would have: two users, shipped dialplan, numbers that answer."""

import asyncio
import re
import time
from pathlib import Path

import pytest

from tests.pbx.configure import MUSIC_HZ
from tests.pbx.development import DevelopmentPbx
from tests.pbx.g711 import Law
from tests.pbx.service import Service
from tests.pbx.settings import ASTERISK_UID, PROJECT, SERVICE_UID
from tests.pbx.sip import SipPhone
from tests.pbx.sip_call import Call
from tests.pbx.sound import tone_db, tone_spans

AGENT_HZ = 1000


def owner(pid_file: Path) -> int:
    return Path(f"/proc/{pid_file.read_text().strip()}").stat().st_uid


def test_asterisk_and_the_service_run_as_two_unprivileged_users(pbx: DevelopmentPbx) -> None:
    assert owner(pbx.settings.run / "asterisk.pid") == ASTERISK_UID
    assert owner(pbx.settings.run / "service.pid") == SERVICE_UID


def test_up_leaves_alone_what_is_up_already(pbx: DevelopmentPbx) -> None:
    before = (pbx.asterisk.program.running(), pbx.service.program.running())
    pbx.up(lambda _: None)
    assert (pbx.asterisk.program.running(), pbx.service.program.running()) == before


def test_the_dialplan_is_the_shipped_one(pbx: DevelopmentPbx) -> None:
    for name in ("asterisk-consent.conf", "asterisk-consent-emergency.conf"):
        inside = pbx.settings.root / "etc/asterisk" / name
        assert inside.read_bytes() == (PROJECT / "dialplan" / name).read_bytes()


def test_every_application_and_function_of_the_dialplan_is_there(pbx: DevelopmentPbx) -> None:
    shipped = re.sub(
        r"^;.*", "", (PROJECT / "dialplan/asterisk-consent.conf").read_text(), flags=re.MULTILINE
    )
    used = {name.lower() for name in re.findall(r"([A-Za-z_][A-Za-z0-9_]{2,})\(", shipped)}
    known = (pbx.asterisk.console(f"core show {kind}").lower() for kind in ("applications", "functions"))
    assert used - set(re.findall(r"[a-z0-9_]+", " ".join(known))) == set()


def test_no_module_failed_to_load(pbx: DevelopmentPbx) -> None:
    assert "Not Running" not in pbx.asterisk.console("module show")


@pytest.mark.parametrize("codec", ["alaw", "ulaw"])
async def test_112_reaches_the_agent_within_half_a_second_and_hears_a_steady_tone(
    pbx: DevelopmentPbx, codec: Law
) -> None:
    async with SipPhone() as phone:
        dialled_at = time.monotonic()
        call = await phone.call(pbx.sip_uri("112"), codec=codec)
        assert time.monotonic() - dialled_at < 0.5
        await asyncio.sleep(3.0)
        heard = call.received
    ((start_s, end_s),) = tone_spans(heard.samples, heard.rate, AGENT_HZ, -30.0)
    assert end_s - start_s > 2.5
    assert tone_db(heard.samples, heard.rate, AGENT_HZ) > -20.0


async def test_a_number_without_a_policy_still_reaches_the_agent(pbx: DevelopmentPbx) -> None:
    async with SipPhone() as phone:
        call = await phone.call(pbx.sip_uri("1099"))
        await call.stream.heard(AGENT_HZ, within_s=5.0)


async def test_1007_waits_eight_seconds_with_music_before_the_agent(pbx: DevelopmentPbx) -> None:
    pbx.asterisk.console("dialplan set global CONSENT_BYPASS 1")
    try:
        async with SipPhone() as phone:
            call = await phone.call(pbx.sip_uri("1007"))
            await asyncio.sleep(10.0)
            heard = call.received
    finally:
        pbx.asterisk.console("dialplan set global CONSENT_BYPASS 0")
    ((_, music_end_s),) = tone_spans(heard.samples, heard.rate, MUSIC_HZ, -30.0)
    ((agent_start_s, _),) = tone_spans(heard.samples, heard.rate, AGENT_HZ, -30.0)
    assert 7.8 < music_end_s <= agent_start_s + 0.05
    assert agent_start_s < 9.0


async def test_a_sip_phone_can_be_the_agent(pbx: DevelopmentPbx) -> None:
    pbx.answer_with(pbx.sip_agent())
    async with SipPhone(port=pbx.settings.agent_port, on_invite=_answer_with_tone), SipPhone() as caller:
        call = await caller.call(pbx.sip_uri("112"))
        await call.stream.heard(700, within_s=5.0)


async def _answer_with_tone(call: Call) -> None:
    call.accept()
    call.stream.tone(700)


def test_a_killed_service_starts_again_and_asks(service: Service) -> None:
    service.kill()
    assert not service.is_running()
    service.start()
    service.await_asking()


def test_a_frozen_service_comes_back(service: Service) -> None:
    service.freeze()
    assert service.is_running()
    service.thaw()
    service.await_asking()


def test_an_asterisk_that_died_is_brought_up_again(pbx: DevelopmentPbx) -> None:
    pbx.asterisk.program.kill()
    assert not pbx.is_up()
    pbx.up(lambda _: None)
    assert pbx.is_up()
    pbx.service.await_asking()
