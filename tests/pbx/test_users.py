"""Asterisk and the service are two unprivileged users, also where the project lies in a closed directory."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.pbx.settings import ASTERISK_UID, SERVICE_UID, SPOOL_GID, Settings
from tests.pbx.users import as_asterisk, as_service, closed_directories, open_view


@pytest.fixture
def closed() -> Iterator[Path]:
    """A directory that only root may enter, in a place where everybody may go."""
    with TemporaryDirectory(dir="/tmp") as place:
        yield Path(place)


def test_a_directory_that_others_cannot_enter_is_found_at_its_top(closed: Path) -> None:
    project = closed / "inner/project"
    project.mkdir(parents=True)
    (closed / "inner").chmod(0o700)
    assert closed_directories([project], uid=SERVICE_UID) == [closed]


def test_an_open_place_is_left_alone() -> None:
    assert closed_directories([Path("/usr/lib"), Path("/tmp")], uid=SERVICE_UID) == []


def test_the_view_holds_what_is_needed_before_the_closed_directory_is_covered() -> None:
    text = open_view([Path("/root")], [Path("/root/a b"), Path("/srv/x")])
    kept = text.index("--rbind '/root/a b' /mnt/0")
    covered = text.index("tmpfs /root;")
    back = text.index("--rbind /mnt/0 '/root/a b'")
    assert kept < covered < back < text.index("umount -l /mnt")
    assert "/srv/x" not in text


def test_the_holding_place_never_covers_what_is_needed() -> None:
    text = open_view([Path("/mnt/c")], [Path("/mnt/c/project")])
    assert "tmpfs /media;" in text


def test_the_service_runs_as_its_own_user_without_any_privilege() -> None:
    command = as_service(
        Settings.from_environment({}), ["sh", "-c", "id -u; id -G; grep CapBnd /proc/self/status"]
    )
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    uid, groups, capabilities = done.stdout.splitlines()
    assert uid == str(SERVICE_UID)
    assert set(groups.split()) == {str(SERVICE_UID), str(SPOOL_GID)}
    assert int(capabilities.split()[1], 16) == 0


def test_asterisk_runs_as_another_user_who_shares_the_spool_only() -> None:
    command = as_asterisk(Settings.from_environment({"PBX_HOME": "/srv/pbx"}), ["asterisk"])
    assert f"--userspec={ASTERISK_UID}:{ASTERISK_UID}" in command
    assert f"--groups={SPOOL_GID}" in command
    assert ASTERISK_UID != SERVICE_UID


def test_a_project_in_a_closed_directory_can_be_read_by_the_service(closed: Path) -> None:
    project = closed / "project"
    project.mkdir()
    (project / "text").write_text("read")
    (project / "text").chmod(0o644)
    project.chmod(0o755)
    reader = ["setpriv", f"--reuid={SERVICE_UID}", f"--regid={SERVICE_UID}", "--clear-groups", "cat"]
    script = f"set -e; {open_view([closed], [project])} exec {' '.join(reader)} {project}/text"
    view = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]
    assert subprocess.run([*reader, project / "text"], capture_output=True, check=False).returncode != 0
    assert subprocess.run(view, stdout=subprocess.PIPE, text=True, check=False).stdout == "read"
