"""The shipped announcement and values to fill it with, for the tests of this folder."""

from pathlib import Path

from asterisk_consent.prompts.text import AnnouncementText, load_text

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


def shipped_text() -> AnnouncementText:
    return load_text(SOUNDS / "nl" / "p1.toml")
