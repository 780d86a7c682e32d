"""``recordings``: nothing leaves without a reason, a recipient and an entry that is on disk first."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from asterisk_consent.cli.recordings import recordings
from asterisk_consent.config import Config
from asterisk_consent.errors import (
    AudioError,
    ConsentError,
    KeysError,
    LedgerUnavailableError,
    RequestRefusedError,
)
from asterisk_consent.ledger import Kind, Ledger, NewEntry, Recording, append_from_outside
from asterisk_consent.ledger.opening import Opened, open_call
from asterisk_consent.ledger.payload import Export, Gone, Payload, Request
from asterisk_consent.model import RecordingId, Right
from asterisk_consent.rights import access
from asterisk_consent.rights.access import opener_of
from asterisk_consent.vault.age import Identity
from asterisk_consent.vault.call_keys import CallKey, destroy_key
from asterisk_consent.vault.identities import add_identity, identity_path
from asterisk_consent.vault.names import kept_path
from asterisk_consent.vault.proof_keys import ProofKeys, call_identities
from asterisk_consent.vault.store import close_recording, empty_spool
from tests.ledger.entries import CONTROLLER, decision, hex_id
from tests.vault.keyring import Keyring, give_keys
from tests.vault.tones import CALLER_HZ, read_channels, tone, write_call, write_side

GOOD, ONE_SIDED, RUNNING, SILENT = (RecordingId(hex_id(number)) for number in (1, 2, 3, 4))


@pytest.fixture
async def config_with_calls(config: Config) -> Config:
    """A ledger with a verified recording, a failed one with audio, one running, one that never started."""
    give_keys(CONTROLLER, config.keys)
    add_identity(CONTROLLER, config.identities, [Keyring(config.keys).here.secret])
    ledger = await Ledger.open(config.ledger_path, sealer=ProofKeys(config.keys))
    for number in (1, 2, 3, 4):
        await ledger.append(decision(number, recording=number))
    write_call(config.spool, recording=GOOD)
    write_side(config.spool, "caller", tone(440, 2.0), ONE_SIDED)
    for recording, kind in ((GOOD, Kind.RECORDING_VERIFIED), (ONE_SIDED, Kind.RECORDING_FAILED)):
        await ledger.append(ended(recording, kind, config))
        empty_spool(recording, config.spool)
    nothing = Recording(recording_id=SILENT, reason="hung up before the agent answered")
    await ledger.append(entry(SILENT, Kind.RECORDING_NOT_STARTED, nothing))
    await ledger.close()
    return config


def entry(recording: RecordingId, kind: Kind, payload: Payload) -> NewEntry:
    return NewEntry(stream=CONTROLLER, kind=kind, call_id=recording, payload=payload)


def ended(recording: RecordingId, kind: Kind, config: Config) -> NewEntry:
    key = CallKey(keys=config.keys, call_id=recording, controller=CONTROLLER)
    closed = close_recording(recording, config.spool, config.vault, key)
    payload = Recording(
        recording_id=recording,
        reason=closed.problem,
        started_at=int(time.time()),
        duration_ms=closed.duration_ms,
        sha256=closed.sha256,
        size=closed.size,
    )
    return entry(recording, kind, payload)


def run(config: Config, *arguments: str | Path) -> Result:
    return CliRunner().invoke(recordings, [str(argument) for argument in arguments], obj=config)


def refused(config: Config, *arguments: str | Path) -> ConsentError:
    result = run(config, *arguments)
    assert isinstance(result.exception, ConsentError), result.output
    assert result.exception.exit_status == 1
    return result.exception


def exports(config: Config) -> list[Export]:
    """Open what was entered about the calls, as their controller would, and return the exports."""
    identities = (Keyring(config.keys).here,)
    found: list[Opened] = []
    for call_id in (GOOD, ONE_SIDED, RUNNING, SILENT):
        opener = opener_of(call_identities(call_id, keys=config.keys, identities=identities))
        found += open_call(config.ledger_path, call_id, opener)
    return [entry.payload for entry in found if isinstance(entry.payload, Export)]


WHY = ("--reason", "complaint 17", "--to", "the caller's lawyer")


def test_an_export_hands_out_the_recording_and_enters_who_got_it_and_why(
    config_with_calls: Config, tmp_path: Path
) -> None:
    out = tmp_path / "out.wav"
    result = run(config_with_calls, "export", GOOD, *WHY, "-o", out)

    assert result.exit_code == 0, result.output
    assert np.array_equal(read_channels(out)[0], tone(CALLER_HZ, 2.0))
    (handed_out,) = exports(config_with_calls)
    assert (handed_out.recording_id, handed_out.reason) == (GOOD, "complaint 17")
    assert handed_out.recipient == "the caller's lawyer"
    assert handed_out.person
    assert handed_out.sha256 in result.output


@pytest.mark.parametrize(
    ("why", "missing"),
    [
        ((), "reason"),
        (("--to", "somebody"), "reason"),
        (("--reason", " \t", "--to", "somebody"), "reason"),
        (("--reason", "complaint"), "recipient"),
        (("--reason", "complaint", "--to", ""), "recipient"),
    ],
)
def test_without_reason_or_recipient_no_file_and_no_entry(
    config_with_calls: Config, tmp_path: Path, why: tuple[str, ...], missing: str
) -> None:
    error = refused(config_with_calls, "export", GOOD, *why, "-o", tmp_path / "out.wav")
    assert isinstance(error, RequestRefusedError)
    assert f"no {missing} given" in str(error)
    assert not (tmp_path / "out.wav").exists()
    assert exports(config_with_calls) == []


def test_no_byte_leaves_when_the_entry_cannot_be_written(
    config_with_calls: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object, **__: object) -> None:
        assert not (tmp_path / "out.wav").exists()
        raise LedgerUnavailableError("disk full")

    monkeypatch.setattr(access, "append_from_outside", unavailable)
    refused(config_with_calls, "export", GOOD, *WHY, "-o", tmp_path / "out.wav")
    assert not (tmp_path / "out.wav").exists()


def test_a_failed_recording_with_audio_can_be_handed_out(config_with_calls: Config, tmp_path: Path) -> None:
    assert run(config_with_calls, "export", ONE_SIDED, *WHY, "-o", tmp_path / "out.wav").exit_code == 0
    assert (tmp_path / "out.wav").stat().st_size > 44


@pytest.mark.parametrize(
    ("recording", "what"),
    [
        (RUNNING, "the recording is allowed"),
        (SILENT, "no audio"),
        (hex_id(99), "no such recording"),
        ("../../etc/passwd", "no such recording"),
    ],
)
def test_what_has_no_final_audio_is_refused_without_an_entry(
    config_with_calls: Config, tmp_path: Path, recording: str, what: str
) -> None:
    assert what in str(refused(config_with_calls, "export", recording, *WHY, "-o", tmp_path / "out.wav"))
    assert not (tmp_path / "out.wav").exists()
    assert exports(config_with_calls) == []


def test_an_erased_recording_is_refused_and_no_longer_missed(
    config_with_calls: Config, tmp_path: Path
) -> None:
    gone = entry(GOOD, Kind.RECORDING_ERASED, Gone(recording_id=GOOD, reason="withdrawal"))
    append_from_outside(config_with_calls.ledger_path, gone)
    destroy_key(GOOD, config_with_calls.keys)
    kept_path(GOOD, config_with_calls.vault).unlink()
    assert "was erased" in str(refused(config_with_calls, "export", GOOD, *WHY, "-o", tmp_path / "out.wav"))
    assert exports(config_with_calls) == []
    assert run(config_with_calls, "verify").exit_code == 0
    assert json.loads(run(config_with_calls, "list", "--json").output)[0]["erased_at"]


def test_a_restricted_recording_is_not_handed_out(config_with_calls: Config, tmp_path: Path) -> None:
    request = Request(
        right=Right.RESTRICTION,
        way="command",
        reference="12345678",
        asked_by="Anna",
        identified_by="call back",
        person="dpo",
    )
    asked = entry(GOOD, Kind.REQUEST_ENTERED, request)
    append_from_outside(config_with_calls.ledger_path, asked, sealer=ProofKeys(config_with_calls.keys))
    error = refused(config_with_calls, "export", GOOD, *WHY, "-o", tmp_path / "out.wav")
    assert "the call is restricted" in str(error)
    assert not (tmp_path / "out.wav").exists()
    assert exports(config_with_calls) == []


def test_who_got_it_and_why_is_never_left_out_of_the_entry(config_with_calls: Config, tmp_path: Path) -> None:
    (config_with_calls.keys / "recipients" / f"{CONTROLLER}.txt").unlink()
    error = refused(config_with_calls, "export", GOOD, *WHY, "-o", tmp_path / "out.wav")
    assert "the export cannot be sealed: there are no recipients" in str(error)
    assert not (tmp_path / "out.wav").exists()
    assert exports(config_with_calls) == []


def test_an_existing_file_is_not_overwritten_and_nothing_entered(
    config_with_calls: Config, tmp_path: Path
) -> None:
    (tmp_path / "out.wav").write_text("mine")
    assert "exists already" in str(
        refused(config_with_calls, "export", GOOD, *WHY, "-o", tmp_path / "out.wav")
    )
    assert (tmp_path / "out.wav").read_text() == "mine"
    assert exports(config_with_calls) == []


def test_a_changed_recording_is_found_and_not_handed_out(config_with_calls: Config, tmp_path: Path) -> None:
    path = kept_path(GOOD, config_with_calls.vault)
    path.write_bytes(path.read_bytes()[:-2] + b"\x01\x01")

    for arguments in (("verify", GOOD), ("verify",), ("export", GOOD, *WHY, "-o", str(tmp_path / "out.wav"))):
        assert "not what was entered" in str(refused(config_with_calls, *arguments))
    assert not (tmp_path / "out.wav").exists()
    assert exports(config_with_calls) == []


def test_recordings_that_agree_with_the_ledger_verify(config_with_calls: Config) -> None:
    assert run(config_with_calls, "verify", GOOD).exit_code == 0
    assert "2 recordings" in run(config_with_calls, "verify").output


def test_verify_finds_files_without_entry_and_entries_without_file(config_with_calls: Config) -> None:
    kept_path(ONE_SIDED, config_with_calls.vault).unlink()
    (config_with_calls.spool / f"{hex_id(77)}-caller.wav").touch()
    (config_with_calls.spool / f"{GOOD}-agent.wav").touch()

    error = refused(config_with_calls, "verify")
    assert isinstance(error, AudioError)
    assert f"{hex_id(77)}-caller.wav: of no recording in the ledger" in str(error)
    assert f"{GOOD}: ended, and still in the spool" in str(error)
    assert f"{ONE_SIDED}: in the ledger, and not in the vault" in str(error)
    assert len(str(error).splitlines()) == 3


def test_the_list_tells_what_became_of_each_recording(config_with_calls: Config) -> None:
    listed = json.loads(run(config_with_calls, "list", "--json").output)
    assert [(row["id"], row["state"], row["duration_s"]) for row in listed] == [
        (GOOD, "verified", 2.0),
        (ONE_SIDED, "failed", 2.0),
        (RUNNING, "allowed", None),
        (SILENT, "not_started", 0.0),
    ]
    assert listed[1]["reason"] == "agent side missing"


def test_the_list_for_people_names_every_recording(config_with_calls: Config) -> None:
    shown = run(config_with_calls, "list").output
    assert all(recording in shown for recording in (GOOD, ONE_SIDED, RUNNING, SILENT))


def test_whoever_cannot_read_the_identity_is_told_what_to_do_and_nothing_is_entered(
    config_with_calls: Config, tmp_path: Path
) -> None:
    identity_path(CONTROLLER, config_with_calls.identities).unlink()
    error = refused(config_with_calls, "export", GOOD, *WHY, "-o", tmp_path / "out.wav")
    assert isinstance(error, KeysError)
    assert "Run as root, or name the identity with --identity FILE" in str(error)
    assert not (tmp_path / "out.wav").exists()
    assert exports(config_with_calls) == []


def test_an_identity_that_is_named_opens_and_one_of_somebody_else_does_not(
    config_with_calls: Config, tmp_path: Path
) -> None:
    named, other = tmp_path / "named.txt", tmp_path / "other.txt"
    named.write_text(Keyring(config_with_calls.keys).elsewhere.secret)
    other.write_text(Identity.generate().secret)
    error = refused(
        config_with_calls, "export", GOOD, *WHY, "--identity", other, "-o", tmp_path / "other.wav"
    )
    assert f"identity of the controller '{CONTROLLER}'" in str(error)
    assert not (tmp_path / "other.wav").exists()
    done = run(config_with_calls, "export", GOOD, *WHY, "--identity", named, "-o", tmp_path / "named.wav")
    assert done.exit_code == 0, done.output


def test_a_recording_is_opened_only_once_its_entry_is_there(
    config_with_calls: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_: object) -> None:
        assert len(exports(config_with_calls)) == 1
        raise KeysError("looked")

    monkeypatch.setattr(access, "open_key", opened)
    assert "looked" in str(refused(config_with_calls, "export", GOOD, *WHY, "-o", tmp_path / "out.wav"))


def test_verify_needs_no_identity_and_finds_a_recording_whose_key_is_gone(config_with_calls: Config) -> None:
    identity_path(CONTROLLER, config_with_calls.identities).unlink()
    assert run(config_with_calls, "verify").exit_code == 0
    destroy_key(GOOD, config_with_calls.keys)
    assert f"{GOOD}: its key is gone" in str(refused(config_with_calls, "verify"))
