"""The verifier that stands alone: Ed25519 as the RFC has it, proofs, and that it needs nothing but Python."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from asterisk_consent.cli.calls import calls
from asterisk_consent.config import Config, load_config
from asterisk_consent.errors import LedgerBrokenError, RequestRefusedError
from asterisk_consent.ledger import Kind, Ledger, verifier
from asterisk_consent.ledger.checkpoint import checkpoint_text, signature_holds
from asterisk_consent.ledger.checkpoints import take_checkpoint
from asterisk_consent.ledger.entry import PAYLOAD_OF, Header
from asterisk_consent.ledger.keyfile import load_key, make_key
from asterisk_consent.model import Outcome
from asterisk_consent.vault.identities import add_identity
from asterisk_consent.vault.proof_keys import ProofKeys
from tests.ledger.entries import CALLER, CONTROLLER, decision, hex_id, recorded
from tests.ledger.signed_vectors import PROOFS, ProofVector, proof_vectors
from tests.ledger.signing import ORDER, signing_key
from tests.ledger.tampering import tampering
from tests.vault.keyring import Keyring, give_keys

PROGRAM = Path(verifier.__file__)
FILES = sorted(PROOFS.glob("*.json"))
RFC_8032_7_1 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
            "d25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
            "387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
            "4a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032_7_1)
def test_the_signatures_of_the_rfc_hold(key: str, message: str, signature: str) -> None:
    assert verifier.signed(key, bytes.fromhex(message), signature)
    assert not verifier.signed(key, bytes.fromhex(message) + b"x", signature)


@given(
    number=st.integers(1, 2**256 - 1),
    message=st.binary(max_size=200),
    bit=st.integers(0, 8 * 96 - 1),
)
@example(number=1, message=b"", bit=255)
def test_two_programs_say_the_same_of_a_signature_and_of_one_with_a_bit_changed(
    number: int, message: bytes, bit: int
) -> None:
    key = signing_key(number)
    signature = key.sign(message)
    assert verifier.signed(key.public, message, signature)
    both = bytearray(bytes.fromhex(key.public + signature))
    both[bit // 8] ^= 1 << bit % 8
    changed = (both[:32].hex(), message, both[32:].hex())
    assert verifier.signed(*changed) == signature_holds(*changed) == False  # noqa: E712 - three that agree


def test_a_signature_has_one_form_only() -> None:
    key = signing_key(5)
    raw = bytes.fromhex(key.sign(b"m"))
    grown = raw[:32] + (int.from_bytes(raw[32:], "little") + ORDER).to_bytes(32, "little")
    assert not verifier.signed(key.public, b"m", grown.hex())
    assert not signature_holds(key.public, b"m", grown.hex())


@pytest.mark.parametrize("y", [2**255 - 19, 2**255 - 18, 2**255 - 1, 2, 2**255 + 1])
def test_bytes_that_are_no_point_are_no_key(y: int) -> None:
    assert not verifier.signed(y.to_bytes(32, "little").hex(), b"", "00" * 64)


def test_it_knows_every_kind_and_every_field_of_a_header() -> None:
    assert {str(kind): PAYLOAD_OF[kind].__struct_config__.tag for kind in Kind} == verifier.TYPE_OF_KIND
    assert Header.__struct_fields__ == verifier.HEADER_FIELDS


def test_it_imports_nothing_but_the_standard_library() -> None:
    tree = ast.parse(PROGRAM.read_text())
    names = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "."]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert names <= sys.stdlib_module_names


def said(vector: ProofVector) -> str:
    try:
        checkpoints = [verifier.read_checkpoint(text) for text in vector.checkpoints]
        verifier.check_proof(vector.proof, checkpoints)
    except verifier.WrongError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_proof_is_judged_as_it_says(file: Path) -> None:
    vector = msgspec.json.decode(file.read_bytes(), type=ProofVector)
    found = said(vector)
    assert vector.wrong in found
    assert bool(found) == bool(vector.wrong)


def test_the_bytes_of_a_proof_are_those_of_the_checked_in_vectors() -> None:
    assert {
        file.stem: msgspec.json.decode(file.read_bytes(), type=ProofVector) for file in FILES
    } == proof_vectors()


GOOD = msgspec.json.decode((PROOFS / "call.json").read_bytes(), type=ProofVector).proof
INSIDE = [at for at, letter in enumerate(GOOD) if not letter.isspace()]


@given(at=st.sampled_from(INSIDE), bit=st.integers(0, 6))
@example(at=GOOD.index('"text"') + 1, bit=0)
def test_any_flipped_bit_of_a_proof_is_found_or_changes_nothing(at: int, bit: int) -> None:
    raw = bytearray(GOOD.encode())
    raw[at] ^= 1 << bit
    try:
        told, _ = verifier.check_proof(bytes(raw))
    except verifier.WrongError:
        return
    assert told == verifier.check_proof(GOOD)[0]


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["00" * 32, hex_id(1)]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["version", "call_id", "stretches", "previous", "entries", "checkpoint", "header", "text"]
                ),
                inner,
            )
        ),
    )
)
def test_any_json_in_place_of_a_proof_is_refused(value: object) -> None:
    with pytest.raises(verifier.WrongError):
        verifier.check_proof(json.dumps(value))


@pytest.mark.parametrize("raw", [b"[" * 100_000, b"\xff", b"", b'{"version": 1, "version": 1}', b"1e999"])
def test_hostile_bytes_in_place_of_a_proof_are_refused(raw: bytes) -> None:
    with pytest.raises(verifier.WrongError):
        verifier.check_proof(raw)


@pytest.fixture
async def config(tmp_path: Path) -> Config:
    """A ledger of four calls, with the keys of their controller, and no checkpoint yet."""
    file = tmp_path / "asterisk-consent.toml"
    file.write_text(
        '[asterisk]\nari_password = "x"\nami_secret = "x"\n[paths]\nledger = "ledger.sqlite"\nvault = "."\n'
        'keys = "keys"\nidentities = "identities"\n'
    )
    config = load_config(file)
    config.keys.mkdir()
    give_keys(CONTROLLER, config.keys)
    add_identity(CONTROLLER, config.identities, [Keyring(config.keys).here.secret])
    ledger = await Ledger.open(config.ledger_path, sealer=ProofKeys(config.keys), min_free_bytes=0)
    for number in range(1, 4):
        await ledger.append(decision(number, recording=number))
    await ledger.append(recorded(Kind.RECORDING_VERIFIED, 2))
    await ledger.append(decision(4, Outcome.REFUSED))
    await ledger.close()
    make_key(config.checkpoints.key)
    return config


def prove(config: Config, call: int, output: Path) -> str:
    arguments = ("show", hex_id(call), "--proof", str(output), "--reason", "complaint 17")
    result = CliRunner().invoke(calls, arguments, obj=config)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def alone(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program where neither the product nor any library is."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(copy), *arguments],
        cwd=copy.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    place = tmp_path / "elsewhere"
    place.mkdir()
    (place / "verifier.py").write_bytes(PROGRAM.read_bytes())
    return place / "verifier.py"


def test_a_proof_is_made_and_checked_where_nothing_of_the_product_is(config: Config, copy: Path) -> None:
    proof, kept = copy.with_name("proof.json"), copy.with_name("kept.json")
    kept.write_text(checkpoint_text(take_checkpoint(config.ledger_path, load_key(config.checkpoints.key))))
    assert "The proof of 3 entries is in" in prove(config, 2, proof)
    assert proof.stat().st_mode & 0o777 == 0o600
    checked = alone(copy, "--proof", str(proof), "--checkpoint", str(kept))
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "decision.given" in checked.stdout
    assert "recording.verified" in checked.stdout
    assert "proof.opened" in checked.stdout
    assert "complaint 17" in checked.stdout
    assert CALLER in checked.stdout
    assert "--key" not in checked.stdout
    assert "only a checkpoint kept elsewhere can tell" in alone(copy, "--proof", str(proof)).stdout
    proof.write_text(proof.read_text().replace(CALLER, CALLER[:-1] + "4"))
    forged = alone(copy, "--proof", str(proof))
    assert (forged.returncode, forged.stdout) == (4, "")
    assert "says something else than was entered" in forged.stderr


def test_a_proof_tells_nothing_of_other_calls_but_their_headers(config: Config, tmp_path: Path) -> None:
    prove(config, 4, tmp_path / "proof.json")
    assert CALLER not in (tmp_path / "proof.json").read_text()
    prove(config, 2, tmp_path / "proof.json")
    text = (tmp_path / "proof.json").read_text()
    assert text.count(CALLER) == 1
    opened, header_only = ["header", "salt", "text"], ["header"]
    before, since = json.loads(text)["stretches"]
    assert [sorted(entry) for entry in before["entries"]] == [
        opened,
        header_only,
        opened,
        header_only,
        header_only,
        header_only,
    ]
    assert [sorted(entry) for entry in since["entries"]] == [opened]


def test_a_call_that_no_checkpoint_covers_gets_one_for_its_proof(config: Config, tmp_path: Path) -> None:
    assert "it rests on checkpoint 1." in prove(config, 1, tmp_path / "proof.json")
    assert "it rests on checkpoint 2." in prove(config, 2, tmp_path / "proof.json")


def test_without_a_key_and_a_checkpoint_there_is_no_proof_and_it_says_why(
    config: Config, tmp_path: Path
) -> None:
    config.checkpoints.key.unlink()
    with pytest.raises(Exception, match=r"no key to sign checkpoints with\. The service makes it"):
        prove(config, 1, tmp_path / "proof.json")
    assert not (tmp_path / "proof.json").exists()


def test_a_proof_that_does_not_hold_is_not_written(config: Config, tmp_path: Path) -> None:
    prove(config, 1, tmp_path / "first.json")
    with tampering(config.ledger_path) as connection:
        connection.execute("UPDATE chain SET hash = zeroblob(32) WHERE seq = 2")
    with pytest.raises(LedgerBrokenError, match="what is stored of this call does not hold"):
        prove(config, 2, tmp_path / "proof.json")
    assert not (tmp_path / "proof.json").exists()


def test_an_entry_that_is_not_what_was_entered_is_not_proved(config: Config, tmp_path: Path) -> None:
    with tampering(config.ledger_path) as connection:
        connection.execute("UPDATE payload SET body = replace(body, '21000', '21001') WHERE seq = 3")
        connection.execute("UPDATE payload SET body = CAST(body AS BLOB) WHERE seq = 3")
    with pytest.raises(LedgerBrokenError, match="the payload is not the one that was entered"):
        prove(config, 2, tmp_path / "proof.json")
    assert not (tmp_path / "proof.json").exists()


def test_a_place_that_cannot_be_written_to_is_told(config: Config, tmp_path: Path) -> None:
    with pytest.raises(RequestRefusedError, match="cannot be written"):
        prove(config, 1, tmp_path / "none" / "proof.json")


def test_a_ledger_is_checked_where_nothing_of_the_product_is(config: Config, copy: Path) -> None:
    kept = copy.with_name("kept.json")
    kept.write_text(checkpoint_text(take_checkpoint(config.ledger_path, load_key(config.checkpoints.key))))
    without = alone(copy, str(config.ledger_path))
    assert without.returncode == 0
    assert "7 entries hold." in without.stdout
    assert "cannot be seen" in without.stdout
    checked = alone(copy, str(config.ledger_path), "--checkpoint", str(kept))
    assert "It extends checkpoint 1" in checked.stdout
    with tampering(config.ledger_path) as connection:
        connection.execute("DELETE FROM payload WHERE seq > 5")
        connection.execute("DELETE FROM chain WHERE seq > 5")
    assert alone(copy, str(config.ledger_path)).returncode == 0
    cut = alone(copy, str(config.ledger_path), "--checkpoint", str(kept))
    assert cut.returncode == 4
    assert "the end is cut off" in cut.stderr


@pytest.mark.parametrize(
    "arguments", [(), ("none.sqlite",), ("--proof", "none.json"), ("a", "--proof", "b"), ("verifier.py",)]
)
def test_wrong_usage_and_what_cannot_be_read_end_with_2(copy: Path, arguments: tuple[str, ...]) -> None:
    done = alone(copy, *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
