"""A policy is reviewed with its texts: whatever is wrong with either is told, with its place and what to write."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from asterisk_consent.errors import ConfigError
from asterisk_consent.model import Mode
from asterisk_consent.policy import Term, parse_policy
from asterisk_consent.policy.duties import announcement_duties
from asterisk_consent.policy.finding import Finding, Severity
from asterisk_consent.prompts.review import Review, review, spoken_announcement, spoken_values
from tests.policy.shipped import FILES, PROJECT, TEXTS, TODAY, changed, reviewed_texts, shipped

LEGAL = PROJECT / "tests/pbx/policies/legal-nl.toml"


def reviewed(text: str, *, texts: Path = TEXTS) -> Review:
    return review(Path("p.toml"), text.encode(), texts=texts, today=TODAY)


def found(result: Review, rule: str) -> list[Finding]:
    return [finding for finding in result.findings if finding.rule == rule]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """The shipped texts, as if reviewed, to be changed."""
    return reviewed_texts(tmp_path)


def change_text(texts: Path, name: str, old: str, new: str) -> None:
    file = texts / f"{name}.toml"
    file.write_text(changed(file.read_text(encoding="utf-8"), old, new), encoding="utf-8")


@pytest.mark.parametrize("file", [*FILES, LEGAL], ids=lambda file: file.stem)
def test_no_shipped_policy_has_an_error_and_all_it_says_is_there_in_every_language(file: Path) -> None:
    content = file.read_bytes()
    result = review(file, content, texts=TEXTS, today=TODAY)

    assert result.policy is not None
    assert result.of(Severity.ERROR) == []
    assert set(result.spoken) == set(result.policy.languages)
    for parts in result.spoken.values():
        assert set(parts) == set(announcement_duties(result.policy))
        assert all("{" not in spoken and spoken for spoken in parts.values())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_whatever_line_is_left_out_nothing_breaks_and_every_finding_has_its_advice(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    for number in range(len(lines)):
        result = reviewed("\n".join([*lines[:number], *lines[number + 1 :]]))

        assert all(each.what and each.instead for each in result.findings), lines[number]
        assert all(each.line <= len(lines) for each in result.findings)
        assert all(each.signed_by for each in result.of(Severity.SIGN))


def test_a_text_that_nobody_has_reviewed_is_told_and_may_be_approved() -> None:
    (finding,) = reviewed(shipped("p2-nb")).findings

    assert (finding.severity, finding.rule) == (Severity.WARNING, "text-unreviewed")
    assert (finding.place, finding.what) == ("nb/p2.toml", "nobody has reviewed the text")
    assert finding.instead.endswith("write their name as reviewed_by")


def test_a_misspelt_key_hides_nothing_that_does_not_rest_on_it() -> None:
    spoilt = changed(shipped("p2-nb"), "next_review", 'next_review = 2020-01-01\ntittle = "Opptak"')
    result = reviewed(spoilt)

    assert result.policy is None
    assert [(each.rule, each.place) for each in result.of(Severity.ERROR)] == [
        ("file", "tittle"),
        ("review-due", "next_review"),
    ]


def test_what_may_only_come_of_a_key_that_cannot_be_read_is_not_told() -> None:
    spoilt = changed(shipped("p2-nb"), 'refuse = "2"', 'refuse = "22"')

    assert [each.place for each in reviewed(spoilt).of(Severity.ERROR)] == ["digits.refuse"]
    unknown_mode = changed(shipped("p2-nb"), "mode", 'mode = "opt"\n[typo]')
    assert {each.rule for each in reviewed(unknown_mode).findings} == {"file"}


def test_a_problem_of_a_text_comes_with_its_place_and_what_to_write(texts: Path) -> None:
    change_text(texts, "nl/p1", "withdrawal", "")
    change_text(texts, "en/p1", "refuse", 'refuse = "press two if you do not want that,"')
    result = reviewed(shipped("p1-nl"), texts=texts)

    (missing,) = found(result, "text-missing")
    assert (missing.severity, missing.place, missing.line) == (
        Severity.ERROR,
        "nl/p1.toml: information.withdrawal",
        0,
    )
    assert missing.what == (
        "nothing says that consent can be withdrawn at any time, and that the recording is then erased (GDPR art. 7(3),"
        " 13(2)(c): that the agreement can be withdrawn at any time)"
    )
    assert missing.instead.startswith('Write in [information] a sentence withdrawal = "…" that says')
    assert [each.place for each in found(result, "text-written_digit")] == ["en/p1.toml: question.refuse"]
    assert [each.place for each in found(result, "text-place")] == ["en/p1.toml: question.refuse"]
    assert result.spoken == {}


def test_a_language_whose_text_is_complete_is_spoken_although_another_is_not(texts: Path) -> None:
    change_text(texts, "nl/p1", "withdrawal", "")
    assert set(reviewed(shipped("p1-nl"), texts=texts).spoken) == {"en"}


def test_a_digit_that_the_policy_does_not_have_is_not_spoken() -> None:
    result = reviewed(changed(shipped("p2-nb"), 'repeat = "3"', ""))

    (finding,) = found(result, "text-digit")
    assert finding.place == "nb/p2.toml: question.repeat"
    assert finding.what == "the sentence is for {repeat_digit}, but the policy has no digit repeat"
    assert finding.instead == "Leave the sentence out, or give the policy a digit repeat"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "the announcement text cannot be read: [Errno 2]"),
        (b"\xff", "the announcement text cannot be read: 'utf-8' codec"),
        (b"[information", "nb/p2.toml: not TOML: "),
        (
            b"",
            "nb/p2.toml: no reviewed_by: name who has reviewed the wording, or write 'unreviewed'; no part",
        ),
    ],
)
def test_a_text_that_cannot_be_read_is_an_error(texts: Path, content: bytes | None, what: str) -> None:
    file = texts / "nb/p2.toml"
    file.unlink() if content is None else file.write_bytes(content)

    (finding,) = reviewed(shipped("p2-nb"), texts=texts).of(Severity.ERROR)

    assert (finding.rule, finding.place) == ("text", "nb/p2.toml")
    assert what in finding.what
    assert "\n" not in finding.what
    assert finding.instead == "write the announcement in sounds/nb/p2.toml"


def test_a_language_of_which_nothing_is_known_is_an_error_that_says_what_to_add(texts: Path) -> None:
    shutil.copytree(texts / "nb", texts / "sv")
    policy = changed(shipped("p2-nb"), "[announcement.nb]", "[announcement.sv]")
    result = reviewed(changed(policy, "nb = ", 'sv = "utbildning"'), texts=texts)

    (finding,) = result.of(Severity.ERROR)
    assert (finding.rule, finding.place) == ("text-language", "sv/p2.toml")
    assert finding.what.startswith("nothing is known of the language 'sv'; known are: ")
    assert finding.instead.startswith("Add a table [sv] to ")
    assert result.spoken == {}


def test_a_language_in_which_no_purpose_is_announced_says_nothing_at_all() -> None:
    result = reviewed(changed(shipped("p1-nl"), 'nl = "de training', ""))

    assert [each.place for each in result.of(Severity.ERROR)] == ["announcement.nl"]
    assert set(result.spoken) == {"en"}


def test_a_value_that_cannot_be_spoken_is_an_error() -> None:
    policy = changed(shipped("p2-nb"), 'name = "Eksempel AS"', 'name = "Eksempel \\u0007 AS"')
    (finding,) = reviewed(policy).of(Severity.ERROR)

    assert (finding.rule, finding.place) == ("text-value", "nb/p2.toml")
    assert finding.what == "the value for {controller} holds characters that cannot be spoken"
    assert finding.instead


@pytest.mark.parametrize(
    ("country", "rules"),
    [
        ("NL", {"eu-vague-wording": Severity.WARNING}),
        ("NO", {"eu-vague-wording": Severity.WARNING, "no-vague-wording": Severity.ERROR}),
    ],
)
def test_what_a_vague_text_means_is_for_the_law_of_the_place(
    texts: Path, country: str, rules: dict[str, Severity]
) -> None:
    change_text(texts, "en/p4", "recording", 'recording = "This call may be recorded"')
    policy = changed(shipped("p4-logging"), "jurisdiction", f'jurisdiction = "{country}"')

    result = reviewed(policy, texts=texts)

    assert {each.rule: each.severity for each in result.findings} == rules
    assert all(each.place == "announcement" and each.line for each in result.findings)
    assert set(result.spoken) == {"en"}


def test_a_text_that_does_not_say_how_long_is_told_where_the_law_of_the_place_wants_it(texts: Path) -> None:
    change_text(texts, "fr/p5", "storage", "")

    (finding,) = reviewed(shipped("p5-be"), texts=texts).of(Severity.ERROR)

    assert (finding.rule, finding.place) == ("be-storage-time", "announcement")
    assert shipped("p5-be").splitlines()[finding.line - 1] == "[announcement]"


def test_a_file_that_is_no_policy_tells_every_problem_with_its_line_and_what_to_write() -> None:
    policy = shipped("p1-nl")
    for old, new in (
        ('mode = "opt-in"', 'mode = "ask"'),
        ('keep = "90 days"', 'keep = "3 mnd"'),
        ("repeats", "repeat = 2"),
    ):
        policy = changed(policy, old, new)
    result = reviewed(policy)

    assert result.policy is None
    assert result.spoken == {}
    lines = policy.splitlines()
    assert [
        (each.severity, each.rule, each.place, lines[each.line - 1].split(" #")[0].strip())
        for each in result.findings
    ] == [
        (Severity.ERROR, "file", "mode", 'mode = "ask"'),
        (Severity.ERROR, "file", "timing.repeat", "repeat = 2"),
        (Severity.ERROR, "file", "purposes[1].keep", 'keep = "3 mnd"'),
    ]
    assert [(each.what, each.instead) for each in result.findings] == [
        ("is 'ask'", "write one of 'opt-in', 'opt-out', 'notice', 'off'"),
        ("is not known here", "known are: attempts, first_digit_s, overall_s, repeats"),
        ("is '3 mnd'", "write a term such as '90 days', '4 weeks', '1 month' or '5 years'"),
    ]


def test_what_is_no_toml_is_one_finding_at_its_line() -> None:
    (finding,) = reviewed(changed(shipped("p1-nl"), "version", "version =")).findings

    assert (finding.rule, finding.place, finding.line) == ("file", "", 5)
    assert finding.what.startswith("not TOML: ")
    assert finding.instead == "correct this line"


def test_a_file_that_is_no_text_cannot_be_reviewed() -> None:
    with pytest.raises(ConfigError, match=r"p\.toml: is not UTF-8 text\. Save it as UTF-8"):
        review(Path("p.toml"), b"\xff\xfe", texts=TEXTS, today=TODAY)


def test_the_places_of_a_text_are_filled_from_the_policy() -> None:
    policy = parse_policy(shipped("p1-nl"), file="p1-nl.toml")
    first, second = policy.purposes
    purposes = (
        replace(first, keep=Term(amount=2, unit="week")),
        replace(second, keep=Term(amount=1, unit="month")),
    )
    policy = replace(policy, purposes=purposes, spoken_names={"en": "Example Limited"})

    assert spoken_values(policy, "en") == {
        "controller": "Example Limited",
        "purposes": "training our staff and checking that what we tell you is right",
        "storage_time": "1 month",
        "address": "voorbeeld dot example, slash privacy",
        "agree_digit": "1",
        "refuse_digit": "2",
        "repeat_digit": "3",
        "language_digit": "",
    }
    in_dutch = spoken_values(policy, "nl")
    assert (in_dutch["controller"], in_dutch["storage_time"]) == ("Voorbeeld BV", "14 dagen")


def test_each_language_of_a_menu_has_its_own_digit() -> None:
    policy = parse_policy(shipped("p5-be"), file="p5-be.toml")

    assert [spoken_values(policy, tag)["language_digit"] for tag in ("nl", "fr", "en", "de")] == [
        "1",
        "2",
        "3",
        "4",
    ]
    assert "2" in spoken_announcement(policy, "fr", TEXTS)[1]["menu"]


def test_where_nothing_is_recorded_no_text_is_looked_for(tmp_path: Path) -> None:
    result = reviewed(shipped("p4-plain"), texts=tmp_path)

    assert result.policy is not None
    assert (result.policy.mode, result.findings, result.spoken) == (Mode.OFF, (), {})
