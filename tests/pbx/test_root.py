"""The root that Asterisk runs in: never half built, and what it is built from is the settings' choice."""

import json
from pathlib import Path

import pytest

from tests.pbx.root import STAMP, ensure_root, read_stamp
from tests.pbx.settings import CannotSetUpError, Settings

FAKE = """#!/bin/sh
echo "$@" >> {calls}
for word; do case $word in */root.partial) target=$word ;; esac; done
mkdir -p "$target/etc"
{then}
"""


class Bootstrap:
    """Stands in for mmdebstrap and chroot on the PATH, and remembers how it was called."""

    def __init__(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place = place
        self.calls = place / "calls"
        self.calls.touch()
        self.does("true")
        self._program("chroot", "#!/bin/sh\necho 1:22.0.0\n")
        monkeypatch.setenv("PATH", f"{place}:/usr/bin:/bin")

    def does(self, then: str) -> None:
        """What it does after making the directory: shell text."""
        self._program("mmdebstrap", FAKE.format(calls=self.calls, then=then))

    def runs(self) -> list[str]:
        """The arguments of every run."""
        return self.calls.read_text().splitlines()

    def _program(self, name: str, text: str) -> None:
        (self.place / name).write_text(text)
        (self.place / name).chmod(0o755)


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bootstrap:
    (tmp_path / "bin").mkdir()
    return Bootstrap(tmp_path / "bin", monkeypatch)


def settings(tmp_path: Path, **env: str) -> Settings:
    return Settings.from_environment({"PBX_HOME": str(tmp_path / "pbx"), **env})


def test_a_root_is_built_once(bootstrap: Bootstrap, tmp_path: Path) -> None:
    for _ in range(2):
        assert ensure_root(settings(tmp_path), lambda _: None) == "1:22.0.0"
    assert len(bootstrap.runs()) == 1


def test_a_build_that_fails_leaves_no_root(bootstrap: Bootstrap, tmp_path: Path) -> None:
    bootstrap.does("echo no network >&2; exit 1")
    with pytest.raises(CannotSetUpError, match="no network"):
        ensure_root(settings(tmp_path), lambda _: None)
    assert not settings(tmp_path).root.exists()
    assert not (tmp_path / "pbx/root.partial").exists()


def test_what_an_interrupted_build_left_is_not_used(bootstrap: Bootstrap, tmp_path: Path) -> None:
    partial = tmp_path / "pbx/root.partial"
    (partial / "etc").mkdir(parents=True)
    (partial / "half").touch()
    ensure_root(settings(tmp_path), lambda _: None)
    assert not (settings(tmp_path).root / "half").exists()


def test_a_failed_rebuild_keeps_the_old_root(bootstrap: Bootstrap, tmp_path: Path) -> None:
    ensure_root(settings(tmp_path), lambda _: None)
    bootstrap.does("exit 1")
    with pytest.raises(CannotSetUpError):
        ensure_root(settings(tmp_path, PBX_SUITE="sid"), lambda _: None)
    assert read_stamp(settings(tmp_path).root) is not None


def test_another_suite_builds_anew(bootstrap: Bootstrap, tmp_path: Path) -> None:
    ensure_root(settings(tmp_path), lambda _: None)
    ensure_root(settings(tmp_path, PBX_SUITE="sid"), lambda _: None)
    assert " sid " in bootstrap.runs()[-1]
    stamp = json.loads((settings(tmp_path).root / STAMP).read_text())
    assert stamp["suite"] == "sid"


def test_an_expired_release_file_is_accepted_aloud_and_only_then(
    bootstrap: Bootstrap, tmp_path: Path
) -> None:
    bootstrap.does(
        'case "$*" in *Check-Valid-Until*) ;; *) echo "E: Release file ... is expired"; exit 1 ;; esac'
    )
    said: list[str] = []
    ensure_root(settings(tmp_path), said.append)
    first, second = bootstrap.runs()
    assert "Check-Valid-Until" not in first
    assert "Check-Valid-Until" in second
    assert any("signatures are still checked" in line for line in said)


def test_an_archive_that_is_named_is_built_from(bootstrap: Bootstrap, tmp_path: Path) -> None:
    ensure_root(settings(tmp_path), lambda _: None)
    ensure_root(settings(tmp_path, PBX_MIRROR="http://archive.example/debian"), lambda _: None)
    own_choice, named = bootstrap.runs()
    assert "http" not in own_choice
    assert named.endswith(" http://archive.example/debian")


def test_the_root_knows_the_name_of_the_machine(bootstrap: Bootstrap, tmp_path: Path) -> None:
    ensure_root(settings(tmp_path), lambda _: None)
    assert (
        Path("/proc/sys/kernel/hostname").read_text().strip()
        in (settings(tmp_path).root / "etc/hosts").read_text()
    )


@pytest.mark.parametrize("port", ["80", "sixty", "70000", "-1", "٣٠٠٠"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(CannotSetUpError, match="PBX_SIP_PORT"):
        Settings.from_environment({"PBX_SIP_PORT": port})
