"""A controller with two identities, and recordings opened with them, for tests."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asterisk_consent.model import RecordingId
from asterisk_consent.vault.age import Identity
from asterisk_consent.vault.call_keys import CallKey, open_key
from asterisk_consent.vault.kept import open_kept
from asterisk_consent.vault.recipients import add_recipients, has_recipients
from asterisk_consent.vault.store import Closed, close_recording
from tests.vault.tones import RATE, RECORDING

CONTROLLER = "voorbeeld"
CALL = "c" * 32
_HERE, _ELSEWHERE = Identity.generate(), Identity.generate()
"""The identities of every controller in the tests: making them anew for each would only take time."""


def give_keys(controller: str, keys: Path) -> None:
    """Give a controller two recipients, unless it has some."""
    if not has_recipients(controller, keys):
        add_recipients(controller, keys, [_HERE.recipient, _ELSEWHERE.recipient])


@dataclass(frozen=True, slots=True)
class Keyring:
    """A directory of keys, a call's key there, and the identities that open it."""

    keys: Path

    here: Identity = _HERE
    elsewhere: Identity = _ELSEWHERE

    def of(self, call_id: str = CALL) -> CallKey:
        """The key of a call."""
        return CallKey(keys=self.keys, call_id=call_id, controller=CONTROLLER)

    def close(self, spool: Path, vault: Path, recording: RecordingId = RECORDING) -> Closed:
        """Close a recording of the call."""
        return close_recording(recording, spool, vault, self.of())

    def audio_key(self, call_id: str = CALL) -> Identity:
        """Open the key of a call, as its controller would."""
        return open_key(self.of(call_id), (self.here,))

    def channels(
        self, vault: Path, recording: RecordingId = RECORDING
    ) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """Open a recording: caller, agent."""
        with open_kept(recording, vault, self.audio_key()) as audio:
            assert audio.rate == RATE
            samples = np.concatenate(list(audio.blocks(1000)))
        return samples[:, 0], samples[:, 1]
