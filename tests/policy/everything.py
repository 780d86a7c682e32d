"""A policy file that has every key there is, and what is read from it."""

from datetime import date

from asterisk_consent.model import Basis, Direction, Mode
from asterisk_consent.policy import UNRECORDED, ChosenBy, Term
from asterisk_consent.policy.model import (
    Agents,
    Codes,
    Controller,
    Digits,
    Excluded,
    Extension,
    Language,
    Processor,
    Purpose,
    Receipt,
    Recipient,
    Reports,
    Rights,
    Role,
    Timing,
)

EVERYTHING = """
id = "all-of_it.2"
version = 7
title = "Alles"
mode = "opt-out"
basis = "legitimate-interests"
assessment = "LIA 2026-05"
jurisdiction = "BE"
direction = "both"
next_review = 2027-10-01
special_category = true
card_data = true
proof_term = "10 years"

[controller]
id = "groep"
name = "Voorbeeld Groep NV"
address = "Laan 9, Voorbeeldstad"
timezone = "Europe/Brussels"
dpo = "dpo@groep.example"
authority = "Gegevensbeschermingsautoriteit"
breach_contact = "datalek@groep.example"
privacy_notice = "https://groep.example/privacy"
authorised_contact = "privacy@groep.example"

[processor]
name = "Telefonie BV"
contact = "privacy@telefonie.example"
breach_contact = "datalek@telefonie.example"

[approval]
role = "dpo"

[language]
chosen_by = "menu"
otherwise = "unrecorded"
[language.menu]
1 = "nl"
"*" = "fr"

[digits]
agree = "0"
refuse = "9"
repeat = "#"

[timing]
attempts = 5
repeats = 0
first_digit_s = 7
overall_s = 300

[codes]
withdraw = "*9"
pause = "*7"
agent_stop = "#8#"

[announcement]
text = "p5"
[announcement.nl]
address = "groep punt example"
controller = "de Voorbeeld Groep"
[announcement.fr]
address = "groep point example"

[[purposes]]
name = "quality"
keep = "1 month"
live_listening = true
[purposes.announced]
nl = "kwaliteit"

[[purposes]]
name = "evidence"
keep = "4 weeks"
[purposes.announced]
nl = "bewijs"
fr = "la preuve"
[purposes.extension]
until = "the proceedings have ended"
at_most = "10 years"
second_person = true

[access]
granted_by = "ciso"
[[access.roles]]
name = "supervisor"
purposes = ["quality"]
ways = ["recording", "live"]
deputy = "deputy supervisor"
established_in = "EU"
[[access.roles]]
name = "legal"
purposes = ["evidence"]

[[recipients]]
name = "Voorbeeld Advocaten"
address = "Plein 2"
purpose = "evidence"

[[excluded]]
name = "Voorbeeld Zorg NV"
numbers = ["1008", "+32*#9"]

[agents]
basis = "contract"
notice = "bijlage 4"
works_council = "2026-05"
aliases = true

[rights]
answer_within = "30 days"
copy_holds = "own side"
copy_reason = "the agent's privacy"

[reports]
keep = "2 years"
per_agent = true

[receipt]
read_out = true
"""

READ = {
    "id": "all-of_it.2",
    "version": 7,
    "title": "Alles",
    "mode": Mode.OPT_OUT,
    "basis": Basis.LEGITIMATE_INTERESTS,
    "assessment": "LIA 2026-05",
    "jurisdiction": "BE",
    "directions": (Direction.INCOMING, Direction.OUTGOING),
    "controller": Controller(
        id="groep",
        name="Voorbeeld Groep NV",
        address="Laan 9, Voorbeeldstad",
        timezone="Europe/Brussels",
        dpo="dpo@groep.example",
        authority="Gegevensbeschermingsautoriteit",
        breach_contact="datalek@groep.example",
        privacy_notice="https://groep.example/privacy",
        authorised_contact="privacy@groep.example",
    ),
    "processor": Processor(
        name="Telefonie BV", contact="privacy@telefonie.example", breach_contact="datalek@telefonie.example"
    ),
    "approving_role": "dpo",
    "granting_role": "ciso",
    "next_review": date(2027, 10, 1),
    "special_category": True,
    "card_data": True,
    "proof_term": Term(amount=10, unit="year"),
    "language": Language(
        chosen_by=ChosenBy.MENU, otherwise=UNRECORDED, menu=(("1", "nl"), ("*", "fr")), dialled=()
    ),
    "digits": Digits(agree="0", refuse="9", repeat="#"),
    "timing": Timing(attempts=5, repeats=0, first_digit_s=7.0, overall_s=300.0),
    "codes": Codes(withdraw="*9", pause="*7", agent_stop="#8#"),
    "text": "p5",
    "addresses": {"nl": "groep punt example", "fr": "groep point example"},
    "spoken_names": {"nl": "de Voorbeeld Groep"},
    "purposes": (
        Purpose(
            name="quality",
            keep=Term(amount=1, unit="month"),
            announced={"nl": "kwaliteit"},
            live_listening=True,
        ),
        Purpose(
            name="evidence",
            keep=Term(amount=4, unit="week"),
            announced={"nl": "bewijs", "fr": "la preuve"},
            extension=Extension(
                until="the proceedings have ended", at_most=Term(amount=10, unit="year"), second_person=True
            ),
        ),
    ),
    "roles": (
        Role(
            name="supervisor",
            purposes=("quality",),
            ways=("recording", "live"),
            deputy="deputy supervisor",
            established_in="EU",
        ),
        Role(name="legal", purposes=("evidence",), ways=("recording",)),
    ),
    "recipients": (Recipient(name="Voorbeeld Advocaten", address="Plein 2", purpose="evidence"),),
    "excluded": (Excluded(name="Voorbeeld Zorg NV", numbers=("1008", "+32*#9")),),
    "agents": Agents(basis="contract", notice="bijlage 4", works_council="2026-05", aliases=True),
    "rights": Rights(
        answer_within=Term(amount=30, unit="day"), copy_holds="own side", copy_reason="the agent's privacy"
    ),
    "reports": Reports(keep=Term(amount=2, unit="year"), per_agent=True),
    "receipt": Receipt(read_out=True),
}
