"""Only what is approved is asked, exactly as it was approved; everything else has a fault that says what to do."""

import asyncio
import os
import shutil
import signal
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from asterisk_consent.calls.announced import Announced, Policies
from asterisk_consent.calls.loading import (
    CHANGED_SINCE,
    NO_ANNOUNCEMENT,
    NO_KEYS,
    NOT_APPROVED,
    OTHER_ANNOUNCEMENT,
    Reloading,
    load_prompts,
)
from asterisk_consent.config import load_policy
from asterisk_consent.dialogue.events import Part
from asterisk_consent.errors import AudioError, ConfigError, LedgerError
from asterisk_consent.ledger.store import Ledger
from asterisk_consent.prompts.form import DIGITS
from asterisk_consent.prompts.line import spoken_digits_of
from asterisk_consent.vault.recipients import recipients_path
from tests.calls.approved_place import ApprovedPlace
from tests.ledger.tampering import tampering
from tests.prompts.made_announcement import make_announcement


@pytest.fixture
async def place(tmp_path: Path) -> ApprovedPlace:
    """A place with the Norwegian policy, approved."""
    place = await ApprovedPlace(tmp_path).begin()
    place.put_approved("p2-nb")
    return place


def fault(place: ApprovedPlace, name: str = "p2-nb") -> str:
    found = place.loaded()[name]
    assert bool(found.fault) is bool(found.detail)
    assert not (found.fault and found.prompts)
    return found.fault


def reloading_of(place: ApprovedPlace, policies: Policies) -> Reloading:
    """Return what reloads the policies of this place."""
    return Reloading(place.config, policies, today=lambda: date(2026, 12, 1))


def test_what_is_approved_is_asked_with_what_was_approved(place: ApprovedPlace) -> None:
    found = place.loaded()["p2-nb"]

    assert (found.fault, found.detail) == ("", "")
    assert found.policy == load_policy(place.file_of("p2-nb")).policy
    (segment,) = found.segments(Part.INFORMATION, "nb")
    assert segment.path == "/as/asterisk/sees/it/p2-nb/1/nb/information"


def test_what_nobody_approved_is_not_asked(place: ApprovedPlace) -> None:
    place.put("p4-logging")
    place.speak("p4-logging")

    found = place.loaded()["p4-logging"]

    assert found.fault == NOT_APPROVED
    assert (
        found.detail
        == "the policy is not approved. Check and approve it: asterisk-consent policy check, policy approve"
    )
    assert not place.loaded()["p2-nb"].fault


def test_without_two_keys_of_its_controller_nothing_is_asked_and_the_fault_says_how_to_make_them(
    place: ApprovedPlace,
) -> None:
    path = recipients_path(load_policy(place.file_of("p2-nb")).policy.controller.id, place.config.keys)
    one, _ = lines = path.read_text().splitlines()

    path.write_text(one)
    assert fault(place) == NO_KEYS
    assert "1 recipient, and at least 2 are needed" in place.loaded()["p2-nb"].detail

    path.unlink()
    assert fault(place) == NO_KEYS
    assert "asterisk-consent init" in place.loaded()["p2-nb"].detail

    path.write_text("\n".join(lines))
    assert fault(place) == ""


def test_a_policy_that_records_nothing_needs_no_keys(place: ApprovedPlace) -> None:
    place.put("p4-plain")
    policy = load_policy(place.file_of("p4-plain")).policy
    recipients_path(policy.controller.id, place.config.keys).unlink()
    assert fault(place, "p4-plain") == ""


def test_the_approval_of_another_policy_or_version_is_none(place: ApprovedPlace) -> None:
    place.change("p2-nb", "version = 1", "version = 2")
    assert fault(place) == NO_ANNOUNCEMENT

    place.speak("p2-nb")
    assert fault(place) == NOT_APPROVED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('agree = "1"', 'agree = "4"'),
        ("# Opt-in in Norwegian", "# Opt-in in norwegian"),
        ('keep = "90 days"', 'keep = "91 days"'),
    ],
)
def test_a_file_that_was_changed_by_a_byte_is_not_asked(place: ApprovedPlace, old: str, new: str) -> None:
    place.change("p2-nb", old, new)

    assert fault(place) == CHANGED_SINCE
    assert place.loaded()["p2-nb"].detail.endswith("Give it a new version and approve that")


