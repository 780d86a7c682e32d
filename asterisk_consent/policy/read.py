"""A policy file becomes a frozen ``Policy``; pure.

Rule: what the file says is taken at its word or reported, never guessed; every problem is reported at once. What is
readable but contradicts itself is found by ``contradictions``, what the law says to it by ``jurisdictions``.
"""

import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from asterisk_consent.model import DIGITS, Basis, Direction, Mode
from asterisk_consent.policy.model import (
    UNRECORDED,
    Agents,
    ChosenBy,
    Codes,
    Controller,
    Digits,
    Excluded,
    Extension,
    Language,
    Policy,
    Processor,
    Purpose,
    Receipt,
    Recipient,
    Reports,
    Rights,
    Role,
    Timing,
)
from asterisk_consent.policy.term import Term, parse_term
from asterisk_consent.tables import Problems, Table, parse_toml

MAX_FIRST_DIGIT_S = 7.0
"""A caller who is held by a service that stopped answering waits for at most the announcement and ten seconds."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_COUNTRY = re.compile(r"[A-Z]{2}")
_NUMBER = re.compile(r"[0-9*#+]{1,32}")
_CODE = re.compile(r"[0-9*#]{2,6}")
_DIRECTIONS = {
    "incoming": (Direction.INCOMING,),
    "outgoing": (Direction.OUTGOING,),
    "both": (Direction.INCOMING, Direction.OUTGOING),
}
_OF_THE_ASKING = ("proof_term", "language", "announcement", "purposes", "receipt")
_ONE_DAY = Term(amount=1, unit="day")


def parse_policy(text: str, *, file: str) -> Policy:
    """Read a policy file.

    :raises ConfigError: with every problem found, one a line.
    """
    problems = Problems(file)
    policy = read_policy(text, problems)
    problems.raise_any()
    return policy


def read_policy(text: str, problems: Problems) -> Policy:
    """Read a policy file and note its problems; where there are any the policy returned is not to be used.

    :raises ConfigError: it is no TOML at all.
    """
    table = parse_toml(text, problems)
    policy = _read(table)
    table.end()
    return policy


def _read(table: Table) -> Policy:
    mode = Mode(table.choice("mode", Mode))
    asks = mode is not Mode.OFF
    announcement = table.section("announcement") if asks else None
    addresses, names = _spoken(announcement) if announcement else ({}, {})
    purposes = table.sections("purposes") if asks else []
    access = table.optional_section("access")
    approval = table.section("approval")
    policy = Policy(
        id=_named(table, "id"),
        version=table.whole("version", low=1, high=1_000_000),
        title=table.text("title", ""),
        mode=mode,
        basis=Basis(table.choice("basis", Basis, None if asks else "consent")),
        assessment=table.text("assessment", ""),
        jurisdiction=_matched(
            table, "jurisdiction", _COUNTRY, "the two capital letters of a country, such as 'NL'"
        ),
        directions=_DIRECTIONS[table.choice("direction", _DIRECTIONS, "incoming")],
        controller=_controller(table.section("controller"), complete=asks),
        processor=_processor(table.optional_section("processor")),
        approving_role=approval.text("role"),
        granting_role=access.text("granted_by", "") if access else "",
        next_review=table.date("next_review", needed=asks),
        special_category=table.boolean("special_category", False),
        card_data=table.boolean("card_data", False),
        proof_term=_term(table, "proof_term") if asks else _ONE_DAY,
        language=_language(table.section("language"), tuple(addresses)) if asks else _no_language(),
        digits=_digits(table.section("digits")),
        timing=_timing(table.section("timing")),
        codes=_codes(table.section("codes")),
        text=_named(announcement, "text") if announcement else "",
        addresses=addresses,
        spoken_names=names,
        purposes=tuple(_purpose(section) for section in purposes),
        roles=tuple(_role(section) for section in access.optional_sections("roles")) if access else (),
        recipients=tuple(_recipient(section) for section in table.optional_sections("recipients")),
        excluded=tuple(_excluded(section) for section in table.optional_sections("excluded")),
        agents=_agents(table.optional_section("agents")),
        rights=_rights(table.optional_section("rights")),
        reports=_reports(table.optional_section("reports")),
        receipt=_receipt(table.optional_section("receipt")) if asks else Receipt(),
    )
    for key in () if asks else _OF_THE_ASKING:
        table.unwanted(key, "means nothing with mode 'off'; take it out")
    for section in (announcement, access, approval):
        if section is not None:
            section.end()
    return policy


def _controller(table: Table, *, complete: bool) -> Controller:
    default = None if complete else ""
    controller = Controller(
        id=_named(table, "id"),
        name=table.text("name"),
        address=table.text("address", ""),
        timezone=_timezone(table),
        dpo=table.text("dpo", default),
        authority=table.text("authority", default),
        breach_contact=table.text("breach_contact", ""),
        privacy_notice=table.text("privacy_notice", default),
        authorised_contact=table.text("authorised_contact", ""),
    )
    table.end()
    return controller


def _processor(table: Table | None) -> Processor | None:
    if table is None:
        return None
    processor = Processor(
        name=table.text("name"), contact=table.text("contact"), breach_contact=table.text("breach_contact")
    )
    table.end()
    return processor


def _spoken(table: Table) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Read ``[announcement.<language>]``: where to read more, and the controller's name, as they are spoken."""
    addresses, names = {}, {}
    for key in table.names():
        if key == "text":
            continue
        section = table.section(key)
        if not _LANGUAGE.fullmatch(key):
            table.note(key, "is not a language tag; write a section such as [announcement.nl]")
        addresses[key] = section.text("address")
        names[key] = section.text("controller", "")
        section.end()
    if not addresses:
        table.note(
            "", "names no language; write a section [announcement.nl] with the address as it is spoken"
        )
    return addresses, {language: name for language, name in names.items() if name}


