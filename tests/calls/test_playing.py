"""What was played is what Asterisk's own events say, and *complete* is never inferred."""

from datetime import UTC, datetime

import pytest

from asterisk_consent.calls.announced import Segment
from asterisk_consent.calls.playing import TOLERANCE_MS, Playing, playback_id
from asterisk_consent.dialogue.events import Event, Part, PartPlayed, PlaybackFailed
from asterisk_consent.pbx.ari import AriEvent, PlaybackSnapshot

CHANNEL = "1800000000.1"
INFORMATION, QUESTION = Part.INFORMATION, Part.QUESTION
ASKED = (INFORMATION, Segment(path="/prompts/nl/information", duration_ms=15_000))
QUESTIONED = (QUESTION, Segment(path="/prompts/nl/question", duration_ms=5_000))
BOTH = (ASKED, QUESTIONED)
MENU = tuple(
    (Part.MENU, Segment(path=f"/prompts/{tag}/menu", duration_ms=2_000)) for tag in ("nl", "fr", "de")
)
NOON_S = 1_800_000_000.0


@pytest.fixture
def playing() -> Playing:
    return Playing(CHANNEL)


def event(kind: str, at_s: float, *, play: int = 1, state: str = "playing") -> AriEvent:
    timestamp = datetime.fromtimestamp(NOON_S + at_s, UTC).isoformat(timespec="milliseconds")
    playback = PlaybackSnapshot(id=playback_id(CHANNEL, play), target_uri=f"channel:{CHANNEL}", state=state)
    return AriEvent(type=kind, timestamp=timestamp, playback=playback)


def finished(at_s: float, *, play: int = 1, state: str = "done") -> AriEvent:
    return event("PlaybackFinished", at_s, play=play, state=state)


def taken(playing: Playing, *events: AriEvent) -> list[Event]:
    return [translated for each in events if (translated := playing.take(each)) is not None]


def test_parts_that_took_their_length_were_played_completely(playing: Playing) -> None:
    playing.begin(1, BOTH)

    assert taken(
        playing, event("PlaybackStarted", 0), event("PlaybackContinuing", 14.98), finished(19.96)
    ) == [PartPlayed(1, INFORMATION, True), PartPlayed(1, QUESTION, True)]


@pytest.mark.parametrize(
    ("took_ms", "complete"),
    [(0, False), (15_000 - TOLERANCE_MS - 1, False), (15_000 - TOLERANCE_MS, True), (60_000, True)],
)
def test_a_part_is_complete_only_when_asterisk_took_its_length(
    took_ms: int, complete: bool, playing: Playing
) -> None:
    playing.begin(1, BOTH)

    assert taken(playing, event("PlaybackStarted", 0), event("PlaybackContinuing", took_ms / 1000)) == [
        PartPlayed(1, INFORMATION, complete)
    ]


def test_a_missing_file_is_never_complete(playing: Playing) -> None:
    playing.begin(1, BOTH)

    assert taken(playing, event("PlaybackStarted", 0), event("PlaybackContinuing", 0), finished(5)) == [
        PartPlayed(1, INFORMATION, False),
        PartPlayed(1, QUESTION, True),
    ]


def test_a_part_whose_beginning_nobody_told_is_never_complete(playing: Playing) -> None:
    playing.begin(1, (ASKED,))

    assert taken(playing, finished(15)) == [PartPlayed(1, INFORMATION, False)]


@pytest.mark.parametrize("timestamp", ["", "yesterday"])
def test_a_moment_that_cannot_be_read_makes_no_part_complete(timestamp: str, playing: Playing) -> None:
    unreadable = AriEvent(type="PlaybackStarted", timestamp=timestamp, playback=finished(0).playback)

    playing.begin(1, (ASKED,))
    assert taken(playing, unreadable, finished(15)) == [PartPlayed(1, INFORMATION, False)]

    playing.begin(1, (ASKED,))
    late = AriEvent(type="PlaybackFinished", timestamp=timestamp, playback=finished(0).playback)
    assert taken(playing, event("PlaybackStarted", 0), late) == [PartPlayed(1, INFORMATION, False)]


