"""Each invariant, broken once: the test that holds it turns red, so it would notice."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.mutants.mutant import (
    PROJECT,
    Mutant,
    MutantError,
    broken_copy,
    mutants,
    own_root,
    read_mutant,
    run_test,
)
from tests.pbx.root import ensure_root
from tests.pbx.settings import Settings

INVARIANTS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 23, 24)
ALL = mutants()


def named(chosen: list[Mutant]) -> list[object]:
    """Parameters with the patch's name as their id."""
    return [pytest.param(mutant, id=mutant.patch.stem) for mutant in chosen]


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that other users may enter, since a service of the copy runs as one of them."""
    with TemporaryDirectory(prefix="mutant-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture(scope="session")
def second_home() -> Iterator[Path]:
    """The home of a second development PBX, beside the one that other tests use."""
    settings = Settings.from_environment()
    ensure_root(settings, print)
    with TemporaryDirectory(prefix="mutant-pbx-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o755)
        own_root(Path(directory), settings.root)
        yield Path(directory)


def test_every_invariant_that_must_be_broken_once_is() -> None:
    broken = {int(mutant.patch.name.partition("-")[0]) for mutant in ALL}
    assert broken >= set(INVARIANTS)


@pytest.mark.parametrize("mutant", named([mutant for mutant in ALL if not mutant.on_pbx]))
def test_the_named_test_turns_red(mutant: Mutant, place: Path) -> None:
    assert run_test(mutant, broken_copy(mutant, place)).failed, f"{mutant.test} does not notice"


@pytest.mark.pbx
@pytest.mark.parametrize("mutant", named([mutant for mutant in ALL if mutant.on_pbx]))
def test_the_named_test_on_the_pbx_turns_red(mutant: Mutant, place: Path, second_home: Path) -> None:
    verdict = run_test(mutant, broken_copy(mutant, place), pbx_home=second_home)
    assert verdict.failed, f"{mutant.test} does not notice"


def change(file: str, old: str, new: str) -> str:
    """A patch that exchanges a line of a file for another, made for a test that needs no more."""
    before = (PROJECT / file).read_text().splitlines(keepends=True)
    after = [new + "\n" if line.startswith(old) else line for line in before]
    lines = difflib.unified_diff(before, after, f"a/{file}", f"b/{file}")
    return "# turns red: tests/test_imports.py::test_imports_point_down_only\n" + "".join(lines)


def test_a_patch_that_does_not_apply_is_no_verdict(place: Path) -> None:
    patch = place / "00-stale.patch"
    patch.write_text(
        change("tests/test_imports.py", "import ast", "import abc").replace("-import ast", "-import x")
    )
    with pytest.raises(MutantError, match="does not apply"):
        broken_copy(read_mutant(patch), place)


def test_a_test_that_cannot_run_is_no_verdict(place: Path) -> None:
    patch = place / "00-broken.patch"
    patch.write_text(change("tests/test_imports.py", "import ast", "import nothing_of_that_name"))
    mutant = read_mutant(patch)
    with pytest.raises(MutantError, match="did not"):
        run_test(mutant, broken_copy(mutant, place))


def test_a_patch_without_a_test_is_refused(place: Path) -> None:
    patch = place / "00-nameless.patch"
    patch.write_text("--- a/setup.cfg\n")
    with pytest.raises(MutantError, match="first line"):
        read_mutant(patch)
