"""``policy``: what is wrong is told, what is approved is entered whole and by whom, and what can be asked is listed."""

import json
import sys
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from asterisk_consent.cli.policy import policy as command
from asterisk_consent.config import load_policy
from asterisk_consent.errors import AudioError, ConfigError, LedgerError, RequestRefusedError
from asterisk_consent.ledger import ApprovalRow, approvals
from asterisk_consent.prompts.rendered import PromptSet
from tests.calls.approved_place import ApprovedPlace
from tests.policy.shipped import FILES, TEXTS, TODAY, changed, reviewed_texts, shipped
from tests.prompts.made_announcement import make_announcement, make_announcements

MODULE = sys.modules["asterisk_consent.cli.policy"]
"""The module; the package has the command by the same name."""
OFFICER = ("--name", "A. Bakker", "--role", "data protection officer")
SECURITY = ("--name", "K. Nordmann", "--role", "security officer")
SIGNED = (
    *("--sign", "eu-objection-announced=agents are trained"),
    *("--sign", "eu-outgoing-expectation=LIA 2026-03, section 4"),
    *("--sign", "nl-necessity = samples would not do "),
)
KEYS = {"file", "policy", "line", "severity", "rule", "place", "what", "instead", "signed_by", "source"}
LISTED = {
    "policy",
    "version",
    "controller",
    "mode",
    "languages",
    "approved_at",
    "approved_by",
    "role",
    "fault",
}


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day on which no review of a shipped policy is due."""
    monkeypatch.setattr(MODULE, "_today", lambda: TODAY)


@pytest.fixture
async def place(tmp_path: Path) -> ApprovedPlace:
    """A place with the Norwegian policy, spoken and not approved."""
    place = await ApprovedPlace(tmp_path).begin()
    place.put("p2-nb")
    place.speak("p2-nb")
    reviewed_texts(tmp_path)
    return place


def run(place: ApprovedPlace, *arguments: str) -> Result:
    texts = place.config.file.with_name("sounds")
    reads_texts = arguments[0] != "list" and "--texts" not in arguments
    words = [*arguments, "--texts", str(texts)] if reads_texts else list(arguments)
    return CliRunner().invoke(command, words, obj=place.config)


def refusal(result: Result) -> RequestRefusedError:
    assert isinstance(result.exception, RequestRefusedError), result
    return result.exception


def approved(place: ApprovedPlace) -> list[ApprovalRow]:
    return approvals(place.config.ledger_path)


def test_what_is_in_order_ends_with_no_error(place: ApprovedPlace) -> None:
    result = run(place, "check")

    file = place.file_of("p2-nb")
    assert result.exit_code == 0
    assert result.output == f"{file}: p2-nb version 1, mode opt-in\n  no error\n"


def test_a_file_may_be_checked_that_is_not_configured(place: ApprovedPlace) -> None:
    result = run(place, "check", *map(str, FILES))

    assert result.exit_code == 0
    assert result.output.count("no error") == len(FILES)


def test_every_finding_has_its_line_its_place_and_its_advice_the_worst_first(place: ApprovedPlace) -> None:
    place.change("p2-nb", 'refuse = "2"', 'refuse = "1"')
    place.change("p2-nb", 'works_council = "Drøftet', "")
    result = run(place, "check")

    lines = place.file_of("p2-nb").read_text(encoding="utf-8").splitlines()
    refuse, agents = lines.index('refuse = "1"') + 1, lines.index("[agents]") + 1
    assert result.exit_code == 1
    title, *found, last = result.output.splitlines()
    assert title == f"{place.file_of('p2-nb')}: p2-nb version 1, mode opt-in"
    assert found[:2] == [
        f"  error [digit-two-meanings] p2-nb.toml:{refuse}: digits.refuse: '1' means both agree and refuse",
        "    Give each meaning a digit of its own",
    ]
    where = f"  warning [no-works-council] p2-nb.toml:{agents}: agents.works_council: No reference shows that"
    assert found[2].startswith(where)
    assert found[3].startswith("    Hold the discussion, write down its date")
    assert found[4].startswith(
        "    Source: Arbeidsmiljøloven § 9-1 and § 9-2 (2005-06-17) https://lovdata.no/"
    )
    assert found[5:] == []
    assert last == "  1 error: cannot be approved"


def test_what_must_be_signed_says_by_whom_and_how(place: ApprovedPlace) -> None:
    result = run(place, "check", str(next(file for file in FILES if file.stem == "p3-nl")))

    assert result.exit_code == 0
    assert "  must be signed [nl-necessity] p3-nl.toml:8: mode: The Dutch authority" in result.output
    assert "    To be signed by: data protection officer, with --sign nl-necessity=REASON\n" in result.output


def test_json_has_one_object_a_finding_with_every_key(place: ApprovedPlace) -> None:
    place.change("p2-nb", 'proof_term = "5 years"', 'proof_term = "5 days"')
    result = run(place, "check", "--json")

    (finding,) = json.loads(result.output)
    assert result.exit_code == 1
    assert finding.keys() == KEYS
    assert finding == {
        "file": str(place.file_of("p2-nb")),
        "policy": "p2-nb",
        "line": 12,
        "severity": "error",
        "rule": "proof-outlives",
        "place": "proof_term",
        "what": "the proof goes after 5 days, a recording for 'training' after 90 days",
        "instead": "write '90 days' or longer",
        "signed_by": None,
        "source": None,
    }


def test_json_of_what_is_in_order_is_an_empty_array(place: ApprovedPlace) -> None:
    result = run(place, "check", "--json")
    assert (result.exit_code, json.loads(result.output)) == (0, [])


def test_a_file_that_is_no_policy_is_told_and_the_others_are_checked(
    place: ApprovedPlace, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text(changed(shipped("p2-nb"), 'mode = "opt-in"', 'mode = "ask"'), encoding="utf-8")
    result = run(place, "check", str(broken), str(place.file_of("p2-nb")))

    assert result.exit_code == 1
    assert result.output.splitlines()[:4] == [
        str(broken),
        "  error [file] broken.toml:7: mode: is 'ask'",
        "    Write one of 'opt-in', 'opt-out', 'notice', 'off'",
        "  1 error: cannot be approved",
    ]
    assert result.output.endswith("p2-nb version 1, mode opt-in\n  no error\n")


def test_other_texts_may_be_checked_against(place: ApprovedPlace, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    result = run(place, "check", "--texts", str(tmp_path / "texts"))

    assert result.exit_code == 1
    assert "error [text] nb/p2.toml: " in result.output


def test_without_a_policy_there_is_nothing_to_check(place: ApprovedPlace) -> None:
    place.file_of("p2-nb").unlink()
    assert isinstance(run(place, "check").exception, ConfigError)


def test_who_approves_what_is_entered_with_its_whole_text(place: ApprovedPlace) -> None:
    result = run(place, "approve", "p2-nb", *SECURITY)

    assert result.exit_code == 0, result.exception
    assert "p2-nb version 1: approved by K. Nordmann, security officer\n" in result.output
    assert "Reload the service" in result.output
    (row,) = approved(place)
    prompts = place.speak("p2-nb")["nb"]
    approval = row.approval
    assert approval is not None
    assert (row.policy, row.policy_version, row.controller) == ("p2-nb", 1, "eksempel")
    assert (approval.name, approval.role, approval.signed) == ("K. Nordmann", "security officer", ())
    assert "\n".join(approval.file) + "\n" == place.file_of("p2-nb").read_text(encoding="utf-8")
    (spoken,) = approval.announcements
    assert (spoken.language, spoken.digest, spoken.text_digest) == (
        "nb",
        prompts.digest,
        prompts.text_digest,
    )
    assert dict(spoken.parts) == {name: part.text for name, part in prompts.parts.items()}
    assert place.loaded()["p2-nb"].fault == ""


def test_every_signature_is_entered_with_its_reason_and_no_other(place: ApprovedPlace) -> None:
    place.put("p3-nl")
    place.speak("p3-nl")
    result = run(place, "approve", "p3-nl", *OFFICER, *SIGNED, "--sign", "de-notice=not asked for")

    assert result.exit_code == 0, result.exception
    (row,) = approved(place)
    assert row.approval is not None
    assert row.approval.signed == (
        ("eu-objection-announced", "agents are trained"),
        ("eu-outgoing-expectation", "LIA 2026-03, section 4"),
        ("nl-necessity", "samples would not do"),
    )


def test_what_is_not_signed_for_is_not_approved(place: ApprovedPlace) -> None:
    place.put("p3-nl")
    place.speak("p3-nl")
    error = refusal(run(place, "approve", "p3-nl", *OFFICER, *SIGNED[:4]))

    assert str(error).startswith("p3-nl: not signed for:\n  nl-necessity: The Dutch authority")
    assert "Whoever signs takes on that" in str(error)
    assert str(error).endswith("Add --sign RULE=REASON for each, or change the policy")
    assert approved(place) == []


@pytest.mark.parametrize("signature", ["nl-necessity", "nl-necessity=", "nl-necessity= "])
def test_a_signature_has_a_reason(place: ApprovedPlace, signature: str) -> None:
    result = run(place, "approve", "p2-nb", *SECURITY, "--sign", signature)

    assert result.exit_code == 2
    assert "write RULE=REASON" in result.output


def test_another_role_than_the_policy_names_does_not_approve(place: ApprovedPlace) -> None:
    error = refusal(run(place, "approve", "p2-nb", *OFFICER))

    assert (
        str(error)
        == "p2-nb: 'data protection officer' does not approve this policy. It is for: security officer"
    )
    assert approved(place) == []


def test_nobody_approves_a_policy_with_an_error(place: ApprovedPlace) -> None:
    place.change("p2-nb", 'proof_term = "5 years"', 'proof_term = "5 days"')
    error = refusal(run(place, "approve", "p2-nb", *SECURITY))

    assert str(error).startswith("the policy has errors\n")
    assert "error [proof-outlives] p2-nb.toml:12: proof_term: the proof goes after 5 days" in str(error)
    assert approved(place) == []


def test_a_policy_whose_review_is_overdue_is_not_approved(
    place: ApprovedPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODULE, "_today", lambda: date(2027, 10, 2))
    assert "the review was due on 2027-10-01" in str(refusal(run(place, "approve", "p2-nb", *SECURITY)))


def test_a_policy_that_was_never_spoken_is_not_approved(place: ApprovedPlace) -> None:
    place.put("p4-logging")
    role = ("--name", "X", "--role", "privacy officer of the customer")
    assert isinstance(run(place, "approve", "p4-logging", *role).exception, AudioError)


def test_what_was_spoken_in_other_words_is_not_approved(place: ApprovedPlace) -> None:
    directory = place.announcements_of("p2-nb") / "nb"
    make_announcement(directory, {"information": "Hei.", "question": "Trykk 1."}, language="nb")
    error = refusal(run(place, "approve", "p2-nb", *SECURITY))

    assert str(error).startswith(
        "p2-nb/nb: what was rendered or recorded is not what the policy and its text say now. Render it again"
    )
    assert approved(place) == []


def test_a_word_that_the_policy_changed_has_to_be_spoken_again(place: ApprovedPlace) -> None:
    place.change("p2-nb", 'agree = "1"', 'agree = "4"')
    assert "Render it again" in str(refusal(run(place, "approve", "p2-nb", *SECURITY)))


def test_a_version_is_approved_with_one_content_only(place: ApprovedPlace) -> None:
    run(place, "approve", "p2-nb", *SECURITY)
    place.change("p2-nb", 'keep = "90 days"', 'keep = "80 days"')
    place.speak("p2-nb")
    error = refusal(run(place, "approve", "p2-nb", *SECURITY))

    assert str(error).startswith("p2-nb: version 1 was approved before, with another content")
    assert str(error).endswith("Write version = 2, render its announcements and approve that")
    assert len(approved(place)) == 1

    place.change("p2-nb", "version = 1", "version = 2")
    place.speak("p2-nb")
    assert run(place, "approve", "p2-nb", *SECURITY).exit_code == 0
    assert [row.policy_version for row in approved(place)] == [1, 2]


def test_even_a_comment_is_content(place: ApprovedPlace) -> None:
    run(place, "approve", "p2-nb", *SECURITY)
    place.change("p2-nb", "# Opt-in in Norwegian", "# In Norwegian")
    assert "another content" in str(refusal(run(place, "approve", "p2-nb", *SECURITY)))


def test_the_same_words_in_another_voice_are_approved_anew(place: ApprovedPlace) -> None:
    run(place, "approve", "p2-nb", *SECURITY)
    place.speak("p2-nb", voice="A. Voice")
    assert place.loaded()["p2-nb"].fault

    assert run(place, "approve", "p2-nb", *SECURITY).exit_code == 0
    assert len(approved(place)) == 2
    assert place.loaded()["p2-nb"].fault == ""


def test_other_words_need_a_new_version_although_the_policy_is_the_same(
    place: ApprovedPlace, tmp_path: Path
) -> None:
    run(place, "approve", "p2-nb", *SECURITY)
    texts = tmp_path / "texts"
    (texts / "nb").mkdir(parents=True)
    words = (TEXTS / "nb/p2.toml").read_text(encoding="utf-8")
    changed_words = changed(words, "controller", 'controller = "Hei, dette er {controller}."')
    (texts / "nb/p2.toml").write_text(changed_words, encoding="utf-8")
    make_announcements(
        place.announcements_of("p2-nb"), load_policy(place.file_of("p2-nb")).policy, texts=texts
    )

    error = refusal(run(place, "approve", "p2-nb", *SECURITY, "--texts", str(texts)))

    assert "version 1 was approved before, with another content" in str(error)
    assert len(approved(place)) == 1


def test_what_is_approved_already_is_not_entered_twice(place: ApprovedPlace) -> None:
    run(place, "approve", "p2-nb", *SECURITY)
    result = run(place, "approve", "p2-nb", *SECURITY)

    assert result.exit_code == 0
    assert "p2-nb version 1: approved already, nothing has changed since\n" in result.output
    assert len(approved(place)) == 1


def test_a_policy_that_there_is_not_is_a_usage_error_before_anything_is_approved(
    place: ApprovedPlace,
) -> None:
    result = run(place, "approve", "p2-nb", "p9", *SECURITY)

    assert result.exit_code == 2
    assert "there is no policy 'p9'; there are p2-nb" in result.output
    assert approved(place) == []


def test_a_name_and_a_role_are_needed(place: ApprovedPlace) -> None:
    for arguments in ((), SECURITY[:2], SECURITY[2:]):
        assert run(place, "approve", "p2-nb", *arguments).exit_code == 2


def test_without_a_ledger_nothing_is_approved(place: ApprovedPlace) -> None:
    place.config.ledger_path.unlink()
    assert isinstance(run(place, "approve", "p2-nb", *SECURITY).exception, LedgerError)


def test_a_policy_that_is_off_may_be_approved_too(place: ApprovedPlace) -> None:
    place.put("p4-plain")
    role = ("--name", "X", "--role", "privacy officer of the customer")
    assert run(place, "approve", "p4-plain", *role).exit_code == 0
    assert [row.policy for row in approved(place)] == ["p4-plain"]


def test_json_has_every_policy_with_its_approval_or_its_fault(place: ApprovedPlace) -> None:
    run(place, "approve", "p2-nb", *SECURITY)
    place.put("p4-plain")
    place.put("p5-be")
    result = run(place, "list", "--json")

    nb, off, be = json.loads(result.output)
    assert all(each.keys() == LISTED for each in (nb, off, be))
    assert nb["approved_at"]
    assert nb | {"approved_at": None} == {
        "policy": "p2-nb",
        "version": 1,
        "controller": "eksempel",
        "mode": "opt-in",
        "languages": ["nb"],
        "approved_at": None,
        "approved_by": "K. Nordmann",
        "role": "security officer",
        "fault": None,
    }
    assert (off["mode"], off["approved_at"], off["fault"]) == ("off", None, None)
    assert be["fault"].startswith(str(place.config.prompts))


def test_the_list_for_people_says_who_approved_and_what_is_wrong(place: ApprovedPlace) -> None:
    assert "the policy is not approved" in run(place, "list").output

    run(place, "approve", "p2-nb", *SECURITY)
    output = run(place, "list").output
    assert "K. Nordmann, security officer" in output
    assert "the policy is not approved" not in output


def test_a_new_version_has_no_approval_yet(place: ApprovedPlace) -> None:
    run(place, "approve", "p2-nb", *SECURITY)
    place.change("p2-nb", "version = 1", "version = 2")
    place.speak("p2-nb")

    (listed,) = json.loads(run(place, "list", "--json").output)
    assert (listed["version"], listed["approved_at"]) == (2, None)
    assert listed["fault"].startswith("the policy is not approved. ")


def test_a_name_with_control_characters_is_shown_harmless(place: ApprovedPlace) -> None:
    result = run(place, "approve", "p2-nb", "--name", "K\x1b[2J", "--role", "security officer")
    assert result.exit_code == 0
    assert "\x1b" not in result.output + run(place, "list").output


def test_an_announcement_longer_than_the_conversation_is_not_approved(
    place: ApprovedPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PromptSet, "duration_s", 91.0)

    error = refusal(run(place, "approve", "p2-nb", *SECURITY))

    assert str(error) == (
        "p2-nb/nb: the announcement lasts 91 s, the whole conversation 90 s at most: shorten the text, or write a"
        " longer timing.overall_s"
    )
    assert approved(place) == []


def test_of_several_policies_none_is_approved_where_one_cannot_be(place: ApprovedPlace) -> None:
    place.put("p4-logging")
    place.speak("p4-logging")

    refusal(run(place, "approve", "p2-nb", "p4-logging", *SECURITY))

    assert approved(place) == []
