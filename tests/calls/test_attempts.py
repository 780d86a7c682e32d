"""Attempts are counted by caller and in all, for an hour, without knowing whose they are."""

from hypothesis import given
from hypothesis import strategies as st

from asterisk_consent.calls.attempts import WINDOW_S, AttemptLimits, Attempts

ANNA, BRAM = "+442079460101", "+442079460102"


class Clock:
    def __init__(self) -> None:
        self.now_s = 50.0

    def __call__(self) -> float:
        return self.now_s


def attempts(clock: Clock, *, per_caller: int = 2, in_all: int = 5) -> Attempts:
    limits = AttemptLimits(per_caller=per_caller, in_all=in_all)
    return Attempts(limits, key=b"k" * 32, clock_s=clock)


def test_each_caller_has_so_many_attempts_an_hour() -> None:
    clock = Clock()
    line = attempts(clock)

    assert [line.count(ANNA), line.count(ANNA), line.count(ANNA)] == [True, True, False]
    assert not line.allow(ANNA)
    assert line.count(BRAM)
    clock.now_s += WINDOW_S
    assert line.count(ANNA)


def test_all_together_have_so_many_attempts_an_hour_withheld_numbers_too() -> None:
    clock = Clock()
    line = attempts(clock, in_all=3)

    assert [line.count(None) for _ in range(4)] == [True, True, True, False]
    assert not line.allow(ANNA)


def test_asking_whether_one_may_is_no_attempt() -> None:
    line = attempts(Clock(), per_caller=1)

    assert line.allow(ANNA)
    assert line.count(ANNA)


def test_no_number_is_kept() -> None:
    line = attempts(Clock())
    line.count(ANNA)

    assert ANNA not in repr(vars(line))


@given(
    tries=st.lists(
        st.tuples(st.sampled_from([ANNA, BRAM, None, "\ud800", ""]), st.floats(0, 2 * WINDOW_S)), max_size=60
    ),
    per_caller=st.integers(1, 4),
    in_all=st.integers(1, 8),
)
def test_in_no_hour_are_there_more_than_the_limits(
    tries: list[tuple[str | None, float]], per_caller: int, in_all: int
) -> None:
    clock = Clock()
    line = attempts(clock, per_caller=per_caller, in_all=in_all)
    made: list[tuple[float, str | None]] = []
    for number, later_s in tries:
        clock.now_s += later_s
        if line.count(number):
            made.append((clock.now_s, number))
    for at_s, number in made:
        hour = [who for when, who in made if at_s - WINDOW_S < when <= at_s]
        assert len(hour) <= in_all
        assert number is None or hour.count(number) <= per_caller
