"""Policy files: what is written is read as it says; whatever is wrong is told once, with line, place and advice."""

from dataclasses import fields
from pathlib import Path

import pytest

from asterisk_consent.errors import ConfigError
from asterisk_consent.model import Direction, Mode
from asterisk_consent.policy import MAX_FIRST_DIGIT_S, UNRECORDED, ChosenBy, Policy, Term, parse_policy
from asterisk_consent.policy.model import Codes, Language, Rights, Timing
from tests.policy.everything import EVERYTHING, READ
from tests.policy.example import EXAMPLE
from tests.policy.shipped import FILES

OFF = """
id = "off"
version = 1
mode = "off"
jurisdiction = "NL"
[controller]
id = "klant"
name = "Klant BV"
[approval]
role = "privacy officer"
"""


def read(text: str) -> Policy:
    return parse_policy(text, file="p.toml")


def complaints(text: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        parse_policy(text, file="p.toml")
    return str(raised.value).splitlines()


@pytest.mark.parametrize("name", [field.name for field in fields(Policy)])
def test_every_key_is_read_as_it_says(name: str) -> None:
    assert getattr(read(EVERYTHING), name) == READ[name]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_policy_that_is_shipped_can_be_read_and_is_named_as_its_file(file: Path) -> None:
    assert parse_policy(file.read_text(encoding="utf-8"), file=file.name).id == file.stem


def test_what_may_be_left_out_has_a_modest_default() -> None:
    timing = EXAMPLE[EXAMPLE.index("[timing]") : EXAMPLE.index("[announcement]")]
    policy = read(EXAMPLE.replace(timing, ""))

    assert policy.timing == Timing(attempts=2, repeats=2, first_digit_s=5.0, overall_s=90.0)
    assert policy.directions == (Direction.INCOMING,)
    assert (policy.title, policy.assessment, policy.granting_role) == ("", "", "")
    assert (policy.special_category, policy.card_data) == (False, False)
    assert policy.codes == Codes()
    assert (policy.roles, policy.recipients, policy.excluded) == ((), (), ())
    assert (policy.processor, policy.reports) == (None, None)
    assert not policy.receipt.read_out
    assert policy.rights == Rights(
        answer_within=Term(amount=1, unit="month"), copy_holds="both sides", copy_reason=""
    )
    assert policy.purposes[0].extension is None
    assert not policy.live_listening


def test_without_a_word_about_it_the_only_language_is_the_one() -> None:
    policy = read(EXAMPLE.replace('[language]\nchosen_by = "fixed"\n', ""))

    assert policy.language == Language(chosen_by=ChosenBy.FIXED, otherwise=UNRECORDED)
    assert policy.languages == ("nl",)


def test_where_nothing_is_recorded_little_is_needed() -> None:
    policy = read(OFF)

    assert (policy.mode, policy.languages, policy.purposes) == (Mode.OFF, (), ())
    assert policy.language.otherwise == UNRECORDED
    assert policy.controller.dpo == ""


def test_what_is_left_of_the_asking_is_told_where_nothing_is_asked_any_more() -> None:
    text = EXAMPLE.replace('mode = "opt-in"', 'mode = "off"')
    lines = text.splitlines()

    assert complaints(text) == [
        f"p.toml:{lines.index(line) + 1}: {place}: means nothing with mode 'off'; take it out"
        for place, line in (
            ("proof_term", 'proof_term = "5 years"'),
            ("language", "[language]"),
            ("announcement", "[announcement]"),
            ("purposes", "[[purposes]]"),
        )
    ]


@pytest.mark.parametrize("without", ["id =", "version", "jurisdiction", "name", "role"])
def test_where_nothing_is_recorded_it_is_said_for_whom_and_who_approves(without: str) -> None:
    text = "".join(line for line in OFF.splitlines(keepends=True) if not line.startswith(without))
    assert complaints(text)


@pytest.mark.parametrize(
    "mode", ["mode = 'opt-in'\nbasis = 'consent'", "mode = 'notice'\nbasis = 'contract'"]
)
def test_who_records_says_everything_that_is_missing_at_once(mode: str) -> None:
    found = complaints(OFF.replace('mode = "off"', mode))

    assert sorted(complaint.split(": ")[1] for complaint in found) == [
        "announcement",
        "announcement.text",
        "controller.authority",
        "controller.dpo",
        "controller.privacy_notice",
        "next_review",
        "proof_term",
        "purposes",
    ]


_NAME = "begin with a letter or digit, then these, '-', '_' and '.', 64 characters at most"
_TEXT = "write a text in quotes"
_DIGIT = "write one of 0123456789*# in quotes"
_DATE = "write a date such as 2026-12-31, without quotes"
_TERM = "write a term such as '90 days', '4 weeks', '1 month' or '5 years'"
_NUMBER = "write the number as it is dialled: digits, '*', '#' and '+'"
_CODE = "write two to six of 0123456789*# in quotes, such as '*9'"
_BASES = (
    "write one of 'consent', 'contract', 'legal-obligation', 'vital-interests', 'public-task',"
    " 'legitimate-interests'"
)
WRONG: list[tuple[str, str, str, str]] = [
    ('id = "all-of_it.2"', 'id = "p1 nl"', "id", f"is 'p1 nl'; {_NAME}"),
    ('id = "all-of_it.2"', 'id = ".."', "id", f"is '..'; {_NAME}"),
    ('id = "all-of_it.2"', 'id = "p1/nl"', "id", f"is 'p1/nl'; {_NAME}"),
    ('id = "all-of_it.2"', 'id = "é"', "id", f"is 'é'; {_NAME}"),
    ('id = "all-of_it.2"', 'id = "p1\\n"', "id", f"is 'p1\\n'; {_NAME}"),
    ('id = "all-of_it.2"', f'id = "{"a" * 65}"', "id", f"is '{'a' * 65}'; {_NAME}"),
    ('id = "all-of_it.2"', "id = 1", "id", f"is 1; {_TEXT}"),
    ('id = "all-of_it.2"', 'id = ""', "id", "is empty; write a text"),
    ("version = 7", "version = 0", "version", "is 0; write a number from 1 to 1e+06"),
    ("version = 7", "version = 1.5", "version", "is 1.5; write a whole number"),
    ("version = 7", "version = true", "version", "is True; write a number"),
    (
        'mode = "opt-out"',
        'mode = "optout"',
        "mode",
        "is 'optout'; write one of 'opt-in', 'opt-out', 'notice', 'off'",
    ),
    ('basis = "legitimate', 'basis = "interest"', "basis", f"is 'interest'; {_BASES}"),
    (
        'jurisdiction = "BE"',
        'jurisdiction = "be"',
        "jurisdiction",
        "is 'be'; write the two capital letters of a country, such as 'NL'",
    ),
    (
        'direction = "both"',
        'direction = "in"',
        "direction",
        "is 'in'; write one of 'incoming', 'outgoing', 'both'",
    ),
    ("next_review", 'next_review = "2027-10-01"', "next_review", f"is '2027-10-01'; {_DATE}"),
    (
        "next_review",
        "next_review = 2027-10-01T00:00:00",
        "next_review",
        f"is 2027-10-01 00:00:00; {_DATE}",
    ),
    ("special_category", "special_category = 1", "special_category", "is 1; write true or false"),
    ("card_data", 'card_data = "no"', "card_data", "is 'no'; write true or false"),
    ('proof_term = "10 years"', 'proof_term = "10 jaar"', "proof_term", f"is '10 jaar'; {_TERM}"),
    ('proof_term = "10 years"', "proof_term = 10", "proof_term", f"is 10; {_TEXT}"),
    ('id = "groep"', 'id = "de groep"', "controller.id", f"is 'de groep'; {_NAME}"),
    ('name = "Voorbeeld Groep NV"', 'name = ""', "controller.name", "is empty; write a text"),
    (
        'timezone = "Europe/Brussels"',
        'timezone = "Brussel"',
        "controller.timezone",
        "is 'Brussel'; write a name such as 'Europe/Amsterdam'",
    ),
    (
        'timezone = "Europe/Brussels"',
        'timezone = "../../etc/passwd"',
        "controller.timezone",
        "is '../../etc/passwd'; write a name such as 'Europe/Amsterdam'",
    ),
    ('dpo = "dpo@', "dpo = []", "controller.dpo", f"is []; {_TEXT}"),
    ('role = "dpo"', 'role = ""', "approval.role", "is empty; write a text"),
    (
        'chosen_by = "menu"',
        'chosen_by = "guess"',
        "language.chosen_by",
        "is 'guess'; write one of 'fixed', 'dialled', 'channel', 'menu'",
    ),
    ('1 = "nl"', '12 = "nl"', "language.menu.12", f"is '12'; {_DIGIT}"),
    ('1 = "nl"', "1 = 2", "language.menu.1", f"is 2; {_TEXT}"),
    ('"*" = "fr"', '"A" = "fr"', "language.menu.A", f"is 'A'; {_DIGIT}"),
    ('agree = "0"', 'agree = "12"', "digits.agree", f"is '12'; {_DIGIT}"),
    ('agree = "0"', 'agree = "A"', "digits.agree", f"is 'A'; {_DIGIT}"),
    ('agree = "0"', "agree = 1", "digits.agree", f"is 1; {_TEXT}"),
    ("attempts = 5", "attempts = 0", "timing.attempts", "is 0; write a number from 1 to 5"),
    ("attempts = 5", "attempts = 6", "timing.attempts", "is 6; write a number from 1 to 5"),
    ("repeats = 0", "repeats = -1", "timing.repeats", "is -1; write a number from 0 to 5"),
    ("first_digit_s = 7", "first_digit_s = 7.5", "timing.first_digit_s", "is 7.5; write a number from 1 to 7"),
    ("first_digit_s = 7", "first_digit_s = nan", "timing.first_digit_s", "is nan; write a number from 1 to 7"),
    ("overall_s = 300", "overall_s = inf", "timing.overall_s", "is inf; write a number from 5 to 300"),
    ('withdraw = "*9"', 'withdraw = "9"', "codes.withdraw", f"is '9'; {_CODE}"),
    ('pause = "*7"', 'pause = "*7a"', "codes.pause", f"is '*7a'; {_CODE}"),
    ('agent_stop = "#8#"', 'agent_stop = "*123456"', "codes.agent_stop", f"is '*123456'; {_CODE}"),
    ('text = "p5"', 'text = "../p5"', "announcement.text", f"is '../p5'; {_NAME}"),
    (
        "[announcement.nl]",
        "[announcement.NL]",
        "announcement.NL",
        "is not a language tag; write a section such as [announcement.nl]",
    ),
    ('address = "groep punt', "address = 1", "announcement.nl.address", f"is 1; {_TEXT}"),
    ('name = "quality"', 'name = "de kwaliteit"', "purposes[1].name", f"is 'de kwaliteit'; {_NAME}"),
    ('keep = "4 weeks"', 'keep = "4 wk"', "purposes[2].keep", f"is '4 wk'; {_TERM}"),
    ('nl = "bewijs"', "nl = true", "purposes[2].announced.nl", f"is True; {_TEXT}"),
    ('at_most = "10 years"', 'at_most = "ever"', "purposes[2].extension.at_most", f"is 'ever'; {_TERM}"),
    ("second_person", 'second_person = "yes"', "purposes[2].extension.second_person", "is 'yes'; write true or false"),
    (
        'purposes = ["quality"]',
        'purposes = "quality"',
        "access.roles[1].purposes",
        "is 'quality'; write texts in quotes within [ ]",
    ),
    (
        'ways = ["recording", "live"]',
        'ways = ["recording", "copy"]',
        "access.roles[1].ways",
        "holds 'copy'; write 'recording', 'live' or both",
    ),
    (
        'numbers = ["1008", "+32*#9"]',
        'numbers = ["1008", "10 08"]',
        "excluded[1].numbers",
        f"is '10 08'; {_NUMBER}",
    ),
    (
        'numbers = ["1008", "+32*#9"]',
        'numbers = ["1008", 9]',
        "excluded[1].numbers[2]",
        f"is 9; {_TEXT}",
    ),
    ('basis = "contract"', 'basis = "works"', "agents.basis", f"is 'works'; {_BASES}"),
    ('answer_within = "30 days"', 'answer_within = "soon"', "rights.answer_within", f"is 'soon'; {_TERM}"),
    (
        'copy_holds = "own side"',
        'copy_holds = "half"',
        "rights.copy_holds",
        "is 'half'; write one of 'both sides', 'own side'",
    ),
    ('keep = "2 years"', 'keep = "2y"', "reports.keep", f"is '2y'; {_TERM}"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "instead", "place", "complaint"), WRONG)
def test_a_wrong_line_is_told_once_with_file_line_place_and_what_to_write(
    line: str, instead: str, place: str, complaint: str
) -> None:
    lines = EVERYTHING.splitlines()
    (number,) = [at for at, each in enumerate(lines, 1) if each.startswith(line)]

    found = complaints("\n".join([*lines[: number - 1], instead, *lines[number:]]))

    assert found == [f"p.toml:{number}: {place}: {complaint}"]


@pytest.mark.parametrize(
    ("line", "place", "at", "advice"),
    [
        ("id = ", "id", "", _TEXT),
        ("version", "version", "", "write a number"),
        ("mode", "mode", "", "write one of 'opt-in', 'opt-out', 'notice', 'off'"),
        ("basis", "basis", "", _BASES),
        ("jurisdiction", "jurisdiction", "", _TEXT),
        ("next_review", "next_review", "", _DATE),
        ("proof_term", "proof_term", "", _TEXT),
        ("name", "controller.name", "[controller]", _TEXT),
        ("dpo", "controller.dpo", "[controller]", _TEXT),
        ("authority", "controller.authority", "[controller]", _TEXT),
        ("privacy_notice", "controller.privacy_notice", "[controller]", _TEXT),
        ("role", "approval.role", "[approval]", _TEXT),
        ("text", "announcement.text", "[announcement]", _TEXT),
        ("address = ", "announcement.nl.address", "[announcement.nl]", _TEXT),
        ("keep", "purposes[1].keep", "[[purposes]]", _TEXT),
    ],
)
def test_what_is_missing_is_told_at_the_section_that_it_belongs_to(
    line: str, place: str, at: str, advice: str
) -> None:
    lines = EXAMPLE.splitlines()
    gone = next(number for number, each in enumerate(lines) if each.startswith(line))
    lines.pop(gone)
    number = lines.index(at) + 1 if at else 1

    assert complaints("\n".join(lines)) == [f"p.toml:{number}: {place}: is missing; {advice}"]


UNKNOWN = [
    ("[controller]", "controller.nmae", "address, authorised_contact, authority, breach_contact, dpo, id,"),
    ("[processor]", "processor.nmae", "breach_contact, contact, name"),
    ("[approval]", "approval.nmae", "role"),
    ("[language]", "language.nmae", "chosen_by, menu, otherwise"),
    ("[digits]", "digits.nmae", "agree, refuse, repeat"),
    ("[timing]", "timing.nmae", "attempts, first_digit_s, overall_s, repeats"),
    ("[codes]", "codes.nmae", "agent_stop, pause, withdraw"),
    ("[announcement.nl]", "announcement.nl.nmae", "address, controller"),
    ("[[purposes]]", "purposes[1].nmae", "announced, extension, keep, live_listening, name"),
    ("[purposes.extension]", "purposes[2].extension.nmae", "at_most, second_person, until"),
    ("[access]", "access.nmae", "granted_by, roles"),
    ("[[access.roles]]", "access.roles[1].nmae", "deputy, established_in, name, purposes, ways"),
    ("[[recipients]]", "recipients[1].nmae", "address, name, purpose"),
    ("[[excluded]]", "excluded[1].nmae", "name, numbers"),
    ("[agents]", "agents.nmae", "aliases, basis, notice, works_council"),
    ("[rights]", "rights.nmae", "answer_within, copy_holds, copy_reason"),
    ("[reports]", "reports.nmae", "keep, per_agent"),
    ("[receipt]", "receipt.nmae", "read_out"),
]


@pytest.mark.parametrize(("header", "place", "known"), UNKNOWN)
def test_a_key_that_nobody_knows_is_most_likely_misspelt(header: str, place: str, known: str) -> None:
    lines = EVERYTHING.splitlines()
    at = lines.index(header)

    (found,) = complaints("\n".join([*lines[: at + 1], "nmae = 1", *lines[at + 1 :]]))

    assert found.startswith(f"p.toml:{at + 2}: {place}: is not known here; known are: {known}")


def test_a_section_that_nobody_knows_is_told_as_well() -> None:
    (found,) = complaints(EVERYTHING + "[purpose]\nname = 'x'\n")
    assert found.startswith(
        f"p.toml:{len(EVERYTHING.splitlines()) + 1}: purpose: is not known here; known are: "
    )


def test_a_fixed_language_is_one() -> None:
    two = EXAMPLE + '[announcement.en]\naddress = "example"\n'
    (found,) = complaints(two)

    number = EXAMPLE.splitlines().index('chosen_by = "fixed"') + 1
    assert found == (
        f"p.toml:{number}: language.chosen_by: is 'fixed', but nl, en are announced;"
        " write 'dialled', 'channel' or 'menu'"
    )


def test_numbers_that_are_dialled_are_numbers() -> None:
    dialled = EXAMPLE.replace('chosen_by = "fixed"', 'chosen_by = "dialled"\n[language.dialled]\nx = "nl"')
    number = dialled.splitlines().index('x = "nl"') + 1

    assert complaints(dialled) == [f"p.toml:{number}: language.dialled.x: is 'x'; {_NUMBER}"]


def test_an_announcement_in_no_language_is_none() -> None:
    text = EXAMPLE.replace('[announcement.nl]\naddress = "voorbeeld punt example"\n', "")
    number = text.splitlines().index("[announcement]") + 1

    advice = "write a section [announcement.nl] with the address as it is spoken"
    assert complaints(text) == [f"p.toml:{number}: announcement: names no language; {advice}"]


def test_a_language_that_is_no_section_is_told_with_its_whole_name() -> None:
    text = EXAMPLE.replace('[announcement.nl]\naddress = "voorbeeld punt example"\n', 'nl = "voorbeeld"\n')
    number = text.splitlines().index('nl = "voorbeeld"') + 1

    assert complaints(text)[0] == (
        f"p.toml:{number}: announcement.nl: is 'voorbeeld'; write a section [announcement.nl]"
    )


def test_a_policy_without_a_purpose_is_refused() -> None:
    text = EXAMPLE[: EXAMPLE.index("[[purposes]]")] + EXAMPLE[EXAMPLE.index("[agents]") :]
    assert complaints(text) == ["p.toml:1: purposes: is missing; write at least one section [[purposes]]"]


def test_what_is_no_toml_is_told_with_its_line() -> None:
    line = 'basis = "consent"'
    number = EXAMPLE.splitlines().index(line) + 1
    (found,) = complaints(EXAMPLE.replace(line, line[:-1]))
    assert found.startswith(f"p.toml:{number}: not TOML: ")


def test_every_problem_is_told_at_once() -> None:
    found = complaints('id = "a b"\nmode = "x"\nbasis = "y"\nextra = 1\n[digits]\nagree = "99"\n')

    where = {complaint.split(": ")[1]: complaint.split(": ")[0] for complaint in found}
    assert {
        "id": "p.toml:1",
        "mode": "p.toml:2",
        "basis": "p.toml:3",
        "extra": "p.toml:4",
        "digits.agree": "p.toml:6",
        "purposes": "p.toml:1",
        "controller.id": "p.toml:1",
    }.items() <= where.items()


def test_a_caller_held_by_a_frozen_service_waits_ten_seconds_at_most_beside_the_announcement() -> None:
    assert MAX_FIRST_DIGIT_S <= 7.0
