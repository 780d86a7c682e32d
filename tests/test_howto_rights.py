"""What the pages on rights and retention tell to type, typed as it stands, at a place with calls that were sealed.

Each section is typed at a fresh place, block after block; ``CALL``, ``RECORDING`` and ``HOLD`` are what they stand for.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from asterisk_consent.config import Config, load_config
from asterisk_consent.ledger import verifier, verify
from asterisk_consent.ledger.keyfile import make_key
from asterisk_consent.ledger.read import find_call, recordings_of
from asterisk_consent.ledger.standing import Standing, legal_holds, standing_of
from asterisk_consent.model import Right
from tests.cli.typing_commands import Desk
from tests.rights.kept_calls import NAME, NUMBER

PROJECT = Path(__file__).resolve().parents[1]
OFFICER = PROJECT / "docs/howto/data-protection-officer.md"
ADMINISTRATOR = PROJECT / "docs/howto/retention-and-erasure.md"
SECOND_PERSON = "# as the second person\n"

_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# ``doctor`` ends with 1 where something is red, which it is where there is no Asterisk.
_SHELL = """
asterisk-consent() {{
    {python} -m asterisk_consent --config {config} "$@" || {{
        status=$?; [ "$1" = doctor ] && [ $status = 1 ] && return 0; return $status; }}
}}
python3() {{ {python} "$@"; }}
"""


def sections(page: Path) -> dict[str, list[str]]:
    """What each section of a page tells to type."""
    _, *rest = _SECTION.split(page.read_text(encoding="utf-8"))
    return {title: _BLOCK.findall(text) for title, text in zip(rest[::2], rest[1::2], strict=True)}


@dataclass(frozen=True)
class Place:
    """A place to type at: one call that may be kept for evidence, of :data:`NUMBER`."""

    config: Config
    call_id: str

    def type(self, page: Path, section: str, *, blocks: slice = slice(None)) -> list[str]:
        """Type the blocks of a section; return what each printed."""
        return [self._type(block) for block in sections(page)[section][blocks]]

    @property
    def has_audio(self) -> bool:
        """Whether there is audio of the call."""
        return any(row.has_audio for row in recordings_of(self.config.ledger_path, self.call_id))

    @property
    def standing(self) -> Standing:
        """How the call stands."""
        return standing_of(self.config.ledger_path, self.call_id)

    def _type(self, block: str) -> str:
        holds = legal_holds(self.config.ledger_path)
        stands_for = {"CALL": self.call_id[:8], "RECORDING": self.call_id}
        stands_for |= {"HOLD": holds[-1].hold_id[:8]} if holds else {}
        typed = re.sub(r"\b(CALL|RECORDING|HOLD)\b", lambda found: stands_for[found[0]], block)
        person = "b.maes" if block.startswith(SECOND_PERSON) else "m.jansen"
        result = subprocess.run(
            ["bash", "-euc", _SHELL.format(python=sys.executable, config=self.config.file) + typed],
            cwd=self.config.file.parent,
            env=os.environ | {"SUDO_USER": person, "PYTHONPATH": str(PROJECT)},
            input=_typed_unseen(block),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert result.returncode == 0, (typed, result.stdout, result.stderr)
        return result.stdout


def _typed_unseen(block: str) -> str:
    """What is typed where a block reads from standard input, command by command."""
    lines = [
        answer
        for command in block.splitlines()
        for option, answer in (("--number -", NUMBER), ("--asked-by -", NAME))
        if re.search(rf"{option}(?= |$)", command)
    ]
    return "".join(f"{line}\n" for line in lines)


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place to copy: one call whose term has ended, and one that may be kept for evidence."""
    directory = tmp_path_factory.mktemp("pattern")
    desk = asyncio.run(Desk.begin(directory))
    make_key(desk.kept.place.config.checkpoints.key)
    assert desk.type("retention", "sweep", "--clock-is-right").exit_code == 0
    desk.recorded(2, days_ago=200, caller="+442079460999")
    desk.evidence(1)
    shutil.copy(verifier.__file__, directory / "verifier.py")
    return directory


@pytest.fixture
def place(pattern: Path, tmp_path: Path) -> Place:
    shutil.copytree(pattern, tmp_path / "place")
    config = load_config(tmp_path / "place/asterisk-consent.toml")
    return Place(config=config, call_id="10000000" + "0" * 24)


def test_every_section_with_something_to_type_is_typed_here() -> None:
    tested = Path(__file__).read_text(encoding="utf-8")
    for page in (OFFICER, ADMINISTRATOR):
        assert sum(bool(blocks) for blocks in sections(page).values()) >= 4
        for title, blocks in sections(page).items():
            assert not blocks or f'"{title}"' in tested, title