def test_a_clock_set_back_makes_no_part_complete_and_takes_nothing_away(playing: Playing) -> None:
    playing.begin(1, (ASKED,))

    assert taken(playing, event("PlaybackStarted", 0), finished(-3600)) == [PartPlayed(1, INFORMATION, False)]
    assert playing.played_ms(NOON_S) == 0


def test_a_playback_that_failed_is_told_as_that(playing: Playing) -> None:
    playing.begin(1, BOTH)

    (told,) = taken(playing, event("PlaybackStarted", 0), finished(1, state="failed"), finished(2))

    assert isinstance(told, PlaybackFailed)
    assert told.play == 1
    assert playing.played_ms(NOON_S + 60) == 1_000


def test_what_is_told_of_an_earlier_playback_or_a_strangers_means_nothing(playing: Playing) -> None:
    playing.begin(1, BOTH)
    playing.stop(NOON_S)
    playing.begin(2, (QUESTIONED,))
    stranger = AriEvent(type="PlaybackFinished", playback=PlaybackSnapshot(id="music", state="failed"))

    assert taken(playing, finished(1), finished(1, state="failed"), stranger, AriEvent(type="Dial")) == []


def test_other_events_of_a_playback_mean_nothing(playing: Playing) -> None:
    playing.begin(1, BOTH)

    assert taken(playing, event("PlaybackPaused", 1)) == []


def test_after_a_stop_nothing_is_played(playing: Playing) -> None:
    assert playing.begin(1, BOTH) == playback_id(CHANNEL, 1)
    playing.take(event("PlaybackStarted", 0))

    assert playing.stop(NOON_S + 4) == playback_id(CHANNEL, 1)
    assert taken(playing, finished(4)) == []
    assert playing.played_ms(NOON_S + 60) == 4_000


def test_played_counts_everything_that_was_heard_repetitions_included(playing: Playing) -> None:
    playing.begin(1, BOTH)
    taken(playing, event("PlaybackStarted", 0), event("PlaybackContinuing", 15))
    assert playing.played_ms(NOON_S + 17) == 17_000

    playing.stop(NOON_S + 18)
    playing.begin(2, BOTH)
    assert playing.played_ms(NOON_S + 20) == 18_000

    taken(playing, event("PlaybackStarted", 20, play=2))
    assert playing.played_ms(NOON_S + 21) == 19_000


def test_played_never_exceeds_what_there_is_to_play(playing: Playing) -> None:
    playing.begin(1, (QUESTIONED,))
    taken(playing, event("PlaybackStarted", 0))

    assert playing.played_ms(NOON_S + 3600) == 5_000


def test_a_part_of_several_files_ends_with_the_last_of_them(playing: Playing) -> None:
    playing.begin(1, MENU)

    going_on = [event("PlaybackStarted", 0), event("PlaybackContinuing", 2), event("PlaybackContinuing", 4)]
    assert taken(playing, *going_on) == []
    assert taken(playing, finished(6)) == [PartPlayed(1, Part.MENU, True)]
    assert playing.played_ms(NOON_S + 60) == 6_000


def test_a_part_of_which_one_file_was_cut_was_not_played_completely(playing: Playing) -> None:
    playing.begin(1, MENU)

    cut = [event("PlaybackStarted", 0), event("PlaybackContinuing", 0.1), event("PlaybackContinuing", 2.1)]
    assert taken(playing, *cut, finished(4.1)) == [PartPlayed(1, Part.MENU, False)]


def test_a_part_that_finished_before_its_last_file_was_not_played_completely(playing: Playing) -> None:
    playing.begin(1, MENU)

    assert taken(playing, event("PlaybackStarted", 0), event("PlaybackContinuing", 2), finished(4)) == [
        PartPlayed(1, Part.MENU, False)
    ]


def test_what_is_told_again_changes_nothing(playing: Playing) -> None:
    playing.begin(1, BOTH)
    started, continuing = event("PlaybackStarted", 0), event("PlaybackContinuing", 15)

    assert taken(playing, started, started, continuing, continuing, started, finished(16)) == [
        PartPlayed(1, INFORMATION, True),
        PartPlayed(1, QUESTION, False),
    ]
    assert taken(playing, finished(16), started) == []
