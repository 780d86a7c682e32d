"""Emergency numbers: each that a country has, with every prefix, in the file that is shipped."""

import re
from pathlib import Path

import phonenumbers
import pytest

from asterisk_consent.emergency import ALWAYS, emergency_dialplan, emergency_numbers
from asterisk_consent.errors import ConfigError

SHIPPED = Path(__file__).resolve().parents[1] / "dialplan/asterisk-consent-emergency.conf"


def listed(text: str) -> list[str]:
    return re.findall(r"^exten => (\S+),1,NoOp\(\)$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("country", "numbers"),
    [
        ("NL", {"112"}),
        ("NO", {"110", "112", "113"}),
        ("BE", {"100", "101", "112"}),
        ("DE", {"110", "112"}),
        ("FR", {"112", "15", "17", "18"}),
        ("GB", {"112", "999"}),
        ("SE", {"112", "90000"}),
        ("US", {"911"}),
        ("AU", {"000"}),
    ],
)
def test_the_numbers_of_a_country_are_known_whatever_their_length(country: str, numbers: set[str]) -> None:
    assert numbers <= set(emergency_numbers(country))


@pytest.mark.parametrize("country", ["NL", "NO", "BE", "FR", "IN"])
def test_they_are_exactly_those_that_the_library_takes_for_one(country: str) -> None:
    every = (f"{number:0{length}}" for length in (1, 2, 3, 4) for number in range(10**length))

    assert set(emergency_numbers(country)) == {
        number for number in every if phonenumbers.is_emergency_number(number, country)
    }


@pytest.mark.parametrize("country", ["XX", "nl", "", "NLD", "é\n"])
def test_a_country_without_a_known_number_is_refused_and_never_an_empty_list(country: str) -> None:
    with pytest.raises(ConfigError) as raised:
        emergency_dialplan(["NL", country])

    assert str(raised.value) == (
        f"{country!a}: no emergency number is known of this country. Write the two capital letters of a"
        " country, such as NL"
    )


def test_the_file_that_is_shipped_is_what_the_generator_makes() -> None:
    assert SHIPPED.read_text(encoding="utf-8") == emergency_dialplan(("NL", "BE", "NO"), ("0", "9"))


def test_what_is_in_every_list_stands_in_the_dialplan_itself() -> None:
    dialplan = (SHIPPED.parent / "asterisk-consent.conf").read_text(encoding="utf-8")
    assert {f"exten => {number},1,NoOp()" for number in ALWAYS} <= set(dialplan.splitlines())


def test_every_number_is_listed_once_also_with_every_prefix() -> None:
    numbers = listed(emergency_dialplan(("SE", "FR"), ("0", "*9", "0")))

    every = {*ALWAYS, *emergency_numbers("SE"), *emergency_numbers("FR")}
    with_prefix = {prefix + number for prefix in ("", "0", "*9") for number in every}
    assert sorted(numbers) == sorted(with_prefix - set(ALWAYS))
    assert numbers == sorted(numbers, key=lambda number: (len(number), number))


@pytest.mark.parametrize("prefixes", [(), ("",)])
def test_without_a_prefix_numbers_stand_alone(prefixes: tuple[str, ...]) -> None:
    text = emergency_dialplan(["NO"], prefixes)

    assert listed(text) == ["110", "113"]
    assert "Outside-line prefixes: none." in text


@pytest.mark.parametrize("prefix", ["0,1", "0)", "_X", "a", " ", "0\n", "٣"])
def test_a_prefix_that_could_be_read_as_dialplan_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigError, match="digits, \\* and # only"):
        emergency_dialplan(["NL"], [prefix])


def test_the_file_says_of_which_countries_it_is_and_how_it_was_made() -> None:
    header = emergency_dialplan(("SE", "FR", "SE"), ("0", "*9")).partition("[asterisk-consent-emergency]\n")[
        0
    ]

    assert all(line.startswith(";") for line in header.splitlines() if line)
    assert "; Countries: FR, SE. Outside-line prefixes: *9, 0. Made with\n" in header
    assert (
        ";     asterisk-consent dialplan emergency --country FR --country SE --prefix '*9' --prefix 0\n"
        in header
    )