def _language(table: Table, announced: tuple[str, ...]) -> Language:
    written = table.choice("chosen_by", ChosenBy, "")
    if not written and table.has("chosen_by"):
        table.names()  # what else there should be depends on what was meant
        return _no_language()
    chosen_by = ChosenBy(written or "fixed")
    fixed = chosen_by is ChosenBy.FIXED
    menu = table.section("menu") if chosen_by is ChosenBy.MENU else None
    dialled = table.section("dialled") if chosen_by is ChosenBy.DIALLED else None
    if fixed and len(announced) > 1:
        table.note(
            "chosen_by",
            f"is 'fixed', but {', '.join(announced)} are announced; write 'dialled', 'channel' or 'menu'",
        )
    language = Language(
        chosen_by=chosen_by,
        otherwise=table.text("otherwise", UNRECORDED) if not fixed else UNRECORDED,
        menu=tuple((digit, menu.text(digit)) for digit in menu.names()) if menu else (),
        dialled=tuple((number, dialled.text(number)) for number in dialled.names()) if dialled else (),
    )
    for digit, _ in language.menu:
        _check_digit(menu or table, digit, digit)
    for number, _ in language.dialled:
        _check_number(dialled or table, number, number)
    for section in (menu, dialled, table):
        if section is not None:
            section.end()
    return language


def _no_language() -> Language:
    return Language(chosen_by=ChosenBy.FIXED, otherwise=UNRECORDED)


def _digits(table: Table) -> Digits:
    chosen = {key: table.text(key, "") for key in ("agree", "refuse", "repeat")}
    for key, digit in chosen.items():
        if digit:
            _check_digit(table, key, digit)
    table.end()
    return Digits(**chosen)


def _timing(table: Table) -> Timing:
    usual = Timing()
    timing = Timing(
        attempts=table.whole("attempts", usual.attempts, low=1, high=5),
        repeats=table.whole("repeats", usual.repeats, low=0, high=5),
        first_digit_s=table.number("first_digit_s", usual.first_digit_s, low=1.0, high=MAX_FIRST_DIGIT_S),
        overall_s=table.number("overall_s", usual.overall_s, low=5.0, high=300.0),
    )
    table.end()
    return timing


def _codes(table: Table) -> Codes:
    chosen = {key: table.text(key, "") for key in ("withdraw", "pause", "agent_stop")}
    for key, code in chosen.items():
        if code and not _CODE.fullmatch(code):
            table.note(key, f"is {code!r}; write two to six of {DIGITS} in quotes, such as '*9'")
    table.end()
    return Codes(**chosen)


