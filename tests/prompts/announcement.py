"""The shipped announcements, what they are filled with and what each kind must say, for the tests of this folder."""

from collections.abc import Mapping
from pathlib import Path

from asterisk_consent.prompts.text import AnnouncementText, load_text
from asterisk_consent.prompts.wording import spoken_term

SOUNDS = Path(__file__).resolve().parents[2] / "sounds"

VALUES = {
    "controller": "Voorbeeld BV",
    "purposes": "de training van onze medewerkers",
    "storage_time": "90 dagen",
    "address": "voorbeeld punt example, schuine streep privacy",
    "agree_digit": "1",
    "refuse_digit": "2",
    "repeat_digit": "3",
}
"""Of the opt-in policy with the text ``nl/p1``."""

KINDS = {
    "nl/p1": "opt-in",
    "en/p1": "opt-in",
    "nb/p2": "opt-in",
    "nl/p3": "notice",
    "en/p4": "opt-in",
    "nl/p5": "opt-out",
    "en/p5": "opt-out",
    "fr/p5": "opt-out",
    "de/p5": "opt-out",
    "nl/legal": "legal-obligation",
}
"""Which kind of policy each shipped text is for."""

_NOTICE = {
    "controller": "GDPR art. 13(1)(a)",
    "recording": "GDPR art. 5(1)(a)",
    "monitoring": "GDPR art. 5(1)(a)",
    "purposes": "GDPR art. 13(1)(c)",
    "objection": "GDPR art. 21(4)",
    "address": "GDPR art. 12(1)",
}
DUTIES_OF: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "opt-in": {
        "information": {
            "controller": "GDPR art. 13(1)(a)",
            "recording": "GDPR art. 4(11)",
            "purposes": "GDPR art. 13(1)(c)",
            "content": "GDPR art. 4(11)",
            "storage": "GDPR art. 13(2)(a)",
            "withdrawal": "GDPR art. 7(3)",
            "address": "GDPR art. 12(1)",
        },
        "question": {"agree": "GDPR art. 4(11)", "refuse": "GDPR art. 7(4)"},
    },
    "notice": {"information": _NOTICE},
    "opt-out": {
        "menu": {"choose": "the policy has several languages"},
        "information": _NOTICE,
        "question": {"object": "GDPR art. 21(1)"},
    },
    "legal-obligation": {
        "information": {
            "controller": "GDPR art. 13(1)(a)",
            "recording": "GDPR art. 5(1)(a)",
            "legal_obligation": "GDPR art. 13(1)(c)",
            "purposes": "GDPR art. 13(1)(c)",
            "address": "GDPR art. 12(1)",
        },
        "no_refusal": {"no_refusal": "GDPR art. 21(1)"},
    },
}
"""What a text must say, by the kind of policy, as ``lint_text`` takes it."""

_DIGITS_OF = {
    "opt-in": {"agree_digit": "1", "refuse_digit": "2", "repeat_digit": "3"},
    "notice": {},
    "opt-out": {"refuse_digit": "9", "language_digit": "4"},
    "legal-obligation": {},
}
_PHRASES = {
    "nl": ("Voorbeeld BV", "de kwaliteit van onze dienst", "voorbeeld punt example, schuine streep privacy"),
    "nb": ("Eksempel AS", "opplæring av våre ansatte", "eksempel punktum example"),
    "en": ("Example Limited", "the training of our staff", "voorbeeld dot example, slash privacy"),
    "fr": ("Exemple SA", "la qualité de notre service", "exemple point example, barre oblique données"),
    "de": (
        "Beispiel GmbH",
        "die Qualität unserer Beratung",
        "beispiel Punkt example, Schrägstrich Datenschutz",
    ),
}


def shipped_text(name: str = "nl/p1") -> AnnouncementText:
    return load_text(SOUNDS / f"{name}.toml")


def values_for(name: str) -> dict[str, str]:
    """What a policy of its kind would fill a shipped text with; empty for the digits it does not have."""
    language = name.split("/")[0]
    controller, purposes, address = _PHRASES[language]
    return {
        "controller": controller,
        "purposes": purposes,
        "storage_time": spoken_term(90, "day", language),
        "address": address,
        **dict.fromkeys(("agree_digit", "refuse_digit", "repeat_digit", "language_digit"), ""),
        **_DIGITS_OF[KINDS[name]],
    }


SPOKEN = {
    "information": "Welkom bij Voorbeeld BV. Wij nemen dit gesprek graag op. Wij bewaren de opname 90 dagen.",
    "question": "Toets 1 als wij mogen opnemen, 2 als u dat niet wilt, of 3 om dit nog eens te horen.",
}
"""What is spoken where only the sound matters."""
