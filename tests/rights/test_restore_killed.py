"""A restore that is killed at any step leaves nothing half readable, and the next one brings it to its end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from asterisk_consent.errors import KeysError
from asterisk_consent.ledger import find_call, verify
from asterisk_consent.ledger.store import Ledger
from asterisk_consent.vault.call_keys import CallKey, open_key
from asterisk_consent.vault.proof_keys import call_identities
from tests.rights.backed_up import BackedUp, back_up_all, erase, secrets_of
from tests.rights.kept_calls import KeptCalls
from tests.rights.killed_restore import holdings, restore_again
from tests.vault.keyring import Keyring

OTHER = "+442079460999"
LEAST_STEPS = 40
"""Fewer would mean that they are not noticed."""


def killed_at_every_step(pristine: Path, work: Path, saved: BackedUp) -> list[Path]:
    """Restore, killed one step later each time; return the places as they were left."""
    root = Path(__file__).parents[2]
    module = (sys.executable, "-m", "tests.rights.killed_restore")
    done = subprocess.run(
        [*module, str(pristine), str(work), str(saved.ledger), str(saved.keys)],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [work / str(at) for at in range(1, int(done.stdout) + 1)]


def holds_bytes(home: Path, *needles: bytes) -> list[str]:
    """Name the files of a place in which any of these bytes lies."""
    files = [path for path in home.rglob("*") if path.is_file()]
    return [path.name for path in files if any(needle in path.read_bytes() for needle in needles)]


def opens(home: Path, call_id: str) -> bool:
    keys, identity = home / "keys", Keyring(home / "keys").here
    try:
        call_identities(call_id, keys=keys, identities=[identity])
        open_key(CallKey(keys=keys, call_id=call_id, controller="x"), (identity,))
    except KeysError:
        return False
    return True


@pytest.mark.parametrize("present", ["newest", "older"])
async def test_killed_at_any_step_nothing_that_was_erased_can_be_read_and_the_next_run_ends_it(
    tmp_path: Path, elsewhere: Path, present: str
) -> None:
    pristine, work = tmp_path / "pristine", tmp_path / "work"
    pristine.mkdir()
    work.mkdir()
    kept = await KeptCalls.begin(pristine, "p1-nl")
    erased, other = kept.recorded(1, receipt="123456789012"), kept.recorded(2, caller=OTHER)
    canaries = secrets_of(kept, erased)
    saved = back_up_all(kept, elsewhere)
    before = kept.held.ledger.read_bytes()
    erase(kept, erased)
    if present == "older":
        kept.held.ledger.write_bytes(before)
    # What says who it was is sealed; blind index, receipt and what needs no seal are in the working copy until then.
    who, found_by, keys = canaries[:3], canaries[3:-3], canaries[-3:]

    places = killed_at_every_step(pristine, work, saved)

    assert len(places) >= LEAST_STEPS
    for home in places:
        assert holds_bytes(home, *who, *keys) == [], home
        assert not opens(home, erased), home
        assert verify(holdings(home).ledger).problem is None, home
    for home in places:
        restore_again(home, saved.ledger, saved.keys)
        held = holdings(home)
        assert verify(held.ledger).problem is None, home
        assert find_call(held.ledger, erased) is None, home
        assert opens(home, other), home
        assert holds_bytes(home, *who, *found_by, *keys) == [], home
        assert not list(home.glob("*.restoring")), home
        assert not list(held.keys.rglob("*.part")), home


async def test_a_working_copy_that_was_left_is_removed_when_the_service_starts(tmp_path: Path) -> None:
    left = tmp_path / "ledger.sqlite.restoring"
    left.mkdir()
    (left / "ledger.sqlite").write_bytes(b"left")
    await (await Ledger.open(tmp_path / "ledger.sqlite")).close()
    assert not left.exists()
