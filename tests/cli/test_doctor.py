"""``doctor``: red ends with 1, what cannot be looked at is said, nothing is changed, and no number is shown."""

import asyncio
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner, Result

from asterisk_consent.cli.doctor import doctor
from asterisk_consent.config import load_config
from asterisk_consent.doctor import examination
from asterisk_consent.doctor.access import Account
from asterisk_consent.doctor.asterisk import NEEDED
from asterisk_consent.ledger import Ledger
from tests.calls.approved_place import CONFIG, ApprovedPlace
from tests.ledger.entries import CALLER, decision, hex_id
from tests.ledger.open_sealing import OpenSealer
from tests.ledger.tampering import tampering
from tests.pbx_client.fake_ari import PASSWORD, USER, fake_ari

CHECKS = {
    "configuration",
    "policies",
    "codes",
    "keys",
    "places",
    "spool",
    "recordings",
    "ledger",
    "promises",
    "checkpoints",
    "asterisk",
    "elsewhere",
}
SECRETS = ("topsecret-ari", "topsecret-ami", "AGE-SECRET-KEY")
SERVICE = Account(uid=os.getuid() or 990, gids=frozenset({os.getgid()}), name="consent")


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ApprovedPlace:
    """A place where everything is right; the files are the service's, who is not root."""
    place = await ApprovedPlace(tmp_path).begin()
    place.put_approved("p2-nb")
    place.config.spool.chmod(0o770)
    place.config.file.chmod(0o640)
    for name in ("spool", "vault", "keys", "."):
        (tmp_path / name).chmod(0o777 & ~0o007)
        if os.geteuid() == 0:
            os.chown(tmp_path / name, SERVICE.uid, os.getgid())
    monkeypatch.setattr(examination, "service_account", lambda *_: SERVICE)
    (tmp_path / "etc").mkdir()
    features = (Path(__file__).parents[2] / "dialplan" / "asterisk-consent-features.conf").read_text()
    (tmp_path / "etc" / "features.conf").write_text(f"[applicationmap]\n{features}")
    (tmp_path / "log").mkdir()
    return place


def run(place: ApprovedPlace, *arguments: str) -> Result:
    base = place.config.file.parent
    paths = ("--asterisk-etc", str(base / "etc"), "--asterisk-log", str(base / "log"))
    return CliRunner().invoke(doctor, [*paths, *arguments], obj=load_config(place.config.file))


def found(result: Result, level: str) -> list[dict[str, str]]:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    listed = json.loads(result.output)
    for each in listed:
        assert set(each) == {"check", "level", "what", "where", "remedy"}
        assert each["what"]
        assert bool(each["remedy"]) is (each["level"] != "ok"), each
    return [each for each in listed if each["level"] == level]


def test_where_nothing_is_red_it_ends_with_0_and_has_looked_at_everything(place: ApprovedPlace) -> None:
    result = run(place, "--json")
    assert found(result, "error") == []
    assert result.exit_code == 0
    assert {each["check"] for each in json.loads(result.output)} == CHECKS


def test_what_is_red_ends_with_1_in_words_and_as_json(place: ApprovedPlace) -> None:
    place.config.spool.chmod(0o777)
    result = run(place, "--json")
    assert result.exit_code == 1
    assert {each["where"] for each in found(result, "error")} == {str(place.config.spool)}
    assert run(place).exit_code == 1


def test_the_words_say_what_where_and_what_to_do_and_count(place: ApprovedPlace) -> None:
    place.config.spool.chmod(0o777)
    told = run(place).output
    assert f"{place.config.spool}: the spool: everybody on this machine may write there" in told
    assert f"chmod o-w {place.config.spool}" in told
    assert "2 errors, " in told
    assert "Looked at as " in told


def test_a_configuration_that_cannot_be_used_is_red_and_the_end(tmp_path: Path) -> None:
    file = tmp_path / "asterisk-consent.toml"
    result = CliRunner().invoke(doctor, ["--json"], obj=file)
    assert result.exit_code == 1
    assert [each["check"] for each in found(result, "error")] == ["configuration"]
    file.write_text('region = "+31201234567"\n[asterisk]\nari_password = "x"\n')
    result = CliRunner().invoke(doctor, ["--json"], obj=file)
    assert len(found(result, "error")) > 1
    assert "31201234567" not in result.output


def test_a_policy_that_cannot_be_read_is_red_and_the_rest_is_looked_at(place: ApprovedPlace) -> None:
    (place.config.policies / "broken.toml").write_text("x")
    result = run(place, "--json")
    assert {each["check"] for each in found(result, "error")} == {"policies"}
    assert {each["check"] for each in json.loads(result.output)} == CHECKS


def test_before_the_service_ever_ran_the_ledger_is_red_once(place: ApprovedPlace) -> None:
    for file in place.config.ledger_path.parent.glob("ledger.sqlite*"):
        file.unlink()
    result = run(place, "--json")
    assert [each["what"] for each in found(result, "error")] == ["there is no ledger"]
    assert "checkpoints" in found(result, "unknown")[0]["what"]
    assert not place.config.ledger_path.exists()