def test_the_latest_approval_is_the_one_that_counts(place: ApprovedPlace) -> None:
    place.approve("p2-nb", place.speak("p2-nb", voice="somebody"))
    assert fault(place) == ""

    place.speak("p2-nb", voice="nobody")
    assert fault(place) == OTHER_ANNOUNCEMENT


def test_another_voice_is_another_announcement(place: ApprovedPlace) -> None:
    place.speak("p2-nb", voice="somebody")

    assert fault(place) == OTHER_ANNOUNCEMENT
    assert place.loaded()["p2-nb"].detail.endswith("Put the approved one back, or approve the policy anew")


def test_an_announcement_in_one_language_more_or_less_is_another(place: ApprovedPlace) -> None:
    place.put("p1-nl")
    prompts = place.speak("p1-nl")
    place.approve("p1-nl", {"nl": prompts["nl"]})
    assert fault(place, "p1-nl") == OTHER_ANNOUNCEMENT

    place.approve("p1-nl", prompts)
    assert fault(place, "p1-nl") == ""


def test_an_announcement_without_a_part_that_the_policy_needs_is_none(place: ApprovedPlace) -> None:
    directory = place.announcements_of("p2-nb")
    prompts = {"nb": make_announcement(directory / "nb", {"information": "Velkommen."}, language="nb")}
    place.approve("p2-nb", prompts)

    assert fault(place) == NO_ANNOUNCEMENT
    assert "the announcement has no question" in place.loaded()["p2-nb"].detail
    assert "asterisk-consent prompts render" in place.loaded()["p2-nb"].detail
    with pytest.raises(AudioError, match="the announcement has no question"):
        load_prompts(directory, load_policy(place.file_of("p2-nb")).policy)


def test_a_receipt_that_is_to_be_read_out_needs_its_digits(place: ApprovedPlace) -> None:
    file = place.file_of("p2-nb")
    text = file.read_text(encoding="utf-8") + "\n[receipt]\nread_out = true\n"
    file.write_text(text.replace("version = 1", "version = 2"), encoding="utf-8")
    place.approve("p2-nb", place.speak("p2-nb"))
    assert fault(place) == NO_ANNOUNCEMENT

    digits = place.config.prompts / "_digits" / "nb"
    make_announcement(digits, spoken_digits_of("nb"), language="nb", form=DIGITS)
    found = place.loaded()["p2-nb"]
    assert found.fault == ""
    files = found.files((Part.RECEIPT,), "nb", receipt="123456789012")
    assert [segment.path.removeprefix("/as/asterisk/sees/it/") for _, segment in files][:5] == [
        "p2-nb/2/nb/receipt",
        "_digits/nb/1",
        "_digits/nb/2",
        "_digits/nb/3",
        "_digits/nb/pause",
    ]
    assert {part for part, _ in files} == {Part.RECEIPT}


def test_a_language_that_was_never_spoken_is_none(place: ApprovedPlace) -> None:
    place.put_approved("p5-be")
    shutil.rmtree(place.announcements_of("p5-be") / "fr")

    assert fault(place, "p5-be") == NO_ANNOUNCEMENT


def test_a_damaged_file_is_no_announcement(place: ApprovedPlace) -> None:
    (place.announcements_of("p2-nb") / "nb" / "question.alaw").write_bytes(b"x")
    assert fault(place) == NO_ANNOUNCEMENT


def test_an_approval_that_was_erased_approves_nothing(place: ApprovedPlace) -> None:
    with tampering(place.config.ledger_path) as connection:
        connection.execute("DELETE FROM payload WHERE seq = (SELECT max(seq) FROM approval)")
    assert fault(place) == NOT_APPROVED


def test_what_is_off_needs_no_approval_and_plays_nothing(place: ApprovedPlace) -> None:
    place.put("p4-plain")
    found = place.loaded()["p4-plain"]

    assert (found.fault, dict(found.prompts)) == ("", {})
    assert found.leaves_alone("1001")


