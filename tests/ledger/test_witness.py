"""Where checkpoints go: what arrives there, and what is said where nothing can."""

import email
import json
import os
import socket
from email import policy
from pathlib import Path

import msgspec
import pytest

from asterisk_consent.errors import WitnessUnavailableError
from asterisk_consent.ledger.checkpoint import Checkpoint, read_checkpoint, sign_checkpoint
from asterisk_consent.ledger.witness import Directory, Mail, Syslog
from tests.ledger.entries import NOW, hex_id
from tests.ledger.mail_server import MailServer, mail_server, own_certificate
from tests.ledger.signing import signing_key


def checkpoint(number: int = 7, *, digest: bytes = bytes(32)) -> Checkpoint:
    return sign_checkpoint(
        signing_key(1), ledger_id=hex_id(0xC0FFEE), number=number, seq=12, digest=digest, at=NOW
    )


def mail(server: MailServer, *, answer_s: float = 5.0) -> Mail:
    return Mail(
        to="dpo@example.org",
        sender="pbx@example.org",
        host="127.0.0.1",
        port=server.port,
        every_s=60.0,
        answer_s=answer_s,
    )


def test_a_directory_gets_one_file_a_checkpoint_by_day(tmp_path: Path) -> None:
    witness = Directory(path=tmp_path)
    for number in (7, 8, 7):
        witness.take(checkpoint(number))
    files = sorted(file.relative_to(tmp_path) for file in tmp_path.rglob("*") if file.is_file())
    assert files == [
        Path("2027-01-15/00000000-00000007-00000000.json"),
        Path("2027-01-15/00000000-00000008-00000000.json"),
    ]
    assert read_checkpoint((tmp_path / files[0]).read_bytes()) == checkpoint(7)


def test_a_checkpoint_never_takes_the_place_of_another_of_the_same_number(tmp_path: Path) -> None:
    witness = Directory(path=tmp_path)
    witness.take(checkpoint(7))
    witness.take(checkpoint(7, digest=b"x" * 32))
    assert len(list(tmp_path.rglob("*-00000007-*.json"))) == 2


def test_a_directory_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(WitnessUnavailableError, match="not there"):
        Directory(path=tmp_path / "mount").take(checkpoint())
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_takes_nothing_says_why(tmp_path: Path) -> None:
    (tmp_path / "2027-01-15").write_text("a file in the way")
    with pytest.raises(WitnessUnavailableError, match=r"File exists|Not a directory"):
        Directory(path=tmp_path).take(checkpoint())


def test_a_mail_holds_the_checkpoint_as_a_file_and_says_what_to_do_with_it() -> None:
    with mail_server() as server:
        mail(server).take(checkpoint())
    (text,) = server.mails
    message = email.message_from_string(text, policy=policy.default)
    assert (message["To"], message["From"]) == ("dpo@example.org", "pbx@example.org")
    assert message["Subject"] == "Checkpoint 7 of ledger 00000000: entry 12"
    body, attached = message.iter_parts()
    assert "asterisk-consent ledger verify --checkpoint FILE" in body.get_content()
    assert attached.get_filename() == "00000000-00000007-00000000.json"
    assert read_checkpoint(attached.get_content()) == checkpoint()


def test_a_mail_goes_encrypted_where_the_server_offers_it(tmp_path: Path) -> None:
    with mail_server(tls=own_certificate(tmp_path)) as server:
        mail(server).take(checkpoint())
    assert server.encrypted == [True]


def test_a_mail_that_is_refused_or_not_answered_says_why() -> None:
    with mail_server(refusal="nobody here") as server, pytest.raises(WitnessUnavailableError) as raised:
        mail(server).take(checkpoint())
    assert "nobody here" in str(raised.value)
    assert f"dpo@example.org by 127.0.0.1:{server.port}" in str(raised.value)
    with mail_server(silent=True) as server, pytest.raises(WitnessUnavailableError, match="timed out"):
        mail(server, answer_s=0.1).take(checkpoint())
    with pytest.raises(WitnessUnavailableError, match="Connection refused"):
        mail(server).take(checkpoint())


def test_the_local_syslog_gets_one_line_that_holds_it_all(tmp_path: Path) -> None:
    address = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        syslog.bind(address)
        Syslog(address=address).take(checkpoint())
        line = syslog.recv(4096).decode()
    assert line.startswith("<13>asterisk-consent: checkpoint {")
    assert "\n" not in line
    assert len(line) < 1024, "RFC 3164 lets a relay cut a longer one"
    assert read_checkpoint(line.partition("checkpoint ")[2]) == checkpoint()


def test_the_syslog_of_another_machine_gets_the_same_line() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as syslog:
        syslog.bind(("127.0.0.1", 0))
        Syslog(address=("localhost", syslog.getsockname()[1])).take(checkpoint())
        line = syslog.recv(4096).decode()
    assert json.loads(line.partition("checkpoint ")[2])["number"] == 7


@pytest.mark.parametrize("address", ["/nowhere/log", ("no-such-host.invalid", 514)])
def test_a_syslog_that_is_not_there_is_told(address: str | tuple[str, int]) -> None:
    witness = Syslog(address=address)
    with pytest.raises(WitnessUnavailableError) as raised:
        witness.take(checkpoint())
    assert raised.value.where == witness.name


def test_the_longest_checkpoint_still_fits_a_line_of_syslog(tmp_path: Path) -> None:
    longest = msgspec.structs.replace(checkpoint(), number=10**12, seq=10**12, at=10**12)
    address = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        syslog.bind(address)
        Syslog(address=address).take(longest)
        assert len(syslog.recv(os.sysconf("SC_PAGESIZE"))) < 1024
