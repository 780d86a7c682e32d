"""Says a policy in the words of a person who calls: the privacy notice of the recording (GDPR art. 12(1), 13, 14).

Rule: nothing is said that the policy does not say, or that does not hold for every policy; a page in one language is
about calls in that language, so a purpose that is not announced in it is not among its purposes.
"""

from collections.abc import Iterator, Mapping
from functools import partial

from asterisk_consent.model import Basis, Direction, Mode
from asterisk_consent.policy import UNRECORDED, ChosenBy, Policy, Purpose
from asterisk_consent.policy.model import Role
from asterisk_consent.prompts.page.blocks import (
    Block,
    Fact,
    Facts,
    Link,
    Page,
    Paragraph,
    Phrase,
    Points,
    Section,
    Spoken,
)
from asterisk_consent.prompts.page.words import Words, words_of
from asterisk_consent.prompts.wording import spoken_list, wording_of

Announcements = Mapping[str, Mapping[str, str]]
"""By language, the text of each part as it is spoken."""


def policy_page(policy: Policy, language: str, announcements: Announcements) -> Page:
    """Make the page of a policy in a language that it is announced in; any, where it is off.

    :raises ConfigError: there are no words for a page in this language.
    """
    words = words_of(language)
    name = policy.controller.name
    return Page(
        language=language,
        title=words.say("page.title_of", controller=name),
        heading=words.say("page.title"),
        owner=name,
        note=words.say("page.applies") if policy.languages else "",
        contents=words.say("page.contents"),
        other_languages=words.say("page.other_languages"),
        sections=tuple(_Writer(policy, language, announcements, words).sections()),
    )