def test_a_ledger_of_another_release_or_none_at_all_is_red(place: ApprovedPlace) -> None:
    with tampering(place.config.ledger_path) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert "schema 99" in found(run(place, "--json"), "error")[0]["what"]
    for file in place.config.ledger_path.parent.glob("ledger.sqlite*"):
        file.unlink()
    place.config.ledger_path.write_bytes(b"no ledger, only text" * 100)
    place.config.ledger_path.chmod(0o640)
    assert "not a ledger" in found(run(place, "--json"), "error")[0]["what"]


def test_files_of_no_recording_are_red(place: ApprovedPlace) -> None:
    (place.config.spool / f"{hex_id(7)}-caller.wav").touch()
    result = run(place, "--json")
    assert [each["check"] for each in found(result, "error")] == ["recordings"]


async def test_an_asterisk_that_answers_is_asked_and_known_modules_count(place: ApprovedPlace) -> None:
    text = CONFIG.replace('ari_password = "x"', f'ari_password = "{PASSWORD}"\nari_user = "{USER}"')
    (place.config.file.parent / "etc" / "hep.conf").write_text("[general]")
    async with fake_ari() as ari:
        ari.answers = {
            "GET /asterisk/info": (200, b'{"system":{"version":"22.9.0"}}'),
            "GET /asterisk/modules": (200, b'[{"name":"func_rand.so","status":"Running"}]'),
        }
        place.config.file.write_text(text.replace("http://127.0.0.1:1/ari", ari.url))
        result = await asyncio.to_thread(run, place, "--json")
    assert [each for each in found(result, "warn") if "GHSA-wcvv-g26m-wx5c" in each["what"]]
    assert (
        len([each for each in found(result, "error") if "is not loaded" in each["what"]]) == len(NEEDED) - 1
    )
    assert [each for each in found(result, "warn") if each["check"] == "elsewhere"] == []


@pytest.fixture
async def place_after_a_call(place: ApprovedPlace) -> ApprovedPlace:
    """The same after a call whose number is kept."""
    ledger = await Ledger.open(place.config.ledger_path, sealer=OpenSealer())
    await ledger.append(decision(1, recording=1))
    await ledger.close()
    return place


def test_no_number_and_no_secret_is_shown_and_nothing_is_changed(place_after_a_call: ApprovedPlace) -> None:
    place = place_after_a_call
    base = place.config.file.parent
    text = place.config.file.read_text().replace('i_password = "x"', 'i_password = "topsecret-ari"')
    place.config.file.write_text(text.replace('i_secret = "x"', 'i_secret = "topsecret-ami"'))
    place.config.identities.mkdir(mode=0o700)
    (place.config.identities / "eksempel.txt").write_text("AGE-SECRET-KEY-1X")
    names = [base / "spool", base / "vault", base / "keys", base / "log", base / "log" / "cdr-csv"]
    names[-1].mkdir()
    for directory in names:
        (directory / f"{CALLER}.pcap").write_text(CALLER)
    (base / "etc" / "logger.conf").write_text(f"[logfiles]\n{CALLER}.log => verbose\n")
    (place.config.policies / "draft.toml").write_text(f'id = "{CALLER}"\nversion = "{CALLER}"\n')
    before = moments(base)
    shown = run(place).output + run(place, "--json").output
    assert "captures" in shown or "capture" in shown
    for text in (CALLER.removeprefix("+"), *SECRETS):
        assert text not in shown
    assert moments(base) == before


def moments(base: Path) -> dict[Path, int]:
    """Return when each file was last written to, but for what SQLite keeps of its readers."""
    files = (path for path in base.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal")))
    return {path: path.stat().st_mtime_ns for path in files}


@contextmanager
def as_nobody() -> Iterator[None]:
    """Have the rights of a user who owns nothing."""
    os.setegid(65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
async def place_of_another() -> AsyncIterator[ApprovedPlace]:
    """A place whose configuration everybody reads, and where all else is another user's."""
    with TemporaryDirectory() as made:
        place = await ApprovedPlace(Path(made)).begin()
        place.put_approved("p2-nb")
        yield place


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take another user's rights")
def test_whoever_has_no_rights_is_told_what_was_not_looked_at(place_of_another: ApprovedPlace) -> None:
    config = place_of_another.config
    config.file.parent.chmod(0o755)
    config.identities.mkdir(mode=0o700)
    for path in (config.spool, config.vault, config.keys, config.ledger_path):
        path.chmod(0o700)
        os.chown(path, 990, 990)
    with as_nobody():
        result = run(place_of_another, "--json")
    unknown = found(result, "unknown")
    assert {each["check"] for each in unknown} >= {"ledger", "keys"}
    assert all("root" in each["remedy"] for each in unknown if each["check"] == "keys")


def test_sqlite_is_named(place: ApprovedPlace) -> None:
    assert f"SQLite {sqlite3.sqlite_version}" in run(place, "--json").output
