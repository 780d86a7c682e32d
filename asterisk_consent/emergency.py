"""Knows the emergency numbers of a country, and writes them down for the dialplan; pure.

The dialplan lets a number pass unasked that it finds in the context ``asterisk-consent-emergency``
(``dialplan/asterisk-consent.conf``). That context is a list, made here, so that it works without the service.

Source of the numbers: the short-number metadata of the library phonenumbers (Google's libphonenumber). It keeps a
pattern for each country; the numbers are all those that match it.
"""

import re
from collections.abc import Iterable
from itertools import product

from phonenumbers.phonemetadata import PhoneMetadata

from asterisk_consent.errors import ConfigError

ALWAYS = ("000", "112", "911", "999")
"""In ``dialplan/asterisk-consent.conf`` already: people dial what they know from home or from films."""
PREFIXES = ("0", "9")
"""What phones dial for an outside line where nothing else is said."""

_PREFIX = re.compile(r"[0-9*#]*")
_HEADER = """\
; asterisk-consent: emergency numbers, never asked and never recorded, dialled or calling
;
; Countries: {countries}. Outside-line prefixes: {prefixes}. Made with
;
;     asterisk-consent dialplan emergency {options}
;
; of the numbers that the library phonenumbers knows for each country. {always} are in asterisk-consent.conf.
;
; For other countries or prefixes make a file of your own with that command, and include it from extensions.conf
; instead of this one. The list is not official: compare it with what your country publishes, and add a line for
; each number that is missing.
;
; Internal extensions of the same digits will not be asked either, calling or called.

[asterisk-consent-emergency]
"""


def emergency_numbers(country: str) -> tuple[str, ...]:
    """Return every emergency number of a country, sorted.

    :param country: two capital letters (ISO 3166-1).
    :raises ConfigError: the country is not known, or has no number in the metadata.
    """
    metadata = PhoneMetadata.short_metadata_for_region(country)
    emergency = metadata.emergency if metadata else None
    if emergency is None or not emergency.national_number_pattern:
        raise ConfigError(
            "no emergency number is known of this country",
            where=ascii(country),
            remedy="Write the two capital letters of a country, such as NL",
        )
    pattern = re.compile(emergency.national_number_pattern)
    candidates = (
        "".join(digits)
        for length in emergency.possible_length
        for digits in product("0123456789", repeat=length)
    )
    return tuple(sorted(filter(pattern.fullmatch, candidates)))


def emergency_dialplan(countries: Iterable[str], prefixes: Iterable[str] = PREFIXES) -> str:
    """Write the file that defines ``[asterisk-consent-emergency]``.

    :param countries: as for ``emergency_numbers``.
    :param prefixes: dialled before a number for an outside line; each number is there without one too.
    :raises ConfigError: a country is not known, or a prefix holds anything but digits, ``*`` and ``#``.
    """
    named = sorted(set(countries))
    before = sorted(set(prefixes) - {""})
    for prefix in before:
        if not _PREFIX.fullmatch(prefix):
            raise ConfigError(
                "this is no outside-line prefix",
                where=ascii(prefix),
                remedy="Write what your phones dial for an outside line: digits, * and # only",
            )
    numbers = set(ALWAYS).union(*map(emergency_numbers, named))
    listed = {prefix + number for prefix in ("", *before) for number in numbers} - set(ALWAYS)
    options = [f"--country {country}" for country in named]
    options += [f"--prefix {_quoted(prefix)}" for prefix in before or [""]]
    header = _HEADER.format(
        countries=", ".join(named) or "none",
        prefixes=", ".join(before) or "none",
        options=" ".join(options),
        always=f"{', '.join(ALWAYS[:-1])} and {ALWAYS[-1]}",
    )
    ordered = sorted(listed, key=lambda number: (len(number), number))
    return header + "".join(f"exten => {number},1,NoOp()\n" for number in ordered)


def _quoted(prefix: str) -> str:
    return prefix if prefix.isdigit() else f"'{prefix}'"
