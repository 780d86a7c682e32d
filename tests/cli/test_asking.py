"""``withdraw``, ``erase`` and ``restrict``: what people ask for, as somebody types it."""

import json
import time
from pathlib import Path

import pytest

from asterisk_consent.cli import asking
from asterisk_consent.errors import ConsentError, RequestRefusedError
from asterisk_consent.ledger import Kind, NewEntry, Recording, verify
from asterisk_consent.ledger.standing import standing_of
from asterisk_consent.model import Right
from tests.cli.typing_commands import LIKE_NO_OTHER, Desk
from tests.ledger.entries import hex_id
from tests.rights.kept_calls import NUMBER

KNOWN = ("--asked-by", "the caller", "--identified-by", "called back on the number of the call")
WHY = ("--reason", "to see that it holds")
NATIONAL = "020 7946 0123"
STRANGER = "+442079460999"


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    return await Desk.begin(tmp_path)


def refusal(desk: Desk, *words: str) -> RequestRefusedError:
    error = desk.type(*words).exception
    assert isinstance(error, RequestRefusedError), error
    return error


def hex_of(number: int) -> str:
    return hex_id(number * LIKE_NO_OTHER)


def asked_by(desk: Desk, call_id: str) -> str:
    """Who asked for the first thing that was asked about a call, opened."""
    shown = json.loads(
        desk.type("calls", "show", call_id, "--open", "--purpose", "legal-claims", *WHY).stdout
    )
    requests = [each["payload"] for each in shown["opened"] if each["kind"] == "request.entered"]
    return str(requests[0]["asked_by"])


