"""What a checkpoint is, when a ledger extends it, and how one is taken."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from asterisk_consent.cli.ledger import ledger as command
from asterisk_consent.errors import LedgerBrokenError, LedgerError, RequestRefusedError
from asterisk_consent.ledger import Ledger, append_from_outside, rebuild, verifier, verify
from asterisk_consent.ledger.chain import ChainVerifier
from asterisk_consent.ledger.checkpoint import (
    Checkpoint,
    checkpoint_line,
    checkpoint_text,
    read_checkpoint,
    signature_holds,
    signed_bytes,
)
from asterisk_consent.ledger.checkpoints import covered, take_checkpoint
from asterisk_consent.ledger.keyfile import load_key, make_key
from tests.ledger.entries import NOW, decision
from tests.ledger.open_sealing import OpenSealer
from tests.ledger.signed_vectors import CHECKPOINTS, CheckpointVector, checkpoint_vectors
from tests.ledger.signing import signing_key
from tests.ledger.tampering import tampering
from tests.ledger.write_vectors import rows_of

FILES = sorted(CHECKPOINTS.glob("*.json"))
PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "storage.md").read_text()
KEY = signing_key(1)


def read(file: Path) -> CheckpointVector:
    return msgspec.json.decode(file.read_bytes(), type=CheckpointVector)


def said_by_product(vector: CheckpointVector) -> str:
    """Return what the product says is wrong, empty where nothing is."""
    try:
        check = ChainVerifier(checkpoints=[read_checkpoint(vector.checkpoint)])
    except LedgerBrokenError as error:
        return error.what
    for row in rows_of(vector.rows):
        if check.check(row) is None:
            break
    check.finish()
    return check.problem.what if check.problem else ""


def said_alone(vector: CheckpointVector) -> str:
    """Return what the verifier says that shares no code with the product."""
    rows = [msgspec.structs.astuple(row) for row in rows_of(vector.rows)]
    try:
        verifier.check_ledger(rows, [verifier.read_checkpoint(vector.checkpoint)])
    except verifier.WrongError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
@pytest.mark.parametrize("said", [said_by_product, said_alone])
def test_each_vector_is_judged_as_it_says(file: Path, said: Callable[[CheckpointVector], str]) -> None:
    vector = read(file)
    found = said(vector)
    assert vector.wrong in found
    assert bool(found) == bool(vector.wrong)


def test_the_bytes_of_a_checkpoint_are_those_of_the_checked_in_vectors() -> None:
    assert {file.stem: read(file) for file in FILES} == checkpoint_vectors()


def test_the_page_shows_a_checkpoint_that_holds() -> None:
    example = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    assert example[1] == read(CHECKPOINTS / "middle.json").checkpoint


@given(data=st.data())
def test_any_flipped_bit_of_a_checkpoint_is_found(data: st.DataObject) -> None:
    good = read_checkpoint(read(CHECKPOINTS / "middle.json").checkpoint)
    text = bytearray(checkpoint_line(good).encode())
    bit = data.draw(st.integers(0, 8 * len(text) - 1))
    text[bit // 8] ^= 1 << bit % 8
    try:
        changed = read_checkpoint(bytes(text))
    except LedgerBrokenError:
        return
    assert changed == good or not signature_holds(changed.key, signed_bytes(changed), changed.signature)


@given(raw=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with pytest.raises(LedgerBrokenError):
        read_checkpoint(raw)
    with pytest.raises(verifier.WrongError):
        verifier.read_checkpoint(raw)


def take(path: Path, number: int = 1) -> Checkpoint:
    return take_checkpoint(path, signing_key(number), clock=lambda: float(NOW))


def test_the_first_checkpoint_enters_its_key_and_the_next_ones_do_not(filled: Path) -> None:
    first, second = take(filled), take(filled)
    assert (first.number, first.seq, second.number, second.seq) == (1, 5, 2, 5)
    assert first.hash == second.hash
    report = verify(filled, checkpoints=[first, second])
    assert (report.problem, report.entries) == (None, 5)


def test_another_key_is_entered_and_both_still_hold(filled: Path) -> None:
    before, after, again = take(filled), take(filled, 2), take(filled, 1)
    assert [each.seq for each in (before, after, again)] == [5, 6, 7]
    assert verify(filled, checkpoints=[before, after, again]).problem is None


async def test_a_checkpoint_is_taken_beside_the_running_service(ledger: Ledger, path: Path) -> None:
    await ledger.append(decision(1))
    taken = take(path)
    await ledger.append(decision(2))
    assert covered(path).seq == taken.seq == 3
    assert covered(path).head == 4
    assert verify(path, checkpoints=[taken]).problem is None


def test_a_rebuild_leaves_the_checkpoints(filled: Path) -> None:
    taken = take(filled)
    rebuild(filled)
    assert covered(filled).key == taken.key
    assert take(filled).number == 2


@pytest.mark.parametrize("content", ["none", json.dumps({"number": 1}), ""])
def test_a_damaged_stored_checkpoint_does_not_keep_the_next_one_from_being_taken(
    filled: Path, content: str
) -> None:
    outside = take(filled)
    with tampering(filled) as connection:
        connection.execute("UPDATE checkpoint SET content = ?", (content,))
    assert verify(filled, checkpoints=[outside]).problem is not None
    assert take(filled).number == 2


def test_a_ledger_without_its_first_entry_gives_no_checkpoint_and_is_left_as_it_is(filled: Path) -> None:
    with tampering(filled) as connection:
        connection.execute("DELETE FROM payload WHERE seq = 1")
    with pytest.raises(LedgerBrokenError, match="first entry"):
        take(filled)
    with closing(sqlite3.connect(filled)) as connection:
        assert connection.execute("SELECT max(seq) FROM chain").fetchone() == (4,)


def test_a_made_key_is_its_owners_alone_and_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.key"
    make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    made = load_key(path).public
    with pytest.raises(LedgerError, match="File exists"):
        make_key(path)
    assert load_key(path).public == made
    assert [each.name for each in tmp_path.iterdir()] == ["checkpoint.key"]


OF_ANOTHER_KIND = X25519PrivateKey.from_private_bytes(bytes(32)).private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
)


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 32, b"-----BEGIN PRIVATE KEY-----\nAAAA\n", OF_ANOTHER_KIND]
)
def test_what_is_no_key_is_refused_and_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "checkpoint.key"
    path.write_bytes(content)
    with pytest.raises(LedgerError, match="cannot be used") as raised:
        load_key(path)
    assert raised.value.where == str(path)
    assert raised.value.remedy


@dataclass(frozen=True)
class Place:
    ledger_path: Path
    checkpoints: SimpleNamespace


def run(path: Path, *arguments: str) -> Result:
    key = path.with_name("checkpoint.key")
    return CliRunner().invoke(command, arguments, obj=Place(path, SimpleNamespace(key=key)))


@pytest.fixture
def with_key(filled: Path) -> Path:
    make_key(filled.with_name("checkpoint.key"))
    return filled


def test_a_printed_checkpoint_is_taken_by_a_later_verify(with_key: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text(run(with_key, "checkpoint").output)
    append_from_outside(with_key, decision(9), sealer=OpenSealer())
    result = run(with_key, "verify", "--checkpoint", str(kept))
    assert result.exit_code == 0
    assert "They extend checkpoint 1: up to entry 5 all is as it was." in result.output
    assert "cannot be seen" not in result.output
    as_json = json.loads(run(with_key, "verify", "--json", "--checkpoint", str(kept)).output)
    assert (as_json["verified"], as_json["checkpoints"]) == (True, [1])


def test_a_checkpoint_goes_to_a_file_of_ones_own(with_key: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    assert "Checkpoint 1 of entry 5 is in" in run(with_key, "checkpoint", "-o", str(kept)).output
    assert kept.stat().st_mode & 0o777 == 0o600
    assert read_checkpoint(kept.read_bytes()).number == 1
    error = run(with_key, "checkpoint", "-o", str(tmp_path / "none" / "kept.json")).exception
    assert isinstance(error, RequestRefusedError)


def test_without_a_checkpoint_verify_says_what_it_cannot_see(filled: Path) -> None:
    assert "cannot be seen without a checkpoint" in run(filled, "verify").output


def test_verify_takes_several_checkpoints_and_tells_which_is_wrong(with_key: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    run(with_key, "checkpoint", "-o", str(first))
    append_from_outside(with_key, decision(9), sealer=OpenSealer())
    run(with_key, "checkpoint", "-o", str(second))
    both = ("--checkpoint", str(first), "--checkpoint", str(second))
    assert run(with_key, "verify", *both).exit_code == 0
    with tampering(with_key) as connection:
        connection.executescript("DELETE FROM checkpoint; DELETE FROM call WHERE seq = 6")
        connection.execute("DELETE FROM about WHERE seq = 6")
        connection.executescript("DELETE FROM payload WHERE seq = 6; DELETE FROM chain WHERE seq = 6")
    assert run(with_key, "verify").exit_code == 0
    error = run(with_key, "verify", *both).exception
    assert isinstance(error, LedgerBrokenError)
    assert "checkpoint 2 was made at entry 6, which is missing: the end is cut off" in str(error)


def test_a_key_that_is_not_there_is_told_with_what_to_do(filled: Path) -> None:
    error = run(filled, "checkpoint").exception
    assert isinstance(error, LedgerError)
    assert "service" in error.remedy


def test_a_file_that_is_no_checkpoint_ends_with_4_and_names_itself(filled: Path, tmp_path: Path) -> None:
    (tmp_path / "half.json").write_text(checkpoint_text(take(filled))[:100])
    error = run(filled, "verify", "--checkpoint", str(tmp_path / "half.json")).exception
    assert isinstance(error, LedgerBrokenError)
    assert "half.json" in str(error)


def test_an_outcome_changed_with_fresh_hashes_is_found_by_the_stored_checkpoint_too(filled: Path) -> None:
    take(filled)
    with tampering(filled) as connection:
        connection.execute("DELETE FROM checkpoint WHERE number > 1")
        rows = connection.execute("SELECT seq, header FROM chain ORDER BY seq").fetchall()
        digest = bytes(32)
        for seq, header in rows:
            forged = header.replace(b'"at":1800000000', b'"at":1799999999')
            digest = verifier.domain_digest("chain", digest, forged)
            connection.execute("UPDATE chain SET header = ?, hash = ? WHERE seq = ?", (forged, digest, seq))
        connection.execute("UPDATE recording SET allowed_at = 1799999999")
    problem = verify(filled).problem
    assert problem is not None
    assert "stored checkpoint 1 has another hash" in problem.what
