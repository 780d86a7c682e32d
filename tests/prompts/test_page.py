"""The page of a policy: complete in every language, true to the policy, and safe to publish."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_consent.config import load_policy
from asterisk_consent.errors import ConfigError
from asterisk_consent.model import Basis, Direction, Mode
from asterisk_consent.policy import UNRECORDED, ChosenBy, Policy, Term
from asterisk_consent.policy.model import Codes, Digits, Reports
from asterisk_consent.prompts import page as package
from asterisk_consent.prompts.page import Link, page_html, page_languages, page_text, policy_page, words_of
from asterisk_consent.prompts.page import content as page_content
from asterisk_consent.prompts.review import spoken_announcement
from asterisk_consent.prompts.wording import known_languages

PROJECT = Path(__file__).resolve().parents[2]
FILES = [*sorted((PROJECT / "policies").glob("*.toml")), PROJECT / "tests/pbx/policies/legal-nl.toml"]
WORDS = Path(package.__file__).parent


def spoken(policy: Policy) -> Mapping[str, Mapping[str, str]]:
    return {tag: spoken_announcement(policy, tag, PROJECT / "sounds")[1] for tag in policy.languages}


def pages() -> Iterator[tuple[Policy, str]]:
    for file in FILES:
        policy = load_policy(file).policy
        for language in policy.languages or page_languages():
            yield policy, language


PAGES = [pytest.param(policy, tag, id=f"{policy.id}-{tag}") for policy, tag in pages()]


def shipped(name: str) -> Policy:
    return next(policy for policy, _ in pages() if policy.id == name)


def text_of(policy: Policy, language: str, *, width: int = 10_000) -> str:
    return page_text(policy_page(policy, language, spoken(policy)), width=width)


def words_in(language: str) -> dict[str, str]:
    tables = tomllib.loads((WORDS / f"{language}.toml").read_text("utf-8"))
    tables.pop("reviewed_by")
    return {f"{section}.{key}": text for section, table in tables.items() for key, text in table.items()}


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def test_every_language_that_is_spoken_has_a_page() -> None:
    assert set(page_languages()) == set(known_languages())


@pytest.mark.parametrize("language", page_languages())
def test_every_language_says_everything_and_fills_the_same_places(language: str) -> None:
    english, here = words_in("en"), words_in(language)
    assert list(here) == list(english)
    assert {key: places(text) for key, text in here.items()} == {
        key: places(text) for key, text in english.items()
    }
    assert len(here["date.months"].split()) == 12


def test_no_sentence_is_left_that_no_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    said: set[str] = set()

    class Listening(dict[str, str]):
        def __getitem__(self, key: str) -> str:
            said.add(key)
            return super().__getitem__(key)

    words = replace(words_of("nl"), sentences=Listening(words_in("nl")))
    monkeypatch.setattr(page_content, "words_of", lambda _: words)
    for policy in every_kind_of_policy():
        policy_page(policy, "nl", spoken(policy))
    terms = {Term(amount=amount, unit=unit) for amount in (1, 2) for unit in ("day", "week", "month", "year")}
    assert all(words.term(term) for term in terms)
    assert words.day(date(2027, 10, 1)) == "1 oktober 2027"
    assert set(words_in("nl")) - said == set()


def every_kind_of_policy() -> Iterator[Policy]:
    for policy, language in pages():
        if language == "nl":
            yield policy
    opt_in, opt_out = shipped("p1-nl"), shipped("p5-be")
    for basis in set(Basis) - {Basis.LEGAL_OBLIGATION}:
        yield replace(opt_out, basis=basis)
    by_channel = replace(opt_in.language, chosen_by=ChosenBy.CHANNEL, otherwise=UNRECORDED)
    yield replace(opt_in, language=by_channel, special_category=True, card_data=True, codes=Codes(pause="*7"))
    fixed = replace(opt_out.language, chosen_by=ChosenBy.FIXED, menu=())
    dutch = {"nl": opt_out.addresses["nl"]}
    deaf = tuple(replace(purpose, live_listening=False) for purpose in opt_out.purposes)
    own_side = replace(opt_out.rights, copy_holds="own side", copy_reason="een reden")
    plain = replace(opt_out, language=fixed, addresses=dutch, purposes=deaf, rights=own_side, roles=())
    yield replace(plain, reports=Reports(keep=Term(amount=2, unit="year"), per_agent=False))
    yield replace(
        plain,
        directions=(Direction.OUTGOING,),
        recipients=(),
        agents=replace(plain.agents, aliases=True),
        processor=shipped("p4-plain").processor,
        reports=Reports(keep=Term(amount=2, unit="year"), per_agent=True),
    )


@pytest.mark.parametrize(("policy", "language"), PAGES)
def test_a_page_says_what_the_policy_says(policy: Policy, language: str) -> None:
    text = text_of(policy, language)
    assert policy.controller.name in text
    if policy.mode is Mode.OFF:
        return
    facts = [
        policy.controller.dpo,
        policy.controller.authority,
        policy.controller.timezone,
        policy.assessment,
        policy.agents.notice,
        policy.approving_role,
        *(purpose.announced[language] for purpose in policy.announced_purposes(language)),
        *(words_of(language).term(purpose.keep) for purpose in policy.announced_purposes(language)),
        *(role.name for role in policy.roles),
        *(role.deputy for role in policy.roles),
        *(recipient.name for recipient in policy.recipients),
        *(entity.name for entity in policy.excluded),
        policy.codes.withdraw,
        *(part for name, part in spoken(policy)[language].items() if name != "menu"),
    ]
    assert [fact for fact in facts if fact not in text] == []


def test_a_purpose_that_is_not_announced_in_a_language_is_none_of_its_purposes() -> None:
    dutch, english = (text_of(shipped("p1-nl"), tag) for tag in ("nl", "en"))
    untold = words_in("nl")["basis.unannounced"]
    after = dutch.partition(untold)[2].lstrip()
    assert after.startswith("- checking that what we tell you is right [en]")
    assert dutch.count("checking that what we tell you is right") == 1
    assert english.count("checking that what we tell you is right") > 1


def test_who_may_only_listen_for_a_purpose_that_was_not_announced_is_not_named() -> None:
    policy = shipped("p1-nl")
    quality_lead = replace(policy.roles[0], name="quality lead", purposes=("quality",))
    policy = replace(policy, roles=(quality_lead,))
    assert "quality lead" not in text_of(policy, "nl")
    assert "quality lead" in text_of(policy, "en")


def test_a_policy_that_is_off_says_that_nothing_is_recorded_and_little_else() -> None:
    page = policy_page(shipped("p4-plain"), "en", {})
    assert [section.id for section in page.sections] == ["summary", "controller", "about"]
    assert "not recorded" in page_text(page, width=80)


def test_what_the_law_demands_cannot_be_refused_and_the_page_says_so() -> None:
    text = text_of(shipped("legal-nl"), "nl")
    assert words_in("nl")["stop.law"] in text
    assert words_in("nl")["rights.erasure_law"] in text
    assert words_in("nl")["stop.object"] not in text


def test_a_language_without_words_is_refused_with_what_to_add() -> None:
    with pytest.raises(ConfigError, match=r"page/xx\.toml"):
        words_of("xx")
    assert words_of("nl-BE") == words_of("nl")


class Reader(HTMLParser):
    """Reads a page back: its text, its elements, and whether they are closed in order."""

    VOID = ("meta", "link", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize(("policy", "language"), PAGES)
def test_the_html_needs_nothing_but_itself_and_is_well_formed(policy: Policy, language: str) -> None:
    others = [Link(text="English", href="p.en.html", language="en")]
    html = page_html(policy_page(policy, language, spoken(policy)), others=others)
    reader = read(html)
    tags = [tag for tag, _ in reader.elements]
    assert reader.elements[0] == ("html", {"lang": language})
    assert tags.count("h1") == tags.count("main") == 1
    assert not {"script", "link", "img", "iframe", "form", "object"} & set(tags)
    assert not re.search(r"url\(|@import|\bsrc=|\bon[a-z]+=", html)
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    pointed = [
        attributes[key] for _, attributes in reader.elements for key in attributes if key == "aria-labelledby"
    ]
    links = [str(attributes["href"]) for tag, attributes in reader.elements if tag == "a"]
    assert {*pointed, *(link[1:] for link in links if link.startswith("#"))} <= set(ids)
    assert all(link.startswith(("#", "mailto:", "https://", "p.en.html")) for link in links)


OUTSIDE = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(str.strip)


@given(text=OUTSIDE)
def test_whatever_a_policy_holds_is_shown_and_never_obeyed(text: str) -> None:
    policy = shipped("p5-be")
    hostile = f"{text}<script>alert('{text}')</script>\x1b[2J\u202e{{{{7*7}}}} {{dpo}}"
    policy = replace(
        policy,
        title=hostile,
        assessment=hostile,
        controller=replace(
            policy.controller, name=hostile, dpo=hostile, privacy_notice=f"javascript:{hostile}"
        ),
        roles=tuple(replace(role, name=hostile, deputy=hostile) for role in policy.roles),
        digits=Digits(refuse="9"),
    )
    page = policy_page(policy, "nl", spoken(shipped("p5-be")))
    reader = read(page_html(page))
    assert "script" not in [tag for tag, _ in reader.elements]
    assert "<script>alert(" in reader.text
    assert "{{7*7}}" in reader.text
    assert not any(str(attributes.get("href")).startswith("javascript") for _, attributes in reader.elements)
    for shown in (reader.text, page_text(page, width=80)):
        assert not {c for c in shown if not c.isprintable()} - set("\n\u00a0")


def test_the_plain_page_is_folded_to_the_terminal() -> None:
    lines = text_of(shipped("p5-be"), "de", width=60).splitlines()
    assert max(map(len, lines)) <= 60
