"""``calls show --open``: what is sealed is shown to who has an identity of the controller, says why, and is entered."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from asterisk_consent.cli.calls import calls
from asterisk_consent.config import Config
from asterisk_consent.errors import ConsentError, KeysError, LedgerUnavailableError, RequestRefusedError
from asterisk_consent.ledger import Decision, Kind, Ledger, NewEntry
from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.entry import read_header
from asterisk_consent.ledger.payload import LegalHold, Moment, Payload, Request
from asterisk_consent.model import Outcome, Right
from asterisk_consent.rights import access
from asterisk_consent.vault.age import Identity
from asterisk_consent.vault.identities import add_identity, identity_path
from asterisk_consent.vault.proof_keys import ProofKeys, call_identities, destroy_proof_keys
from tests.ledger.entries import CALLER, CONTROLLER, NOW, decision, hex_id, recorded
from tests.vault.keyring import Keyring, give_keys

WHY = ("--reason", "complaint 17")
CALL = hex_id(1)


def agreed() -> NewEntry:
    entry = decision(1, recording=1)
    assert isinstance(entry.payload, Decision)
    course = (Moment(at_ms=0, what="asked"), Moment(at_ms=21_000, what="digit", detail="1"))
    return replace(entry, payload=msgspec.structs.replace(entry.payload, course=course))


def about(kind: Kind, payload: Payload) -> NewEntry:
    return NewEntry(stream=CONTROLLER, kind=kind, call_id=CALL, payload=payload)


async def entered(config: Config, *entries: NewEntry) -> None:
    sealer = ProofKeys(config.keys)
    ledger = await Ledger.open(config.ledger_path, sealer=sealer)
    for entry in entries:
        await ledger.append(entry)
    await ledger.close()
    sealer.close()


@pytest.fixture
async def recorded_call(config: Config) -> Config:
    """A call that was recorded, and another; the first identity of their controller lies where it belongs."""
    give_keys(CONTROLLER, config.keys)
    add_identity(CONTROLLER, config.identities, [Keyring(config.keys).here.secret])
    await entered(config, agreed(), decision(2, recording=2), recorded(Kind.RECORDING_VERIFIED, 1))
    return config


def run(config: Config, *arguments: str | Path) -> Result:
    everything = ("show", CALL, "--open", *(str(each) for each in arguments))
    return CliRunner().invoke(calls, everything, obj=config)


def refused(config: Config, *arguments: str | Path) -> ConsentError:
    result = run(config, *arguments)
    assert isinstance(result.exception, ConsentError), result.output
    assert result.output == ""
    return result.exception


def kinds(config: Config) -> list[Kind]:
    with reading(config.ledger_path) as connection:
        return [read_header(raw).kind for (raw,) in connection.execute("SELECT header FROM chain")]


def test_exactly_what_was_entered_is_shown_and_the_access_with_it(recorded_call: Config) -> None:
    result = run(recorded_call, *WHY, "--purpose", "quality")

    assert result.exit_code == 0, result.output
    shown = json.loads(result.output)
    assert shown["call_id"] == CALL
    asked, ended, opened = shown["opened"]
    assert asked["payload"] == json.loads(msgspec.json.encode(agreed().payload))
    assert (asked["payload"]["caller"], asked["payload"]["digit"]) == (CALLER, "1")
    assert (ended["kind"], ended["payload"]["duration_ms"]) == ("recording.verified", 12_500)
    assert opened["kind"] == "proof.opened"
    assert opened["payload"].pop("person")
    assert opened["payload"] == {
        "type": "access",
        "what": "proof",
        "reason": "complaint 17",
        "purpose": "quality",
    }
    assert kinds(recorded_call)[-1] is Kind.PROOF_OPENED


@pytest.mark.parametrize("why", [(), ("--reason", ""), ("--reason", " \t\n")])
def test_without_a_reason_nothing_is_shown_or_entered(recorded_call: Config, why: tuple[str, ...]) -> None:
    error = refused(recorded_call, *why)
    assert isinstance(error, RequestRefusedError)
    assert "no reason given. Say why with --reason TEXT" in str(error)
    assert Kind.PROOF_OPENED not in kinds(recorded_call)


def test_nothing_is_shown_where_the_access_cannot_be_entered(
    recorded_call: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object, **__: object) -> None:
        raise LedgerUnavailableError("disk full")

    monkeypatch.setattr(access, "append_from_outside", unavailable)
    assert "disk full" in str(refused(recorded_call, *WHY))


def test_no_key_is_opened_before_the_access_is_entered(
    recorded_call: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked(call_id: str, *, keys: Path, identities: Sequence[Identity]) -> tuple[Identity, ...]:
        assert kinds(recorded_call)[-1] is Kind.PROOF_OPENED
        return call_identities(call_id, keys=keys, identities=identities)

    monkeypatch.setattr(access, "call_identities", looked)
    assert run(recorded_call, *WHY).exit_code == 0


def test_who_looked_and_why_is_never_left_out_of_the_entry(recorded_call: Config) -> None:
    """Without the recipients the access could not be sealed, and an index alone would not say who."""
    (recorded_call.keys / "recipients" / f"{CONTROLLER}.txt").unlink()
    error = refused(recorded_call, *WHY)
    assert "the access cannot be sealed: there are no recipients" in str(error)
    assert Kind.PROOF_OPENED not in kinds(recorded_call)


def test_without_an_identity_it_says_what_to_do_and_nothing_is_entered(recorded_call: Config) -> None:
    identity_path(CONTROLLER, recorded_call.identities).unlink()
    error = refused(recorded_call, *WHY)
    assert isinstance(error, KeysError)
    assert "Run as root, or name the identity with --identity FILE" in str(error)
    assert Kind.PROOF_OPENED not in kinds(recorded_call)


def test_an_identity_that_is_named_opens_and_one_of_somebody_else_does_not(
    recorded_call: Config, tmp_path: Path
) -> None:
    named, other = tmp_path / "named.txt", tmp_path / "other.txt"
    named.write_text(Keyring(recorded_call.keys).elsewhere.secret)
    other.write_text(Identity.generate().secret)
    assert "Name an identity of its controller" in str(refused(recorded_call, *WHY, "--identity", other))
    assert CALLER in run(recorded_call, *WHY, "--identity", named).output


def test_a_call_whose_keys_were_destroyed_is_opened_by_nobody(recorded_call: Config) -> None:
    destroy_proof_keys([CALL], recorded_call.keys)
    assert "cannot be opened" in str(refused(recorded_call, *WHY))


async def test_a_restricted_call_is_not_shown_save_for_what_a_legal_hold_keeps_it_for(
    recorded_call: Config,
) -> None:
    request = Request(
        right=Right.RESTRICTION,
        way="command",
        reference="12345678",
        asked_by="Anna",
        identified_by="call back",
        person="dpo",
    )
    hold = LegalHold(
        hold_id=hex_id(9),
        recording_id=hex_id(1),
        purpose="evidence",
        case="17",
        until=NOW + 10**6,
        reason="dispute",
        person="dpo",
    )
    await entered(recorded_call, about(Kind.REQUEST_ENTERED, request))
    error = refused(recorded_call, *WHY, "--purpose", "evidence")
    assert "the call is restricted" in str(error)
    assert Kind.PROOF_OPENED not in kinds(recorded_call)

    await entered(recorded_call, about(Kind.LEGAL_HOLD_PLACED, hold))
    assert "--purpose evidence" in str(refused(recorded_call, *WHY, "--purpose", "quality"))
    assert CALLER in run(recorded_call, *WHY, "--purpose", "evidence").output

    await entered(recorded_call, about(Kind.RESTRICTION_LIFTED, request))
    assert CALLER in run(recorded_call, *WHY).output


async def test_what_was_not_sealed_is_shown_as_its_index(config: Config) -> None:
    """A refusal under a controller that had no recipients yet."""
    ledger = await Ledger.open(config.ledger_path)
    await ledger.append(decision(1, Outcome.REFUSED))
    await ledger.close()
    give_keys(CONTROLLER, config.keys)
    add_identity(CONTROLLER, config.identities, [Keyring(config.keys).here.secret])
    asked, _ = json.loads(run(config, *WHY).output)["opened"]
    assert asked["payload"]["outcome"] == "refused"
    assert "dialled" not in asked["payload"]
