"""An exported recording as sound: which tone is on which side, when, and what else there is.

Rule: a side is pure when nothing in it is louder than its own tone's measuring error; so speech, ringing or
music would be found at whatever frequency they are.
"""

import wave
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asterisk_consent.ledger.read import find_recording
from asterisk_consent.model import RecordingId
from asterisk_consent.vault.call_keys import CallKey, open_key
from asterisk_consent.vault.identities import identity_path, load_identities
from asterisk_consent.vault.kept import open_kept
from tests.pbx import sound
from tests.pbx.development import DevelopmentPbx
from tests.pbx.scenarios.exchange import AGENT_HZ, CALLER_HZ


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """The two sides of a recording."""

    caller: NDArray[np.int16]
    agent: NDArray[np.int16]
    rate: int

    @property
    def duration_s(self) -> float:
        """The length of the file."""
        return len(self.caller) / self.rate

    def apart_db(self) -> tuple[float, float]:
        """How much louder each party is on its own side than on the other's: caller, agent."""
        return (
            _apart_db(self.caller, self.agent, self.rate, CALLER_HZ),
            _apart_db(self.agent, self.caller, self.rate, AGENT_HZ),
        )

    def first_heard_s(self) -> tuple[float, float]:
        """When each party's tone is first heard on its side: caller, agent."""
        return (
            sound.tone_spans(self.caller, self.rate, CALLER_HZ)[0][0],
            sound.tone_spans(self.agent, self.rate, AGENT_HZ)[0][0],
        )

    def heard_s(self, hz: float) -> float:
        """For how long a tone is heard, on whichever side it is heard longer."""
        return max(
            sum(end - start for start, end in sound.tone_spans(side, self.rate, hz))
            for side in (self.caller, self.agent)
        )

    def impure_s(self) -> tuple[float, float]:
        """For how long at a stretch each side holds something louder than 20 dB below its party's tone.

        A phone that a busy machine stalls makes a click, now and then; speech, ringing and music last.
        """
        return (
            _impure_s(self.caller, self.rate, CALLER_HZ),
            _impure_s(self.agent, self.rate, AGENT_HZ),
        )


def export(pbx: DevelopmentPbx, recording_id: str | None, directory: Path) -> Exported:
    """Let the product hand out the recording, and read what it gave."""
    assert recording_id is not None
    file = directory / f"{recording_id}.wav"
    arguments = ("--reason", "a test of the sound", "--to", "the test", "-o", str(file))
    pbx.consent_as_root("recordings", "export", recording_id, *arguments)
    return _read(file)


def from_vault(pbx: DevelopmentPbx, recording_id: str) -> Exported:
    """Open the recording where it is kept, also one that is not right."""
    settings = pbx.settings
    row = find_recording(settings.data / "ledger.sqlite", recording_id)
    assert row is not None
    key = CallKey(keys=settings.keys, call_id=row.call_id, controller=row.controller)
    opened = open_key(key, load_identities(identity_path(row.controller, settings.identities)))
    with open_kept(RecordingId(recording_id), settings.data / "vault", opened, sha256=row.sha256) as audio:
        samples = np.concatenate(list(audio.blocks(audio.rate)))
        return Exported(caller=samples[:, 0], agent=samples[:, 1], rate=audio.rate)


def read_sides(caller: Path, agent: Path) -> Exported:
    """Read two files of one side each, as Asterisk writes them."""
    samples, rates = [], set()
    for file in (caller, agent):
        with wave.open(str(file)) as source:
            assert (source.getnchannels(), source.getsampwidth()) == (1, 2)
            samples.append(np.frombuffer(source.readframes(source.getnframes()), dtype="<i2"))
            rates.add(source.getframerate())
    return Exported(caller=samples[0], agent=samples[1], rate=rates.pop())


def _read(file: Path) -> Exported:
    with wave.open(str(file)) as source:
        assert (source.getnchannels(), source.getsampwidth()) == (2, 2)
        samples = np.frombuffer(source.readframes(source.getnframes()), dtype="<i2").reshape(-1, 2)
        return Exported(caller=samples[:, 0], agent=samples[:, 1], rate=source.getframerate())


def _apart_db(own: NDArray[np.int16], other: NDArray[np.int16], rate: int, hz: float) -> float:
    """Compare the usual level on one side with what nine of ten windows of the other do not pass.

    A phone that stalls for a moment clicks, and a click holds every frequency; what lasts is found as impure.
    """
    own_db, other_db = (sound.tone_levels(side, rate, hz, window_s=0.1, hop_s=0.05) for side in (own, other))
    return float(np.median(own_db) - np.quantile(other_db, 0.9))


def _impure_s(samples: NDArray[np.int16], rate: int, hz: float) -> float:
    """Find the longest run of windows of 50 ms from which the tone cannot be taken away down to 20 dB below it.

    A sine is taken away by fitting its two components (least squares) in each window.
    """
    length = rate // 20
    moments = np.arange(length) / rate
    shape = np.stack([np.cos(2 * np.pi * hz * moments), np.sin(2 * np.pi * hz * moments)], axis=1)
    windows = samples[: len(samples) // length * length].reshape(-1, length).astype(np.float64).T
    weights, *_ = np.linalg.lstsq(shape, windows, rcond=None)
    rest = windows - shape @ weights
    rest_db = 10 * np.log10(np.mean(np.square(rest), axis=0) / np.mean(np.square(shape @ weights)) + 1e-14)
    longest = max((sum(run) for _, run in groupby((rest_db > -20).tolist())), default=0)
    return float(longest) * length / rate