def states(answer: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {copy["what"].split(" ")[0]: copy["state"] for copy in answer["copies"]}


def test_the_answer_names_every_copy_and_the_entry_of_the_request(desk: Desk) -> None:
    call_id = desk.recorded(1)
    result = desk.type("withdraw", call_id[:8], *KNOWN)
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[0] == "call copy state note"
    assert "10000000 recording 10000000 done key destroyed, file removed" in lines
    assert any(line.startswith("10000000 proof done restricted until ") for line in lines)
    (request,) = standing_of(desk.kept.held.ledger, call_id).requests
    assert lines[-1] == f"10000000: carried out; the reference is {request.reference}."
    assert not desk.has_audio(call_id)


@pytest.mark.parametrize(
    "words",
    [
        ("withdraw",),
        ("withdraw", "10000000"),
        ("withdraw", *KNOWN),
        ("erase", "10000000", "--receipt", "123456789012", *KNOWN),
        ("restrict", "10000000", "--controller", "voorbeeld", *KNOWN),
        ("object", *KNOWN),
        ("object", "--number", NUMBER),
        ("object", "--number", NUMBER, "--lift", "--reason", "moved"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_enters_nothing(desk: Desk, words: tuple[str, ...]) -> None:
    desk.recorded(1)
    before = verify(desk.kept.held.ledger).entries
    result = desk.type(*words)
    assert result.exit_code == 2
    assert "Usage" in result.stderr
    assert verify(desk.kept.held.ledger).entries == before


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("withdraw", "1000000", *KNOWN), "no such call"),
        (("withdraw", "ffffffff", *KNOWN), "no such call"),
        (("withdraw", "10000000", "--asked-by", "the caller"), "how you know who asks"),
        (("erase", "--number", NUMBER, "--asked-by", "the caller"), "how you know who asks"),
        (("withdraw", "10000000", *KNOWN[:3], "passport NXR1P2D34"), "never stored"),
        (("withdraw", "--receipt", "123", *KNOWN), "no call has this receipt"),
        (("withdraw", "--number", "extension", *KNOWN), "no telephone number"),
        (
            ("withdraw", "--number", NUMBER, "--controller", "nobody", *KNOWN),
            "no policy is of this controller",
        ),
        (("restrict", "10000000", "--lift", "--reason", "settled"), "no restriction was asked for"),
        (("object", "--number", NUMBER, *KNOWN[:2]), "how you know who asks"),
        (("object", "--number", NUMBER, *KNOWN[:3], "passport NXR1P2D34"), "never stored"),
        (("object", "--number", NUMBER, "--lift", *KNOWN), "no reason given"),
        (("object", "--number", NUMBER, "--lift", *KNOWN, "--reason", "moved"), "not on the list"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_is_refused_with_what_to_do_and_enters_nothing(
    desk: Desk, words: tuple[str, ...], why: str
) -> None:
    desk.recorded(1)
    before = verify(desk.kept.held.ledger).entries
    error = refusal(desk, *words)
    assert why in str(error)
    assert error.remedy
    assert verify(desk.kept.held.ledger).entries == before


@pytest.mark.parametrize("number", [NUMBER, "0044 20 7946 0123", "44 20 7946 0123"])
def test_a_number_finds_its_calls_however_it_is_written_and_those_of_nobody_else(
    desk: Desk, number: str
) -> None:
    mine, other = desk.recorded(1), desk.recorded(2, caller=STRANGER)
    answers = desk.answer("withdraw", "--number", number, *KNOWN)
    assert [answer["call_id"] for answer in answers] == [mine]
    assert desk.has_audio(other)


def test_a_controller_limits_a_number_to_its_own_calls(desk: Desk) -> None:
    mine, other = desk.recorded(1), desk.evidence(2)
    controller = desk.kept.controller("p1-nl")
    answers = desk.answer("withdraw", "--number", NUMBER, "--controller", controller, *KNOWN)
    assert [answer["call_id"] for answer in answers] == [mine]
    assert desk.has_audio(other)


def test_a_number_finds_calls_under_a_policy_whose_file_is_gone_or_broken(desk: Desk) -> None:
    mine, other = desk.recorded(1), desk.evidence(2)
    desk.kept.place.file_of("p1-nl").unlink()
    desk.kept.place.file_of("p5-be").write_text("no policy")
    answers = desk.answer("withdraw", "--number", NUMBER, *KNOWN)
    assert [answer["call_id"] for answer in answers] == [mine, other]


def test_by_number_alone_the_audio_waits_and_goes_once_somebody_is_identified(desk: Desk) -> None:
    call_id = desk.recorded(1)
    (first,) = desk.answer("withdraw", "--number", NUMBER, "--asked-by", "somebody on the telephone")
    assert (first["settled"], states(first)) == (False, {"recording": "pending"})
    assert desk.has_audio(call_id)
    assert standing_of(desk.kept.held.ledger, call_id).is_restricted
    (second,) = desk.answer("withdraw", "--number", NUMBER, *KNOWN)
    assert second["settled"]
    assert not desk.has_audio(call_id)


@pytest.mark.parametrize("command", ["withdraw", "erase", "restrict"])
def test_a_number_is_read_from_standard_input_and_never_printed(desk: Desk, command: str) -> None:
    desk.recorded(1)
    result = desk.type(command, "--number", "-", *KNOWN, keys=f"{NUMBER}\n")
    assert result.exit_code == 0
    assert "10000000" in result.stdout
    for shown in (NUMBER, NUMBER[3:], NATIONAL):
        assert shown not in result.output


@pytest.mark.parametrize(
    "words",
    [
        ("withdraw", *KNOWN),
        ("erase", *KNOWN),
        ("object", "--lift", "--reason", "moved", *KNOWN),
        ("object", *KNOWN),
        ("calls", "list", "--reason", "a complaint"),
    ],
)
@pytest.mark.parametrize("number", [NUMBER, NATIONAL, "12"])
def test_no_answer_and_no_error_prints_the_number_that_was_typed(
    desk: Desk, words: tuple[str, ...], number: str
) -> None:
    desk.recorded(1, caller=STRANGER)
    result = desk.type(*words, "--number", number)
    assert number not in f"{result.output}{result.exception}".replace("12 digits", "")


def test_an_empty_standard_input_is_wrong_usage(desk: Desk) -> None:
    for words in (("object", "--number", "-", *KNOWN), ("withdraw", "--receipt", "-", *KNOWN)):
        assert desk.type(*words, keys="").exit_code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("--number", "-", "--asked-by", "-", *KNOWN[2:]),
        (*KNOWN[2:], "--asked-by", "-", "--number", "-"),
    ],
    ids=["in order", "the other way round"],
)
def test_what_is_typed_unseen_is_read_line_by_line_in_one_order(desk: Desk, words: tuple[str, ...]) -> None:
    desk.recorded(1)
    result = desk.type("withdraw", *words, keys=f"{NUMBER}\nAnna Voorbeeld\n")
    assert result.exit_code == 0, result.output
    assert asked_by(desk, hex_of(1)) == "Anna Voorbeeld"
    assert "Anna" not in result.output


def test_a_receipt_and_who_asks_are_read_from_standard_input(desk: Desk) -> None:
    call_id = desk.recorded(1, receipt="111122223333")
    result = desk.type(
        "withdraw", "--asked-by", "-", "--receipt", "-", keys="1111 2222 3333\nAnna Voorbeeld\n"
    )
    assert result.exit_code == 0, result.output
    assert not desk.has_audio(call_id)
    assert asked_by(desk, call_id) == "Anna Voorbeeld"


def test_what_is_missing_on_standard_input_is_named_and_nothing_is_entered(desk: Desk) -> None:
    desk.recorded(1)
    before = verify(desk.kept.held.ledger).entries
    result = desk.type("withdraw", "--number", "-", "--asked-by", "-", *KNOWN[2:], keys=f"{NUMBER}\n")
    assert result.exit_code == 2
    assert "--asked-by -: nothing came" in result.stderr
    assert verify(desk.kept.held.ledger).entries == before


def test_a_receipt_is_enough_to_know_who_asks(desk: Desk) -> None:
    call_id = desk.recorded(1, receipt="111122223333")
    (answer,) = desk.answer("withdraw", "--receipt", "1111 2222 3333", "--asked-by", "the caller")
    assert answer["call_id"] == call_id
    assert not desk.has_audio(call_id)


def test_a_refusal_that_is_withdrawn_gets_a_sensible_answer(desk: Desk) -> None:
    (answer,) = desk.answer("withdraw", desk.refused(1), *KNOWN)
    assert answer["settled"]
    assert answer["copies"][0] == {"what": "recording", "state": "done", "note": "nothing was recorded"}


def test_an_erased_call_cannot_be_asked_about_again_and_it_says_since_when(desk: Desk) -> None:
    call_id = desk.recorded(1)
    assert states(desk.answer("erase", call_id, *KNOWN)[0]) == {"recording": "done", "proof": "done"}
    assert not desk.is_known(call_id)
    for command in ("withdraw", "erase", "restrict"):
        assert "everything of this call was erased on 20" in str(refusal(desk, command, call_id[:8], *KNOWN))
    assert verify(desk.kept.held.ledger).problem is None


def test_while_the_service_is_away_a_running_recording_is_pending_and_nothing_waits(desk: Desk) -> None:
    call_id = desk.running(1)
    began = time.monotonic()
    result = desk.type("erase", call_id, *KNOWN)
    assert time.monotonic() - began < asking.SERVICE_S
    assert result.exit_code == 0
    assert "pending" in result.stdout
    assert "entered, and not yet carried out" in result.stdout
    assert "The service does not run" in result.stderr
    assert [request.right for request in desk.kept.requests.unsettled()] == [Right.ERASURE]


def test_while_the_service_is_there_a_running_recording_is_waited_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = desk.running(1)
    waited: list[float] = []

    def the_service_ends_it(seconds: float) -> None:
        waited.append(seconds)
        end = Recording(recording_id=call_id, reason="withdrawn while it was recorded")
        controller = desk.kept.controller("p1-nl")
        desk.kept.append(
            NewEntry(stream=controller, kind=Kind.RECORDING_FAILED, call_id=call_id, payload=end)
        )

    monkeypatch.setattr("asterisk_consent.cli.asking.time.sleep", the_service_ends_it)
    with desk.service_there():
        result = desk.type("withdraw", call_id, *KNOWN)
    assert waited[0] > 0
    assert "carried out;" in result.stdout
    assert not result.stderr


def test_what_the_service_does_not_end_in_time_is_pending(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "SERVICE_S", 0.2)
    call_id = desk.running(1)
    with desk.service_there():
        result = desk.type("withdraw", call_id, *KNOWN)
    assert result.exit_code == 0
    assert "entered, and not yet carried out" in result.stdout


def test_what_was_handed_out_is_told_before_it_is_erased(desk: Desk, tmp_path: Path) -> None:
    call_id = desk.recorded(1)
    copy = str(tmp_path / "copy.wav")
    handing = ("--reason", "a complaint", "--to", "A. Lawyer", "-o", copy)
    assert desk.type("recordings", "export", call_id, *handing).exit_code == 0

    nobody = str(tmp_path / "nobody")
    assert "art. 19" in str(refusal(desk, "erase", call_id, *KNOWN, "--identity", nobody))
    assert desk.is_known(call_id)

    result = desk.type("erase", call_id, *KNOWN)
    assert "Tell A. Lawyer, who received a copy on 20" in result.stdout
    assert not desk.is_known(call_id)


def test_a_restriction_hides_until_it_is_lifted_with_a_reason(desk: Desk) -> None:
    call_id = desk.recorded(1)
    desk.answer("restrict", call_id, *KNOWN)
    assert "restricted" in str(refusal(desk, "calls", "show", call_id, "--open", "--reason", "a look"))
    assert "no reason" in str(refusal(desk, "restrict", call_id, "--lift"))
    lifting = ("restrict", "--number", NUMBER, "--lift", "--reason", "it was settled")
    desk.recorded(2)
    assert desk.answer(*lifting) == [{"call_id": call_id, "restricted": False}]
    assert desk.type("calls", "show", call_id, "--open", "--reason", "a look").exit_code == 0


def test_without_a_ledger_every_command_says_why_not(desk: Desk) -> None:
    desk.kept.held.ledger.unlink()
    for words in (("withdraw", "10000000", *KNOWN), ("object", "--number", NUMBER, *KNOWN)):
        error = desk.type(*words).exception
        assert isinstance(error, ConsentError)
        assert "service" in error.remedy


def test_nothing_that_was_overwritten_is_left_in_a_log(desk: Desk) -> None:
    call_id = desk.recorded(1)
    result = desk.type("erase", call_id, *KNOWN)
    assert "write-ahead log" not in result.stderr
    assert desk.kept.holds_bytes(NUMBER.encode()) == []
