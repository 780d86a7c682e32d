"""How long something is kept: never over early, at most a day late, and readable as it is written."""

import calendar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_consent.policy.term import Term, parse_term

DAY = timedelta(days=1)
ZONES = (
    "UTC",
    "Europe/Amsterdam",
    "Europe/Oslo",
    "Atlantic/Azores",  # puts its clock back at one to midnight
    "America/Havana",  # leaves midnight out in spring
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
)
LONGEST = {"day": 3650, "week": 520, "month": 120, "year": 10}

terms = st.sampled_from(sorted(LONGEST)).flatmap(
    lambda unit: st.integers(1, LONGEST[unit]).map(lambda amount: Term(amount=amount, unit=unit))
)
moments = st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2060, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    timezones=st.just(UTC),
)


def term(text: str) -> Term:
    found = parse_term(text)
    assert found is not None
    return found


def day_after(first: date, wanted: Term) -> date:
    """The calendar's own answer: the same day of a later month, or the last one that month has."""
    months = first.year * 12 + first.month - 1 + wanted.amount * (12 if wanted.unit == "year" else 1)
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(first.day, calendar.monthrange(year, month)[1]))


@given(wanted=terms, began_at=moments, zone=st.sampled_from(ZONES))
def test_a_term_is_never_over_early_and_at_most_a_day_late(
    wanted: Term, began_at: datetime, zone: str
) -> None:
    first = began_at.astimezone(ZoneInfo(zone)).date()
    if wanted.unit in ("day", "week"):
        last = first + wanted.amount * (7 if wanted.unit == "week" else 1) * DAY
    else:
        last = day_after(first, wanted)

    ends_at = wanted.ends_at(began_at, zone)

    just_before = (ends_at.astimezone(UTC) - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
    assert just_before.date() == last, "the last hour of the last day is the last of the term"
    assert ends_at.astimezone(ZoneInfo(zone)).date() == last + DAY
    late = ends_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) - datetime.combine(
        last, began_at.astimezone(ZoneInfo(zone)).time()
    )
    assert timedelta(0) < late <= DAY


@given(wanted=terms, began_at=moments, later=st.timedeltas(timedelta(0), timedelta(days=400)))
def test_what_begins_later_does_not_end_earlier(wanted: Term, began_at: datetime, later: timedelta) -> None:
    assert wanted.ends_at(began_at + later, "Europe/Amsterdam") >= wanted.ends_at(
        began_at, "Europe/Amsterdam"
    )


@pytest.mark.parametrize(
    ("text", "began_at", "ends_at"),
    [
        ("1 day", "2027-03-27T12:00+01:00", "2027-03-29T00:00+02:00"),  # the night of 23 hours
        ("1 day", "2027-10-30T12:00+02:00", "2027-11-01T00:00+01:00"),  # the night of 25 hours
        ("1 month", "2027-01-31T12:00+01:00", "2027-03-01T00:00+01:00"),
        ("1 month", "2028-01-31T12:00+01:00", "2028-03-01T00:00+01:00"),  # 29 February is a day of 2028
        ("1 month", "2027-02-28T12:00+01:00", "2027-03-29T00:00+02:00"),
        ("1 year", "2028-02-29T12:00+01:00", "2029-03-01T00:00+01:00"),
        ("4 years", "2028-02-29T12:00+01:00", "2032-03-01T00:00+01:00"),
        ("4 weeks", "2027-06-01T12:00+02:00", "2027-06-30T00:00+02:00"),
        ("90 days", "2026-12-31T23:59+01:00", "2027-04-01T00:00+02:00"),
        ("1 day", "2026-12-31T23:30+00:00", "2027-01-03T00:00+01:00"),  # begun on 1 January over there
        ("1 month", "2027-12-15T12:00+01:00", "2028-01-16T00:00+01:00"),
    ],
)
def test_a_term_ends_with_the_last_hour_of_its_last_day(text: str, began_at: str, ends_at: str) -> None:
    ended = term(text).ends_at(datetime.fromisoformat(began_at), "Europe/Amsterdam")

    assert ended == datetime.fromisoformat(ends_at)
    assert str(ended.tzinfo) == "Europe/Amsterdam"


def test_where_midnight_is_left_out_a_term_ends_when_the_next_day_begins() -> None:
    ended = term("1 day").ends_at(datetime(2027, 3, 12, 12, tzinfo=UTC), "America/Havana")

    assert ended.astimezone(UTC) == datetime(2027, 3, 14, 5, tzinfo=UTC)


@given(wanted=terms)
def test_a_term_is_read_as_it_is_printed(wanted: Term) -> None:
    assert parse_term(str(wanted)) == wanted


@pytest.mark.parametrize("text", ["1 day", "2 days", "1 week", "4 weeks", "1 month", "5 years", "100 years"])
def test_a_term_is_printed_as_it_was_written(text: str) -> None:
    assert str(term(text)) == text


@given(
    pieces=st.tuples(
        st.sampled_from(["", "", "", " ", "-", "0"]),
        st.integers(0, 120_000).map(str),
        st.sampled_from([" ", " ", " ", "", "  ", "\n"]),
        st.sampled_from(["day", "week", "month", "year", "dag", "Day"]),
        st.sampled_from(["", "s", "s", " ", "\n", "ss"]),
    )
)
def test_what_is_read_as_a_term_says_so_to_the_letter(pieces: tuple[str, ...]) -> None:
    text = "".join(pieces)
    found = parse_term(text)

    if found is not None:
        assert text in (f"{found.amount} {found.unit}", f"{found.amount} {found.unit}s")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "90",
        "days",
        "0 days",
        "-1 day",
        "+1 day",
        "01 days",
        "1.5 years",
        "1  day",
        " 1 day",
        "1 day ",
        "1 day\n",
        "1 Day",
        "1 dag",
        "1 year and 1 day",
        "101 years",
        "99999 days",
        "100000 days",
        "٣ days",
    ],
)
def test_nothing_else_is_a_term(text: str) -> None:
    assert parse_term(text) is None


@pytest.mark.parametrize(
    ("longer", "shorter"),
    [("2 days", "1 day"), ("1 year", "11 months"), ("5 years", "1800 days"), ("1 month", "4 weeks")],
)
def test_the_longer_of_two_terms_is_told(longer: str, shorter: str) -> None:
    assert term(longer).is_longer_than(term(shorter))
    assert not term(shorter).is_longer_than(term(longer))


@pytest.mark.parametrize("text", ["1 day", "4 weeks", "1 month", "1 year"])
def test_no_term_is_longer_than_itself(text: str) -> None:
    assert not term(text).is_longer_than(term(text))
    assert not term(text).may_outlast(term(text))


@pytest.mark.parametrize(
    ("days", "calendar_term"), [("31 days", "1 month"), ("90 days", "3 months"), ("366 days", "1 year")]
)
def test_days_may_outlast_the_months_that_are_mostly_longer(days: str, calendar_term: str) -> None:
    assert term(days).may_outlast(term(calendar_term))


@given(one=terms, other=terms)
def test_a_term_that_is_longer_may_outlast(one: Term, other: Term) -> None:
    assert one.may_outlast(other) or not one.is_longer_than(other)
