"""Numbers as people and networks write them, in the one form that is stored and indexed (ITU-T E.164).

Rule: pure; what is no telephone number (an extension, a text) stays as it is, and harms nothing.
"""

import re

import phonenumbers

_E164 = re.compile(r"\+[0-9]{7,15}")
_DIGITS = re.compile(r"[1-9][0-9]{6,14}")
_LONGEST = 64


def e164(number: str, region: str) -> str:
    """Return the number in E.164 form, or as it came where it is none.

    ``0031 6…``, ``31 6…`` and ``06…`` are one number in the region NL.

    :param region: two letters (ISO 3166-1): where numbers without a country code belong.
    """
    text = number[:_LONGEST]
    ways = ((text, phonenumbers.is_possible_number), (_international(text), phonenumbers.is_valid_number))
    for candidate, is_one in ways:
        try:
            parsed = phonenumbers.parse(candidate, region)
        except phonenumbers.NumberParseException:
            continue
        if is_one(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return number


def is_e164(number: str) -> bool:
    """Tell whether it is a number in E.164 form."""
    return _E164.fullmatch(number) is not None


def _international(text: str) -> str:
    """Return the number as one with a country code and no sign before it."""
    digits = "".join(character for character in text if character not in " -/.()")
    return f"+{digits}" if _DIGITS.fullmatch(digits) else ""
