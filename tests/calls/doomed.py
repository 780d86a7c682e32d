"""One allowed recording whose two sides are closed in the spool, on its way through services that fail."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asterisk_consent.calls.leftovers import Places, orphans_of
from asterisk_consent.errors import AudioError, KeysError
from asterisk_consent.ledger import Kind, recordings, verify
from asterisk_consent.ledger.connection import reading
from asterisk_consent.ledger.entry import read_header
from asterisk_consent.model import RecordingId
from asterisk_consent.vault.call_keys import CallKey, open_key
from asterisk_consent.vault.kept import open_kept
from tests.ledger.entries import CONTROLLER, decision, hex_id, open_ledger
from tests.vault.keyring import Keyring, give_keys
from tests.vault.tones import AGENT_HZ, CALLER_HZ, tone, write_call

CALL = hex_id(0xCA11)
RECORDING = RecordingId(CALL)
SECONDS = 2.0
ENDS = (Kind.RECORDING_VERIFIED, Kind.RECORDING_FAILED, Kind.RECORDING_NOT_STARTED)


@dataclass(frozen=True, slots=True)
class Doomed:
    """A spool, a vault, keys and a ledger in one directory."""

    directory: Path

    @classmethod
    async def make(cls, directory: Path) -> "Doomed":
        """Let the decision be on disk, and the two sides closed."""
        places = cls(directory).places
        for place in (places.spool, places.vault, places.keys):
            place.mkdir(parents=True)
        give_keys(CONTROLLER, places.keys)
        ledger = await open_ledger(places.ledger)
        await ledger.append(decision(0xCA11, recording=0xCA11))
        await ledger.close()
        write_call(places.spool, SECONDS, RECORDING)
        return cls(directory)

    @property
    def places(self) -> Places:
        """Where everything lies."""
        names = ("spool", "vault", "keys")
        spool, vault, keys = (self.directory / name for name in names)
        return Places(spool=spool, vault=vault, keys=keys, ledger=self.directory / "ledger.sqlite")

    def copied(self, directory: Path) -> "Doomed":
        """Give another of the same."""
        shutil.copytree(self.directory, directory)
        return Doomed(directory)

    def faults(self) -> list[str]:
        """Return everything that is not as it must be once the recording has come to its end."""
        rows = recordings(self.places.ledger)
        orphans = orphans_of(rows, self.places)
        problem = verify(self.places.ledger).problem
        found = {
            "states": [str(row.state) for row in rows] != ["verified"] and [row.reason for row in rows],
            "ends": self.ends() != [Kind.RECORDING_VERIFIED] and self.ends(),
            "ledger": problem,
            "orphans": bool(orphans) and orphans,
            "spool": sorted(path.name for path in self.places.spool.iterdir()),
            "vault": [path.name for path in self.places.vault.iterdir()] != [f"{RECORDING}.flac.age"]
            and list(self.places.vault.iterdir()),
            "audio": not found_audio(self.places) and "not what was in the spool",
        }
        return [f"{what}: {fault}" for what, fault in found.items() if fault]

    def ends(self) -> list[Kind]:
        """Return the ends that were entered, of whatever recording."""
        with reading(self.places.ledger) as connection:
            headers = [row[0] for row in connection.execute("SELECT header FROM chain ORDER BY seq")]
        return [kind for header in headers if (kind := read_header(header).kind) in ENDS]


def found_audio(places: Places) -> bool:
    """Tell whether the controller opens in the vault, sample for sample, what was in the spool."""
    key = CallKey(keys=places.keys, call_id=CALL, controller=CONTROLLER)
    try:
        opened = open_key(key, (Keyring(places.keys).here,))
        with open_kept(RECORDING, places.vault, opened) as audio:
            samples = np.concatenate(list(audio.blocks(1000)))
    except (AudioError, KeysError):
        return False
    expected = np.stack([tone(CALLER_HZ, SECONDS), tone(AGENT_HZ, SECONDS)], axis=1)
    return np.array_equal(samples, expected)