class _Writer:
    """Writes the sections of one page."""

    def __init__(self, policy: Policy, language: str, announcements: Announcements, words: Words) -> None:
        self._policy = policy
        self._language = language
        self._announcements = announcements
        self._say = words.say
        self._term = words.term
        self._day = words.day
        self._purposes = policy.announced_purposes(language)

    def sections(self) -> Iterator[Section]:
        policy = self._policy
        yield self._section("summary", self._summary())
        yield self._section("controller", self._controller())
        if policy.mode is not Mode.OFF:
            yield self._section("basis", self._basis())
            yield self._section("recorded", self._recorded())
            yield self._section("hear", self._hear())
            heading = "notice" if policy.mode is Mode.NOTICE else "silence"
            yield self._section(heading, self._silence())
            yield self._section("kept", self._kept())
            yield self._section("access", self._access())
            yield self._section("recipients", self._recipients())
            yield self._section("stop", self._stop())
            yield self._section("rights", self._rights())
            yield self._section("automated", iter([self._paragraph("automated.none")]))
            yield self._section("agents", self._agents())
        yield self._section("about", self._about())

    def _section(self, key: str, blocks: Iterator[Block]) -> Section:
        return Section(id=key, heading=self._say(f"heading.{key}"), blocks=tuple(blocks))

    def _paragraph(self, *keys: str, **values: str) -> Paragraph:
        return Paragraph(text=" ".join(self._say(key, **values) for key in keys))

    def _summary(self) -> Iterator[Block]:
        policy = self._policy
        key = str(policy.mode) if policy.takes_refusal or policy.mode is Mode.OFF else "law"
        live = ("summary.live",) if any(purpose.live_listening for purpose in self._purposes) else ()
        yield self._paragraph(f"summary.{key}", *live, digit=policy.digits.refuse)

    def _controller(self) -> Iterator[Block]:
        controller, processor = self._policy.controller, self._policy.processor
        facts = [
            ("name", controller.name, ""),
            ("address", controller.address, ""),
            ("dpo", controller.dpo, _mailto(controller.dpo)),
            ("notice", controller.privacy_notice, _web(controller.privacy_notice)),
        ]
        if processor is not None:
            facts.insert(2, ("processor", f"{processor.name}, {processor.contact}", ""))
        yield Facts(
            items=tuple(
                _fact(self._say(f"controller.{key}"), Link(text=text, href=href))
                for key, text, href in facts
                if text
            )
        )
        if processor is not None:
            yield self._paragraph("controller.instructed")

    def _basis(self) -> Iterator[Block]:
        policy = self._policy
        yield self._paragraph("basis.purposes")
        yield Points(items=tuple(Phrase(text=self._used_for(purpose)) for purpose in self._purposes))
        yield self._paragraph("basis.sentence", basis=self._say(f"basis.{policy.basis}"))
        if policy.assessment:
            yield self._paragraph("basis.assessment", assessment=policy.assessment)
        if policy.special_category:
            yield self._paragraph("basis.special_category")
        unannounced = [purpose for purpose in policy.purposes if purpose not in self._purposes]
        if unannounced:
            yield self._paragraph("basis.unannounced")
            yield Points(items=tuple(map(_elsewhere, unannounced)))

    def _used_for(self, purpose: Purpose) -> str:
        text = purpose.announced[self._language]
        return self._say("basis.live", purpose=text) if purpose.live_listening else text

    def _recorded(self) -> Iterator[Block]:
        policy = self._policy
        yield self._paragraph("recorded.what", "recorded.not")
        yield self._paragraph("recorded.given" if policy.mode is Mode.OPT_IN else "recorded.informed")
        yield self._paragraph("recorded.number")
        if policy.card_data and policy.codes.pause:
            yield self._paragraph("recorded.card_data")
        outgoing = Direction.OUTGOING in policy.directions
        both = "both" if Direction.INCOMING in policy.directions else "outgoing"
        yield self._paragraph(f"recorded.{both if outgoing else 'incoming'}", "recorded.emergency")
        if policy.excluded:
            entity = partial(self._say, "recorded.entity")
            yield self._paragraph("recorded.excluded")
            yield Points(
                items=tuple(
                    Phrase(text=entity(name=each.name, numbers=", ".join(each.numbers)))
                    for each in policy.excluded
                )
            )

    def _hear(self) -> Iterator[Block]:
        policy, language = self._policy, self._policy.language
        if language.chosen_by is ChosenBy.MENU:
            yield self._paragraph("hear.menu")
            yield Spoken(
                name=self._say("hear.part_menu"),
                phrases=tuple(
                    Phrase(text=self._announcements[tag]["menu"], language=tag) for _, tag in language.menu
                ),
            )
        elif language.chosen_by is not ChosenBy.FIXED:
            yield self._paragraph(f"hear.{language.chosen_by}")
        yield self._paragraph("hear.played")
        for part, text in self._announcements[self._language].items():
            if part != "menu":
                name = self._say(f"hear.part_{part}", digit=policy.digits.refuse)
                yield Spoken(name=name, phrases=(Phrase(text=text),))
        yield from self._press()

    def _press(self) -> Iterator[Block]:
        policy, digits = self._policy, self._policy.digits
        says_no = "refuse" if policy.basis is Basis.CONSENT else "object"
        if says_no == "object" and policy.live_listening:
            says_no = "object_live"
        meanings = (
            (digits.agree, "agree"),
            (digits.refuse, says_no if policy.takes_refusal else "no_refusal"),
            (digits.repeat, "repeat"),
        )
        pressed = [
            _fact(digit, Link(text=wording_of(tag).name, language=tag)) for digit, tag in policy.language.menu
        ]
        pressed += [_fact(digit, Link(text=self._say(f"hear.{key}"))) for digit, key in meanings if digit]
        if pressed:
            yield self._paragraph("hear.press")
            yield Facts(items=tuple(pressed), digits=True)
        if policy.mode is Mode.OPT_IN:
            yield self._paragraph("hear.early_refuse")
        elif digits.refuse and policy.takes_refusal:
            yield self._paragraph("hear.early_object", digit=digits.refuse)

    def _silence(self) -> Iterator[Block]:
        policy, chosen_by = self._policy, self._policy.language.chosen_by
        menu = chosen_by is ChosenBy.MENU
        yield self._paragraph(
            f"silence.{policy.mode}{'-menu' if menu and policy.mode is Mode.OPT_OUT else ''}"
        )
        more = []
        if menu:
            more.append("silence.unchosen")
        elif chosen_by is not ChosenBy.FIXED and policy.language.otherwise == UNRECORDED:
            more.append("silence.unfitting")
        if policy.mode is not Mode.NOTICE:
            more.append("silence.other")
            if policy.timing.attempts > 1:
                more.append("silence.again")
        yield self._paragraph(*more, "silence.hang_up", "silence.fault", attempts=str(policy.timing.attempts))

    def _kept(self) -> Iterator[Block]:
        policy = self._policy
        yield Facts(
            items=tuple(
                _fact(
                    purpose.announced[self._language], *(Link(text=line) for line in self._keeping(purpose))
                )
                for purpose in self._purposes
            )
        )
        yield self._paragraph("kept.ends", timezone=policy.controller.timezone)
        yield self._paragraph("kept.proof", term=self._term(policy.proof_term))
        if policy.reports is not None:
            key = "kept.reports_agent" if policy.reports.per_agent else "kept.reports"
            yield self._paragraph(key, term=self._term(policy.reports.keep))

    def _keeping(self, purpose: Purpose) -> Iterator[str]:
        yield self._say("kept.purpose", term=self._term(purpose.keep))
        extension = purpose.extension
        if extension is not None:
            yield self._say("kept.longer", until=extension.until, term=self._term(extension.at_most))
            if extension.second_person:
                yield self._say("kept.second_person")

    def _access(self) -> Iterator[Block]:
        policy = self._policy
        roles = [
            _fact(role.name, *(Link(text=line) for line in (*lines, *self._beside(role))))
            for role in policy.roles
            if (lines := tuple(self._role_lines(role.purposes, role.ways)))
        ]
        if not roles:
            yield self._paragraph("access.nobody")
            return
        yield Facts(items=tuple(roles))
        if policy.granting_role:
            yield self._paragraph("access.granted", role=policy.granting_role)
        yield self._paragraph("access.reason")

    def _role_lines(self, names: tuple[str, ...], ways: tuple[str, ...]) -> Iterator[str]:
        mine = [purpose for purpose in self._purposes if purpose.name in names]
        recorded = mine if "recording" in ways else []
        live = [purpose for purpose in mine if purpose.live_listening] if "live" in ways else []
        for key, purposes in (("recording", recorded), ("live", live)):
            if purposes:
                named = [purpose.announced[self._language] for purpose in purposes]
                yield self._say(f"access.{key}", purposes=spoken_list(named, self._language))

    def _beside(self, role: Role) -> Iterator[str]:
        deputy = [self._say("access.deputy", deputy=role.deputy)] if role.deputy else []
        place = [self._say("access.established", place=role.established_in)] if role.established_in else []
        if deputy or place:
            yield " ".join([*deputy, *place])

    def _recipients(self) -> Iterator[Block]:
        named = {purpose.name: purpose.announced[self._language] for purpose in self._purposes}
        recipient = partial(self._say, "access.recipient")
        facts = [
            _fact(each.name, Link(text=recipient(address=each.address, purpose=named[each.purpose])))
            for each in self._policy.recipients
            if each.purpose in named
        ]
        processor = self._policy.processor
        if processor is not None:  # a recipient too (GDPR art. 4(9))
            facts.insert(0, _fact(processor.name, Link(text=self._say("controller.processor"))))
        yield Facts(items=tuple(facts)) if facts else self._paragraph("access.no_recipients")

    def _stop(self) -> Iterator[Block]:
        policy = self._policy
        if not policy.takes_refusal:
            yield self._paragraph("stop.law")
            return
        yield self._paragraph("stop.consent" if policy.basis is Basis.CONSENT else "stop.object")
        ways = []
        if policy.digits.refuse:
            ways.append(self._say("stop.announcement", digit=policy.digits.refuse))
        if policy.codes.withdraw:
            ways.append(self._say("stop.code", code=policy.codes.withdraw))
        if policy.codes.agent_stop:
            ways.append(self._say("stop.agent"))
        ways.append(self._say("stop.afterwards", dpo=policy.controller.dpo))
        yield Points(items=tuple(Phrase(text=way) for way in ways))

    def _rights(self) -> Iterator[Block]:
        policy, rights = self._policy, self._policy.rights
        law = not policy.takes_refusal
        consent = policy.basis is Basis.CONSENT
        sentences = {
            "access": "access_own" if rights.copy_holds == "own side" else "access_both",
            "rectification": "rectification_text",
            "erasure": "erasure_law" if law else "erasure_text",
            "restriction": "restriction_text",
            "objection": "objection_law" if law else "objection_consent" if consent else "objection_text",
            "portability": "portability_text",
            "complaint": "complaint_text",
        }
        values = {"reason": rights.copy_reason, "authority": policy.controller.authority}
        yield self._paragraph("rights.intro")
        yield Facts(
            items=tuple(
                _fact(self._say(f"rights.{right}"), Link(text=self._say(f"rights.{sentence}", **values)))
                for right, sentence in sentences.items()
            )
        )
        yield self._paragraph("rights.how", dpo=policy.controller.dpo, term=self._term(rights.answer_within))

    def _agents(self) -> Iterator[Block]:
        agents = self._policy.agents
        more = [self._say("agents.recorded")]
        if agents.basis:
            more.append(self._say("agents.basis", basis=self._say(f"basis.{agents.basis}")))
        if agents.notice:
            more.append(self._say("agents.notice", notice=agents.notice))
        if agents.works_council:
            more.append(self._say("agents.works_council", works_council=agents.works_council))
        if agents.aliases:
            more.append(self._say("agents.aliases"))
        yield Paragraph(text=" ".join(more))

    def _about(self) -> Iterator[Block]:
        policy = self._policy
        facts = {
            "policy": f"{policy.title} ({policy.id})" if policy.title else policy.id,
            "version": str(policy.version),
            "approved": policy.approving_role,
            "review": self._day(policy.next_review) if policy.next_review else "",
        }
        yield Facts(
            items=tuple(
                _fact(self._say(f"about.{key}"), Link(text=text)) for key, text in facts.items() if text
            )
        )


def _fact(name: str, *lines: Link) -> Fact:
    return Fact(name=name, lines=lines)


def _elsewhere(purpose: Purpose) -> Phrase:
    """Name a purpose by the words that callers in another language are told; by its name where there are none."""
    for language, text in purpose.announced.items():
        return Phrase(text=text, language=language)
    return Phrase(text=purpose.name)


def _mailto(text: str) -> str:
    name, at, host = text.partition("@")
    plain = all(part and all(c.isalnum() or c in ".-_+" for c in part) for part in (name, host))
    return f"mailto:{text}" if at and plain else ""


def _web(text: str) -> str:
    return text if text.startswith(("https://", "http://")) else ""
