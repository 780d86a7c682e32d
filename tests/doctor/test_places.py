"""Directories and private files: nobody but the service writes there, nobody else reads what lies in the clear."""

from pathlib import Path

import pytest

from asterisk_consent.doctor.access import Account, Seen, look_at, service_account
from asterisk_consent.doctor.finding import Level
from asterisk_consent.doctor.places import Place, directory_findings, private_findings, room_findings
from asterisk_consent.errors import ConsentError
from tests.doctor.levels import SERVICE, only

PATH = Path("/var/spool/asterisk-consent")
SPOOL = Place(name="the spool", path=PATH, clear=True)
VAULT = Place(name="the vault", path=PATH)
MIB = 1 << 20


def directory(mode: int, *, uid: int = 990, gid: int = 990) -> Seen:
    return Seen(path=PATH, uid=uid, gid=gid, mode=mode, is_directory=True)


@pytest.mark.parametrize(
    "seen",
    [directory(0o750), directory(0o700), directory(0o2770, uid=1, gid=77)],
    ids=["group", "own", "shared"],
)
def test_a_directory_of_the_service_is_right(seen: Seen) -> None:
    assert list(directory_findings(SPOOL, seen, SERVICE)) == []


@pytest.mark.parametrize("seen", [directory(0o755, uid=0, gid=0), directory(0o550), directory(0o600)])
def test_where_the_service_cannot_write_is_red(seen: Seen) -> None:
    assert "cannot write there" in only(directory_findings(VAULT, seen, SERVICE), Level.ERROR).what


def test_where_everybody_writes_is_red() -> None:
    assert "everybody" in only(directory_findings(VAULT, directory(0o752), SERVICE), Level.ERROR).what


@pytest.mark.parametrize("mode", [0o755, 0o754, 0o751])
def test_a_spool_that_everybody_looks_into_is_red_and_a_vault_is_not(mode: int) -> None:
    assert "in the clear" in only(directory_findings(SPOOL, directory(mode), SERVICE), Level.ERROR).what
    assert list(directory_findings(VAULT, directory(mode), SERVICE)) == []


def test_a_file_in_place_of_a_directory_is_red() -> None:
    seen = Seen(path=PATH, uid=990, gid=990, mode=0o640)
    assert "not a directory" in only(directory_findings(SPOOL, seen, SERVICE), Level.ERROR).what


@pytest.mark.parametrize(
    ("free", "level"), [(99 * MIB, Level.ERROR), (100 * MIB, Level.WARN), (199 * MIB, Level.WARN)]
)
def test_free_space_below_the_least_is_red_and_near_it_yellow(free: int, level: Level) -> None:
    finding = only(room_findings(SPOOL, free, 100 * MIB), level)
    assert f"{free // MIB} MiB" in finding.what
    assert "100 MiB" in finding.what


def test_free_space_enough_is_right() -> None:
    assert list(room_findings(SPOOL, 200 * MIB, 100 * MIB)) == []


@pytest.mark.parametrize(
    ("mode", "for_group", "who"),
    [
        (0o644, True, "everybody"),
        (0o602, True, "everybody"),
        (0o640, False, "its group"),
        (0o604, False, "everybody"),
    ],
)
def test_a_private_file_that_others_read_is_red(mode: int, for_group: bool, who: str) -> None:
    seen = Seen(path=PATH, uid=990, gid=990, mode=mode)
    assert who in only(private_findings("the key", seen, for_group=for_group), Level.ERROR).what


@pytest.mark.parametrize(
    ("mode", "for_group"), [(0o640, True), (0o660, True), (0o600, False), (0o400, False)]
)
def test_a_private_file_is_right(mode: int, for_group: bool) -> None:
    seen = Seen(path=PATH, uid=990, gid=990, mode=mode)
    assert list(private_findings("the key", seen, for_group=for_group)) == []


def test_the_services_user_is_whose_the_ledger_is_or_the_vault(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    own = look_at(tmp_path).uid
    assert service_account(tmp_path / "ledger.sqlite", tmp_path / "vault").uid == own
    with pytest.raises(ConsentError, match="No such file"):
        service_account(tmp_path / "ledger.sqlite", tmp_path / "none")


def test_root_may_do_everything_and_an_owner_what_its_bits_say() -> None:
    root = Account(uid=0, gids=frozenset({0}), name="root")
    assert root.may(directory(0), 7)
    assert not SERVICE.may(directory(0o077), 4)
    assert SERVICE.may(directory(0o040, uid=1, gid=77), 4)
    assert not SERVICE.may(directory(0o704, uid=1, gid=77), 4)
