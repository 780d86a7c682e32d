"""The keys of what was entered about a call: its controller's alone, durable first, and gone once destroyed."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterisk_consent.durable import write_durably
from asterisk_consent.errors import KeysError
from asterisk_consent.model import EntryKey
from asterisk_consent.vault.age import Identity
from asterisk_consent.vault.proof_keys import (
    PROOF_KEYS,
    ProofKeys,
    blind_path,
    call_identities,
    destroy_proof_keys,
    has_proof_key,
    open_proof,
)
from tests.ledger.full_disk import full_disk
from tests.vault.found_secrets import opens, secrets_in
from tests.vault.keyring import CALL, CONTROLLER, Keyring, give_keys

OTHER_CALL = "d" * 32
NUMBER = "+442079460123"
SERVICE_UID = 60802
WRITE = "asterisk_consent.vault.proof_keys.write_durably"
LENGTH = 20
"""Bytes of a wrapped key that are looked for: no other holds the same."""


@pytest.fixture
def service(keyring: Keyring) -> Iterator[ProofKeys]:
    """The keys as the running service has them: its connection stays open."""
    with closing(ProofKeys(keyring.keys, checkpoints=True)) as opened:
        yield opened


def enter(service: ProofKeys, call_id: str = CALL, content: bytes = b"proof") -> bytes:
    """Seal something about a call, keep its key, and return the sealed part."""
    sealed = service.seal(content, controller=CONTROLLER, call_id=call_id)
    service.keep([sealed.key])
    return sealed.content


def proof_files(keys: Path) -> bytes:
    """Everything that lies in the file of the keys and beside it."""
    return b"".join(file.read_bytes() for file in sorted(keys.glob(f"{PROOF_KEYS}*")))


def pieces(wrapped: bytes) -> list[bytes]:
    """A wrapped key in pieces; age begins every one of them with the same line."""
    start = len(b"age-encryption.org/v1\n") if wrapped.startswith(b"age") else 0
    return [wrapped[at : at + LENGTH] for at in range(start, len(wrapped) - LENGTH, LENGTH // 2)]


def test_each_identity_of_the_controller_opens_what_was_sealed_about_a_call(
    service: ProofKeys, keyring: Keyring
) -> None:
    sealed = [enter(service, content=each) for each in (b"one entry", b"another", b"")]
    for identity in (keyring.here, keyring.elsewhere):
        found = [open_proof(s, call_id=CALL, keys=keyring.keys, identities=[identity]) for s in sealed]
        assert found == [b"one entry", b"another", b""]


def test_nobody_else_does_and_is_told_whose_identity_is_needed(service: ProofKeys, keyring: Keyring) -> None:
    sealed = enter(service)
    enter(service, OTHER_CALL)
    with pytest.raises(KeysError, match="Name an identity of its controller"):
        open_proof(sealed, call_id=CALL, keys=keyring.keys, identities=[Identity.generate()])
    with pytest.raises(KeysError, match="cannot be opened"):
        open_proof(sealed, call_id=OTHER_CALL, keys=keyring.keys, identities=[keyring.here])
    with pytest.raises(KeysError, match="there is no key for what was entered"):
        open_proof(sealed, call_id="e" * 32, keys=keyring.keys, identities=[keyring.here])


def test_nothing_that_the_service_keeps_opens_what_it_sealed(service: ProofKeys, keyring: Keyring) -> None:
    sealed = enter(service)
    kept = service.seal(b"", controller=CONTROLLER, call_id=CALL).key
    service.keep([kept])
    assert secrets_in(keyring.keys) == []
    # The search does find what lies there: the keys, once somebody opens them with what the service does not have.
    opened = call_identities(CALL, keys=keyring.keys, identities=[keyring.here])
    (keyring.keys / "opened").write_text(opened[0].secret)
    (found,) = secrets_in(keyring.keys)
    assert opens(found, sealed)
    assert not opens(keyring.here, sealed)


def test_every_entry_is_sealed_to_a_key_of_its_own(service: ProofKeys, keyring: Keyring) -> None:
    sealed = [enter(service), enter(service)]
    one, other = call_identities(CALL, keys=keyring.keys, identities=[keyring.here])
    assert [[opens(each, part) for part in sealed] for each in (one, other)] == [
        [True, False],
        [False, True],
    ]


def test_without_two_recipients_nothing_is_sealed(keyring: Keyring) -> None:
    keys = ProofKeys(keyring.keys)
    with pytest.raises(KeysError, match="there are no recipients"):
        keys.seal(b"", controller="another", call_id=CALL)
    (keyring.keys / f"recipients/{CONTROLLER}.txt").write_text(f"{keyring.here.recipient}\n")
    with pytest.raises(KeysError, match="at least 2"):
        keys.seal(b"", controller=CONTROLLER, call_id=CALL)


def test_a_change_of_the_recipients_holds_from_the_next_entry_on(
    service: ProofKeys, keyring: Keyring
) -> None:
    enter(service)
    added = Identity.generate()
    path = keyring.keys / f"recipients/{CONTROLLER}.txt"
    path.write_text(f"{path.read_text()}{added.recipient}\n")
    enter(service, OTHER_CALL)
    assert call_identities(OTHER_CALL, keys=keyring.keys, identities=[added])
    with pytest.raises(KeysError):
        call_identities(CALL, keys=keyring.keys, identities=[added])


@pytest.mark.parametrize("checkpoints", [True, False])
def test_what_is_kept_is_synced_and_there_for_everybody_when_keep_returns(
    keyring: Keyring, checkpoints: bool
) -> None:
    keys = ProofKeys(keyring.keys, checkpoints=checkpoints)
    enter(keys)
    assert has_proof_key(CALL, keyring.keys)
    with keys._using_own() as connection:
        assert connection.in_transaction is False
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA secure_delete").fetchone() == (1,)
        assert bool(connection.execute("PRAGMA wal_autocheckpoint").fetchone()[0]) == checkpoints
    keys.close()


def test_keys_that_cannot_be_written_are_a_keys_error_and_the_next_ones_are_kept(
    service: ProofKeys, keyring: Keyring
) -> None:
    key = EntryKey(call_id=CALL, wrapped=bytes(9000))
    with full_disk(), pytest.raises(KeysError, match="cannot be used"):
        service.keep([key])
    with closing(sqlite3.connect(keyring.keys / PROOF_KEYS, isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        with pytest.raises(KeysError, match="locked"):
            service.keep([key])
    assert not has_proof_key(CALL, keyring.keys)
    enter(service)
    assert has_proof_key(CALL, keyring.keys)


def test_a_place_that_is_not_there_is_a_keys_error(tmp_path: Path) -> None:
    keys = tmp_path / "none"
    key = EntryKey(call_id=CALL, wrapped=b"key")
    for attempt in (
        lambda: ProofKeys(keys).keep([key]),
        lambda: has_proof_key(CALL, keys),
        lambda: destroy_proof_keys([CALL], keys),
        lambda: call_identities(CALL, keys=keys, identities=[]),
    ):
        with pytest.raises(KeysError, match=r"proof\.sqlite"):
            attempt()


def test_a_destroyed_calls_keys_are_in_no_byte_and_other_calls_still_open(
    service: ProofKeys, keyring: Keyring
) -> None:
    gone = [service.seal(b"", controller=CONTROLLER, call_id=CALL).key for _ in range(3)]
    sealed = enter(service, OTHER_CALL)
    service.keep(gone)
    assert all(piece in proof_files(keyring.keys) for key in gone for piece in pieces(key.wrapped))

    destroy_proof_keys([CALL], keyring.keys)
    assert service.scrub()

    left = proof_files(keyring.keys)
    assert (keyring.keys / f"{PROOF_KEYS}-wal").exists(), "the service's connection is open"
    assert not any(piece in left for key in gone for piece in pieces(key.wrapped))
    assert not has_proof_key(CALL, keyring.keys)
    with pytest.raises(KeysError, match="It was destroyed"):
        call_identities(CALL, keys=keyring.keys, identities=[keyring.here])
    assert open_proof(sealed, call_id=OTHER_CALL, keys=keyring.keys, identities=[keyring.here]) == b"proof"


@settings(max_examples=40, deadline=None)
@given(
    entries=st.lists(st.tuples(st.integers(0, 30), st.integers(2 * LENGTH, 6000)), min_size=1, max_size=60),
    turns=st.lists(st.sets(st.integers(0, 30), max_size=20), min_size=1, max_size=3),
    seed=st.integers(0, 2**32),
)
def test_destroying_any_calls_leaves_no_byte_of_their_keys(
    entries: list[tuple[int, int]], turns: list[set[int]], seed: int
) -> None:
    """Several calls at a time, whatever was entered before and between, and however long the keys are."""
    chance = Random(seed)
    waiting = [EntryKey(call_id=f"{call:032x}", wrapped=chance.randbytes(long)) for call, long in entries]
    share = len(waiting) // len(turns) + 1
    alive: list[EntryKey] = []
    with TemporaryDirectory() as directory, closing(ProofKeys(Path(directory), checkpoints=True)) as service:
        keys = Path(directory)
        for calls in turns:
            service.keep(waiting[:share])
            alive, waiting = alive + waiting[:share], waiting[share:]
            erased = {f"{call:032x}" for call in calls}
            gone = [key.wrapped for key in alive if key.call_id in erased]
            alive = [key for key in alive if key.call_id not in erased]

            destroy_proof_keys(sorted(erased), keys)
            assert service.scrub()

            left = proof_files(keys)
            assert not any(piece in left for wrapped in gone for piece in pieces(wrapped))
            with closing(sqlite3.connect(keys / PROOF_KEYS)) as connection:
                stored = {wrapped for (wrapped,) in connection.execute("SELECT wrapped FROM key")}
            assert {key.wrapped for key in alive} <= stored


def test_destroying_again_or_what_is_not_there_changes_nothing(service: ProofKeys, keyring: Keyring) -> None:
    enter(service)
    enter(service, OTHER_CALL)
    for _ in range(2):
        destroy_proof_keys([CALL, "e" * 32], keyring.keys)
    assert (has_proof_key(CALL, keyring.keys), has_proof_key(OTHER_CALL, keyring.keys)) == (False, True)
    with pytest.raises(KeysError, match="not a call id"):
        destroy_proof_keys([OTHER_CALL, "%"], keyring.keys)
    assert has_proof_key(OTHER_CALL, keyring.keys)


def test_scrubbing_tells_when_a_reader_was_in_the_way(service: ProofKeys, keyring: Keyring) -> None:
    enter(service)
    with closing(sqlite3.connect(keyring.keys / PROOF_KEYS, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM key").fetchone()
        enter(service)
        assert not service.scrub()
    assert service.scrub()


def test_the_same_number_has_the_same_index_and_each_controller_another(keyring: Keyring) -> None:
    first, second = ProofKeys(keyring.keys), ProofKeys(keyring.keys)
    index = first.blind(NUMBER, controller=CONTROLLER)
    assert index == second.blind(NUMBER, controller=CONTROLLER)
    assert len(index) == 32
    others = {
        first.blind(NUMBER, controller="another"),
        first.blind(NUMBER[:-1] + "4", controller=CONTROLLER),
    }
    assert len({index, *others}) == 3
    assert not any(NUMBER[1:].encode() in each.read_bytes() for each in keyring.keys.rglob("*.key"))


def test_the_key_of_a_blind_index_is_its_owners_alone(keyring: Keyring) -> None:
    ProofKeys(keyring.keys).blind(NUMBER, controller=CONTROLLER)
    path = blind_path(CONTROLLER, keyring.keys)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in path.parent.iterdir()] == [f"{CONTROLLER}.key"]


def test_two_who_make_a_key_at_the_same_time_use_the_same(
    keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile: list[str] = []

    def slow(path: Path, content: bytes, *, mode: int) -> None:
        write_durably(path, content, mode=mode)
        monkeypatch.setattr(WRITE, write_durably)
        monkeypatch.setattr(os, "getpid", lambda: 1)
        meanwhile.append(ProofKeys(keyring.keys).blind(NUMBER, controller=CONTROLLER))

    monkeypatch.setattr(WRITE, slow)
    assert [ProofKeys(keyring.keys).blind(NUMBER, controller=CONTROLLER)] == meanwhile
    assert [ProofKeys(keyring.keys).blind(NUMBER, controller=CONTROLLER)] == meanwhile


@pytest.mark.parametrize("content", ["", "00" * 31, "zz" * 32])
def test_a_damaged_key_of_a_blind_index_is_never_made_anew(keyring: Keyring, content: str) -> None:
    ProofKeys(keyring.keys).blind(NUMBER, controller=CONTROLLER)
    path = blind_path(CONTROLLER, keyring.keys)
    path.write_text(content)
    with pytest.raises(KeysError) as raised:
        ProofKeys(keyring.keys).blind(NUMBER, controller=CONTROLLER)
    assert raised.value.where == str(path)
    assert path.read_text() == content


@pytest.mark.parametrize("controller", ["", "../../etc/passwd", "a/b", "x" * 65])
def test_only_the_id_of_a_controller_becomes_part_of_a_path(keyring: Keyring, controller: str) -> None:
    with pytest.raises(KeysError, match="not the id of a controller"):
        ProofKeys(keyring.keys).blind(NUMBER, controller=controller)
    with pytest.raises(KeysError, match="not the id of a controller"):
        ProofKeys(keyring.keys).seal(b"", controller=controller, call_id=CALL)


def test_the_file_of_the_keys_is_its_owners_alone(service: ProofKeys, keyring: Keyring) -> None:
    enter(service)
    modes = {each.name: each.stat().st_mode & 0o777 for each in keyring.keys.glob(f"{PROOF_KEYS}*")}
    assert set(modes.values()) == {0o600}
    assert len(modes) == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_makes_first_belongs_to_the_owner_of_the_directory(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    give_keys(CONTROLLER, keys)
    os.chown(keys, SERVICE_UID, SERVICE_UID)
    with closing(ProofKeys(keys)) as made_by_root:
        enter(made_by_root)
        made_by_root.blind(NUMBER, controller=CONTROLLER)
        made = [*keys.glob(f"{PROOF_KEYS}*"), *(keys / "blind").rglob("*"), keys / "blind"]
        assert {(each.stat().st_uid, each.stat().st_gid) for each in made} == {(SERVICE_UID, SERVICE_UID)}
        assert len(made) == 5
