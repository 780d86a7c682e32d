"""Breaks one invariant in a copy of the tree and runs the test that must notice.

Rule: nothing is changed outside the copy, and the named test must fail by an assertion of its own: an import
that fails, a missing fixture or a PBX that does not come up proves nothing.
"""

import os
import shutil
import socket
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PATCHES = Path(__file__).parent
TURNS_RED = "# turns red: "
ON_PBX = "tests/pbx/"
ENDS_WITHIN_S = 180.0
_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".pbx", ".venv", ".*_cache", ".hypothesis", "__pycache__", "*.egg-info", "build", "results"
)
_ASSERTED = ("AssertionError", "assert ", "Failed: DID NOT RAISE", "tests.pbx.ears.NotHeardError")
_PORTS = ("PBX_SIP_PORT", "PBX_AGENT_PORT", "PBX_ARI_PORT", "PBX_AMI_PORT", "PBX_FASTAGI_PORT")


class MutantError(Exception):
    """A mutant that says nothing: its patch does not apply, or its test did not run to a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A patch and the test that must turn red with it."""

    patch: Path
    test: str

    @property
    def on_pbx(self) -> bool:
        """Whether its test needs a real Asterisk."""
        return self.test.startswith(ON_PBX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the named test came to; ``message`` is that of its failure, empty where it passed."""

    failed: bool
    message: str


def read_mutant(patch: Path) -> Mutant:
    """Read which test a patch turns red from its first line.

    :raises MutantError: it names none.
    """
    first, _, _ = patch.read_text().partition("\n")
    if not first.startswith(TURNS_RED):
        raise MutantError(f"{patch.name}: the first line must be '{TURNS_RED}tests/…::test_…'")
    return Mutant(patch=patch, test=first.removeprefix(TURNS_RED).strip())


def mutants() -> list[Mutant]:
    """All of them, in the order of the invariants."""
    return [read_mutant(patch) for patch in sorted(PATCHES.glob("*.patch"))]


def broken_copy(mutant: Mutant, place: Path) -> Path:
    """Copy the tree and break it.

    :raises MutantError: the patch does not apply.
    """
    tree = place / "tree"
    shutil.copytree(PROJECT, tree, ignore=_LEFT_OUT, symlinks=True)
    environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(place)}
    done = subprocess.run(
        ["git", "apply", str(mutant.patch)],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise MutantError(f"{mutant.patch.name} does not apply any more:\n{done.stderr}")
    return tree


def run_test(mutant: Mutant, tree: Path, *, pbx_home: Path | None = None) -> Verdict:
    """Run the named test in the copy.

    :param pbx_home: where a development PBX of its own finds its root, for a test on the real PBX.
    :raises MutantError: the test did not run, or failed by something else than an assertion.
    """
    report, environment = tree / "verdict.xml", _environment(tree, pbx_home)
    options = ["-q", "-p", "no:cacheprovider", "--tb=short", f"--junitxml={report}"]
    try:
        done = _run_python(tree, environment, "-m", "pytest", *options, mutant.test)
    except subprocess.TimeoutExpired as error:
        raise MutantError(f"{mutant.patch.name}: {mutant.test} did not end in {error.timeout:g} s") from error
    finally:
        if pbx_home is not None:
            _run_python(tree, environment, "-m", "tests.pbx", "down")
    said = f"{mutant.patch.name}: {mutant.test}\n{done.stdout[-3000:]}{done.stderr[-1000:]}"
    if done.returncode not in (0, 1) or not report.exists():
        raise MutantError(f"the test did not run (pytest ended with {done.returncode})\n{said}")
    cases = list(ET.parse(report).getroot().iter("testcase"))  # noqa: S314 - written by pytest just now
    if not cases or any(case.find("error") is not None or case.find("skipped") is not None for case in cases):
        raise MutantError(f"the test did not come to a verdict\n{said}")
    failures = [failure for case in cases if (failure := case.find("failure")) is not None]
    messages = [failure.get("message", "") for failure in failures]
    if failures and not any(message.startswith(_ASSERTED) for message in messages):
        raise MutantError(f"the test failed, but not by an assertion\n{said}")
    return Verdict(failed=bool(failures), message="\n".join(messages))


def own_root(pbx_home: Path, built: Path) -> None:
    """Give a second development PBX a copy of the Debian that the first one runs in."""
    pbx_home.mkdir(parents=True, exist_ok=True)
    pbx_home.chmod(0o755)
    target = pbx_home / "root"
    if not target.exists():
        # Not into another file system: a proc that was left mounted there has no end.
        command = ["cp", "-a", "-x", "--reflink=auto", str(built), str(target)]
        subprocess.run(command, check=True)
        for leftover in (target / "var/spool/asterisk-consent").glob("*"):
            leftover.unlink()


def _run_python(tree: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=ENDS_WITHIN_S,
        check=False,
    )


def _environment(tree: Path, pbx_home: Path | None) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COVERAGE_"))
    }
    # The copy comes before the installed project on the path, in the test and in the programs it starts.
    environment = kept | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    if pbx_home is not None:
        environment |= {"PBX_HOME": str(pbx_home), **_free_ports()}
    return environment


def _free_ports() -> dict[str, str]:
    """Ports of loopback that nobody uses now, for both TCP and UDP."""
    free: dict[str, str] = {}
    candidates = iter(range(12000, 15000))
    for name in _PORTS:
        free[name] = str(next(port for port in candidates if _is_free(port)))
    return free | {"PBX_RTP_FIRST": "23000", "PBX_RTP_LAST": "23999"}


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