def _purpose(table: Table) -> Purpose:
    announced = table.optional_section("announced")
    extension = table.optional_section("extension")
    purpose = Purpose(
        name=_named(table, "name"),
        keep=_term(table, "keep"),
        announced={language: announced.text(language) for language in announced.names()} if announced else {},
        live_listening=table.boolean("live_listening", False),
        extension=_extension(extension) if extension else None,
    )
    for section in (announced, table):
        if section is not None:
            section.end()
    return purpose


def _extension(table: Table) -> Extension:
    extension = Extension(
        until=table.text("until"),
        at_most=_term(table, "at_most"),
        second_person=table.boolean("second_person", False),
    )
    table.end()
    return extension


def _role(table: Table) -> Role:
    role = Role(
        name=table.text("name"),
        purposes=table.texts("purposes"),
        ways=table.texts("ways", ("recording",)),
        deputy=table.text("deputy", ""),
        established_in=table.text("established_in", ""),
    )
    for way in role.ways:
        if way not in ("recording", "live"):
            table.note("ways", f"holds {way!r}; write 'recording', 'live' or both")
    table.end()
    return role


def _recipient(table: Table) -> Recipient:
    recipient = Recipient(
        name=table.text("name"), address=table.text("address"), purpose=table.text("purpose")
    )
    table.end()
    return recipient


def _excluded(table: Table) -> Excluded:
    excluded = Excluded(name=table.text("name"), numbers=table.texts("numbers"))
    for number in excluded.numbers:
        _check_number(table, "numbers", number)
    table.end()
    return excluded


def _agents(table: Table | None) -> Agents:
    if table is None:
        return Agents()
    agents = Agents(
        basis=table.choice("basis", Basis),
        notice=table.text("notice", ""),
        works_council=table.text("works_council", ""),
        aliases=table.boolean("aliases", False),
    )
    table.end()
    return agents


def _rights(table: Table | None) -> Rights:
    if table is None:
        return Rights(answer_within=Term(amount=1, unit="month"), copy_holds="both sides", copy_reason="")
    rights = Rights(
        answer_within=_term(table, "answer_within"),
        copy_holds=table.choice("copy_holds", ("both sides", "own side"), "both sides"),
        copy_reason=table.text("copy_reason", ""),
    )
    table.end()
    return rights


def _reports(table: Table | None) -> Reports | None:
    if table is None:
        return None
    reports = Reports(keep=_term(table, "keep"), per_agent=table.boolean("per_agent", False))
    table.end()
    return reports


def _receipt(table: Table | None) -> Receipt:
    if table is None:
        return Receipt()
    receipt = Receipt(read_out=table.boolean("read_out", False))
    table.end()
    return receipt


def _term(table: Table, key: str) -> Term:
    text = table.text(key)
    term = parse_term(text)
    if text and term is None:
        table.note(key, f"is {text!r}; write a term such as '90 days', '4 weeks', '1 month' or '5 years'")
    return term or _ONE_DAY


def _named(table: Table, key: str) -> str:
    name = table.text(key)
    if name and (not _NAME.fullmatch(name) or len(name) > 64):
        table.note(
            key,
            f"is {name!r}; begin with a letter or digit, then these, '-', '_' and '.', 64 characters at most",
        )
    return name


def _matched(table: Table, key: str, pattern: re.Pattern[str], wanted: str) -> str:
    text = table.text(key)
    if text and not pattern.fullmatch(text):
        table.note(key, f"is {text!r}; write {wanted}")
    return text


def _timezone(table: Table) -> str:
    name = table.text("timezone", "UTC")
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        table.note("timezone", f"is {name!r}; write a name such as 'Europe/Amsterdam'")
        return "UTC"
    return name


def _check_digit(table: Table, key: str, digit: str) -> None:
    if len(digit) != 1 or digit not in DIGITS:
        table.note(key, f"is {digit!r}; write one of {DIGITS} in quotes")


def _check_number(table: Table, key: str, number: str) -> None:
    if not _NUMBER.fullmatch(number):
        table.note(key, f"is {number!r}; write the number as it is dialled: digits, '*', '#' and '+'")