def test_somebodys_calls_are_found_and_shown(place: Place) -> None:
    (printed,) = place.type(OFFICER, "Find somebody's calls")
    assert printed.count("10000000") == 3
    assert "20000000" not in printed
    assert NUMBER not in printed


def test_a_withdrawal_erases_the_audio_and_keeps_the_proof(place: Place) -> None:
    (printed,) = place.type(OFFICER, "Somebody withdraws, by letter or by telephone", blocks=slice(0, 1))
    assert "10000000: carried out" in printed
    assert not place.has_audio
    assert find_call(place.config.ledger_path, place.call_id) is not None


def test_by_number_alone_nothing_is_shown_and_the_audio_waits(place: Place) -> None:
    (printed,) = place.type(OFFICER, "Somebody withdraws, by letter or by telephone", blocks=slice(1, 2))
    assert "pending" in printed
    assert place.has_audio
    assert place.standing.is_restricted


def test_an_erasure_leaves_nothing_but_the_chain(place: Place) -> None:
    place.type(OFFICER, "Somebody wants everything erased")
    assert find_call(place.config.ledger_path, place.call_id) is None
    assert verify(place.config.ledger_path).problem is None


def test_a_restriction_is_entered_and_lifted(place: Place) -> None:
    restricted, lifted = place.type(OFFICER, "Somebody disputes it: restrict")
    assert "kept for its terms, not shown" in restricted
    assert "the restriction is lifted" in lifted
    assert [request.right for request in place.standing.requests] == [Right.RESTRICTION]
    assert not place.standing.is_restricted


def test_an_objection_is_on_the_list_of_every_controller(place: Place) -> None:
    objected, lifted = place.type(OFFICER, "Somebody objects to being recorded")
    assert objected.count("on the list of objections from the next call on") == 2
    assert objected.count("carried out") == 2
    assert lifted.count("no longer on the list of objections") == 2
    assert NAME not in objected + lifted


def test_a_case_is_held_by_two_people_and_closed(place: Place) -> None:
    placed, confirmed, released = place.type(OFFICER, "Keep a recording for a case")
    assert "keeps nothing until a second person confirms it" in placed
    assert "holds until" in confirmed
    assert "released." in released
    (hold,) = place.standing.holds
    assert (hold.person, hold.confirmed_by, hold.released_for) == (
        "m.jansen",
        "b.maes",
        "the case is closed",
    )
    assert place.has_audio


def test_what_goes_when_is_told_and_the_proof_of_a_call_holds_elsewhere(place: Place) -> None:
    planned, proved = place.type(OFFICER, "What goes when, and proving it")
    assert "1 of 2 to go" in planned
    assert "entries hold" in planned
    assert "it rests on checkpoint" in proved
    assert NUMBER in (place.config.file.parent / "proof.json").read_text(encoding="utf-8")


def test_what_was_said_is_seen_and_heard_with_a_reason(place: Place) -> None:
    (printed,) = place.type(OFFICER, "See what was said, or hear it")
    assert NUMBER in printed
    assert (place.config.file.parent / "call.wav").stat().st_size > 1000


def test_the_sweep_erases_what_the_plan_told(place: Place) -> None:
    (printed,) = place.type(ADMINISTRATOR, "The daily sweep")
    assert "1 of 1 to go" in printed
    assert "Recordings erased: 1." in printed
    assert place.has_audio


def test_who_vouches_for_the_clock_sweeps(place: Place) -> None:
    assert "Recordings erased: 1." in place.type(ADMINISTRATOR, "The clock is in doubt")[0]


def test_the_life_of_key_backups_is_a_key_of_the_configuration(place: Place) -> None:
    text = ADMINISTRATOR.read_text(encoding="utf-8")
    (limits,) = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    file = place.config.file
    file.write_text(file.read_text(encoding="utf-8") + limits, encoding="utf-8")
    assert load_config(file).key_backups_days == 14
    (printed,) = place.type(OFFICER, "Somebody withdraws, by letter or by telephone", blocks=slice(0, 1))
    assert "could still open it until" in printed


def test_the_doctor_looks_at_what_asterisk_keeps_too(place: Place) -> None:
    (printed,) = place.type(ADMINISTRATOR, "What lies elsewhere")
    assert "in order" in printed
    assert "Asterisk" in printed


def test_while_the_service_is_away_the_sweep_is_done_by_hand(place: Place) -> None:
    (printed,) = place.type(ADMINISTRATOR, "While the service is away")
    assert "Recordings erased: 1." in printed
    assert "entries hold" in printed
