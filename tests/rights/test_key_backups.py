"""Invariant 14: a backup of the keys has a stated life; an end that was moved brings nothing back."""

import io
import shutil
import tarfile
from pathlib import Path

import pytest

from asterisk_consent.errors import KeysError, RequestRefusedError
from asterisk_consent.ledger.backup import back_up
from asterisk_consent.ledger.checkpoints import take_checkpoint
from asterisk_consent.vault.key_backup import read_key_backup
from tests.ledger.entries import hex_id
from tests.ledger.signing import signing_key
from tests.rights.backed_up import LIFE_S, BackedUp, back_up_all, back_up_keys_of, opens, restored
from tests.rights.kept_calls import KeptCalls


@pytest.fixture
async def kept(tmp_path: Path) -> KeptCalls:
    place = tmp_path / "place"
    place.mkdir()
    kept = await KeptCalls.begin(place, "p1-nl")
    kept.recorded(1)
    return kept


@pytest.fixture
def saved(kept: KeptCalls, elsewhere: Path) -> BackedUp:
    return back_up_all(kept, elsewhere)


def lose_keys(kept: KeptCalls) -> None:
    shutil.rmtree(kept.held.keys)


def brings_nothing_back(kept: KeptCalls, saved: BackedUp, why: str) -> None:
    before = kept.held.ledger.read_bytes()
    with pytest.raises(KeysError, match=why):
        restored(kept, saved.ledger, keys=saved.keys, even_so="never mind")
    assert kept.held.ledger.read_bytes() == before
    assert not list(kept.held.keys.rglob("*.age"))


def test_an_end_of_life_that_was_moved_brings_no_key_back(kept: KeptCalls, saved: BackedUp) -> None:
    ends_at = read_key_backup(saved.keys).ends_at
    content = saved.keys.read_bytes()
    saved.keys.write_bytes(
        content.replace(f'"ends_at":{ends_at}'.encode(), f'"ends_at":{ends_at + LIFE_S}'.encode())
    )
    assert read_key_backup(saved.keys).ends_at == ends_at + LIFE_S
    kept.clock.now = ends_at
    lose_keys(kept)
    brings_nothing_back(kept, saved, "not what was signed")


def test_the_head_of_a_later_backup_gives_an_old_one_no_longer_life(
    kept: KeptCalls, saved: BackedUp, elsewhere: Path
) -> None:
    kept.clock.now += LIFE_S
    back_up_keys_of(kept, elsewhere / "later")
    with tarfile.open(elsewhere / "later") as later, tarfile.open(saved.keys) as old:
        members = [(later, later.getmembers()[0]), *((old, each) for each in old.getmembers()[1:])]
        contents = [(member, tar.extractfile(member)) for tar, member in members]
        read = [(member, file.read()) for member, file in contents if file is not None]
    with tarfile.open(saved.keys, "w", format=tarfile.USTAR_FORMAT) as tar:
        for member, content in read:
            tar.addfile(member, io.BytesIO(content))
    lose_keys(kept)
    brings_nothing_back(kept, saved, "not what was signed")


def test_a_backup_that_a_stranger_signed_needs_a_reason(
    kept: KeptCalls, saved: BackedUp, elsewhere: Path
) -> None:
    back_up_keys_of(kept, elsewhere / "theirs", signer=signing_key(2))
    lose_keys(kept)
    with pytest.raises(RequestRefusedError, match="neither ledger nor checkpoint names the key"):
        restored(kept, saved.ledger, keys=elsewhere / "theirs")
    assert not list(kept.held.keys.rglob("*.age"))
    restored(kept, saved.ledger, keys=elsewhere / "theirs", even_so="the key was exchanged that day")
    assert opens(kept, hex_id(1))


@pytest.mark.parametrize("names", ["ledger in its place", "checkpoint"])
def test_a_key_that_was_named_after_the_backup_of_the_ledger_vouches_too(
    kept: KeptCalls, elsewhere: Path, names: str
) -> None:
    elsewhere.mkdir()
    back_up(kept.held.ledger, elsewhere / "ledger")
    checkpoint = take_checkpoint(kept.held.ledger, signing_key(2))
    back_up_keys_of(kept, elsewhere / "keys", signer=signing_key(2))
    lose_keys(kept)
    if names == "checkpoint":
        kept.held.ledger.unlink()
    given = (checkpoint,) if names == "checkpoint" else ()
    assert restored(kept, elsewhere / "ledger", keys=elsewhere / "keys", checkpoints=given).keys == 2