def test_a_file_that_cannot_be_used_stops_the_loading(place: ApprovedPlace) -> None:
    place.change("p2-nb", 'mode = "opt-in"', 'mode = "ask"')
    with pytest.raises(ConfigError, match="mode: is 'ask'"):
        place.loaded()


def test_without_a_ledger_nothing_is_loaded(place: ApprovedPlace) -> None:
    place.config.ledger_path.unlink()
    with pytest.raises(LedgerError):
        place.loaded()


def new_version(place: ApprovedPlace) -> None:
    """Put a second version there, approved."""
    place.change("p2-nb", "version = 1", "version = 2")
    place.approve("p2-nb", place.speak("p2-nb"))


def asked_version(policies: Policies) -> int:
    policy = policies.find("p2-nb").policy
    assert policy is not None
    return policy.version


async def test_a_reload_exchanges_everything(place: ApprovedPlace) -> None:
    policies = Policies(place.loaded())
    new_version(place)
    place.put("p4-plain")
    assert (asked_version(policies), list(policies.left_alone())) == (1, [])

    assert await reloading_of(place, policies).reload()

    assert (asked_version(policies), list(policies.left_alone())) == (2, ["p4-plain"])
    assert policies.asked() == ["p2-nb"]


async def test_a_policy_that_is_gone_is_unknown_after_a_reload(place: ApprovedPlace) -> None:
    place.put_approved("p4-logging")
    policies = Policies(place.loaded())
    place.file_of("p2-nb").unlink()

    assert await reloading_of(place, policies).reload()

    assert policies.find("p2-nb").fault == "unknown policy"


@pytest.mark.parametrize("fault", ["not approved", "cannot be read", "not spoken", "no ledger"])
async def test_a_reload_changes_nothing_where_one_policy_cannot_be_asked(
    place: ApprovedPlace, fault: str
) -> None:
    policies = Policies(place.loaded())
    new_version(place)
    match fault:
        case "not approved":
            place.put("p4-logging")
            place.speak("p4-logging")
        case "cannot be read":
            place.put_approved("p4-logging")
            place.file_of("p4-logging").write_text("id =", encoding="utf-8")
        case "not spoken":
            place.put("p4-logging")
        case "no ledger":
            place.config.ledger_path.unlink()

    assert not await reloading_of(place, policies).reload()

    assert asked_version(policies) == 1
    assert policies.asked() == ["p2-nb"]


async def test_after_a_reload_that_failed_the_next_one_may_do(place: ApprovedPlace) -> None:
    policies = Policies(place.loaded())
    place.change("p2-nb", "version = 1", "version = 2")
    reloading = reloading_of(place, policies)
    assert not await reloading.reload()

    place.approve("p2-nb", place.speak("p2-nb"))

    assert await reloading.reload()
    assert asked_version(policies) == 2


class Watched(Policies):
    """Tells when they are exchanged."""

    def __init__(self, announced: Mapping[str, Announced]) -> None:
        super().__init__(announced)
        self.exchanged = asyncio.Event()

    def replace(self, announced: Mapping[str, Announced]) -> None:
        """Exchange them and tell."""
        super().replace(announced)
        self.exchanged.set()


async def test_the_service_reloads_when_it_is_told_to_and_goes_on_listening(place: ApprovedPlace) -> None:
    policies = Watched(place.loaded())
    before = signal.getsignal(signal.SIGHUP)
    task = asyncio.create_task(reloading_of(place, policies).run(), name="reloading")
    await asyncio.sleep(0)
    try:
        for version in (2, 3):
            place.change("p2-nb", f"version = {version - 1}", f"version = {version}")
            place.approve("p2-nb", place.speak("p2-nb"))
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.wait_for(policies.exchanged.wait(), 10)
            policies.exchanged.clear()
            assert asked_version(policies) == version
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        afterwards = signal.signal(signal.SIGHUP, before)
    assert afterwards == signal.SIG_IGN, "a reload asked for while the service stops must not kill it"


async def test_a_reload_works_beside_the_running_ledger(place: ApprovedPlace) -> None:
    policies = Policies(place.loaded())
    ledger = await Ledger.open(place.config.ledger_path)
    try:
        new_version(place)
        assert await reloading_of(place, policies).reload()
    finally:
        await ledger.close()
    assert asked_version(policies) == 2
