"""Follows what Asterisk plays to one caller: which part ended, whether all of it was played, how much in all.

Rule: *played* is measured between Asterisk's own events, never inferred from a request that was answered: a
missing or truncated file reports success too. Source: ARI events ``PlaybackStarted``, ``PlaybackContinuing``
(the next of several media began), ``PlaybackFinished``.
"""

from collections.abc import Sequence
from enum import StrEnum

from asterisk_consent.calls.announced import Segment
from asterisk_consent.dialogue.events import PartPlayed, PlaybackFailed
from asterisk_consent.pbx.ari import AriEvent

TOLERANCE_MS = 200
"""A part counts as played out when Asterisk took its length less this: playback ends a few frames early."""


def playback_id(channel: str, play: int) -> str:
    """Return the id of a call's nth playback."""
    return f"consent-{channel}-{play}"


class Playing:
    """The playbacks of one call, one after the other.

    :param channel: its id; a playback's id is made of it, so that another run of the service can stop it.
    """

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._play = 0
        self._files: tuple[tuple[StrEnum, Segment], ...] = ()
        self._whole = True
        self._began_at_s: float | None = None
        self._played_ms = 0

    def begin(self, play: int, files: Sequence[tuple[StrEnum, Segment]]) -> str:
        """Note that these files were sent to be played; return the playback's id."""
        self._play, self._files, self._whole, self._began_at_s = play, tuple(files), True, None
        return playback_id(self._channel, play)

    def stop(self, at_s: float) -> str:
        """Note that the playback ends here, at Asterisk's time ``at_s``; return its id."""
        if self._files and self._began_at_s is not None:
            self._played_ms += self._elapsed_ms(at_s)
        self._files, self._began_at_s = (), None
        return playback_id(self._channel, self._play)

    def played_ms(self, at_s: float) -> int:
        """Return what Asterisk has played of the announcement up to ``at_s``, repetitions included."""
        current = self._elapsed_ms(at_s) if self._files and self._began_at_s is not None else 0
        return self._played_ms + current

    def take(self, event: AriEvent) -> PartPlayed | PlaybackFailed | None:
        """Turn a playback event into one of the dialogue's; ``None`` where it means nothing (any more)."""
        if (
            event.playback is None
            or not self._files
            or event.playback.id != playback_id(self._channel, self._play)
        ):
            return None
        match event.type:
            case "PlaybackStarted" if self._began_at_s is None:
                self._began_at_s = event.at_s
            case "PlaybackContinuing" if len(self._files) > 1:
                return self._file_ended(event.at_s)
            case "PlaybackFinished" if event.playback.state == "failed":
                self.stop(event.at_s)
                return PlaybackFailed(self._play, "the announcement is missing or was cut off")
            case "PlaybackFinished":
                return self._finished(event.at_s)
        return None

    def _finished(self, at_s: float) -> PartPlayed | PlaybackFailed | None:
        """Take the end of the last file; where more should have come the part was not played in full."""
        part = self._files[0][0]
        cut = any(other is part for other, _ in self._files[1:])
        ended = self._file_ended(at_s)
        return PartPlayed(self._play, part, False) if cut else ended

    def _file_ended(self, at_s: float) -> PartPlayed | PlaybackFailed | None:
        """Take the end of a file; the part has ended with the last of its files."""
        (part, segment), *rest = self._files
        elapsed_ms = self._elapsed_ms(at_s) if self._began_at_s is not None else 0
        self._whole = self._whole and elapsed_ms >= segment.duration_ms - TOLERANCE_MS
        self._played_ms += elapsed_ms
        self._files, self._began_at_s = tuple(rest), at_s
        if rest and rest[0][0] is part:
            return None
        whole, self._whole = self._whole, True
        return PartPlayed(self._play, part, whole)

    def _elapsed_ms(self, at_s: float) -> int:
        """Milliseconds of the current file, never more than it has."""
        elapsed_ms = round((at_s - (self._began_at_s or at_s)) * 1000)
        return max(0, min(elapsed_ms, self._files[0][1].duration_ms))
