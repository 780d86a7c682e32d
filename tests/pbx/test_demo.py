"""The demo is a check: each promise turns red when the evidence speaks against it. Here the evidence is made up."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from rich.console import Console

from asterisk_consent.ledger import Kind
from asterisk_consent.model import Outcome, RecordingState
from tests.pbx.demo_callers import AGENT_HZ, Caller, Speech
from tests.pbx.demo_cast import CAST
from tests.pbx.demo_evidence import Evidence
from tests.pbx.demo_made_up import (
    PRESSED_AT,
    TOLD_AT,
    callers,
    good_evidence,
    id_of,
    recording,
    repertoire,
    role_of,
    row,
    tone,
)
from tests.pbx.demo_promises import judge
from tests.pbx.demo_screen import callers_table, words_now
from tests.pbx.demo_watch import Watch
from tests.pbx.settings import PROJECT


@dataclass
class Shown:
    """What a good demo leaves behind, to be spoilt by a test."""

    callers: dict[str, Caller] = field(default_factory=lambda: {each.name: each for each in callers()})
    evidence: Evidence = field(default_factory=lambda: good_evidence())

    def broken(self) -> list[str]:
        promises = judge(self.callers, repertoire(), self.evidence)
        return [promise.text for promise in promises if not promise.kept]


Spoil = Callable[[Shown], None]
GOOD = good_evidence()


def changed(**changes: object) -> Spoil:
    def spoil(shown: Shown) -> None:
        shown.evidence = replace(shown.evidence, **changes)  # type: ignore[arg-type]

    return spoil


def of_caller(name: str, **changes: object) -> Spoil:
    def spoil(shown: Shown) -> None:
        for attribute, value in changes.items():
            setattr(shown.callers[name], attribute, value)

    return spoil


def of_row(name: str, /, **changes: object) -> Spoil:
    def spoil(shown: Shown) -> None:
        rows = [
            replace(each, **changes) if each.call_id == name else each  # type: ignore[arg-type]
            for each in shown.evidence.rows
        ]
        shown.evidence = replace(shown.evidence, rows=rows)

    return spoil


def of_decision(name: str, /, **changes: object) -> Spoil:
    decision = msgspec.structs.replace(GOOD.decisions[name], **changes)
    return changed(decisions={**GOOD.decisions, name: decision})


def without_row(name: str) -> Spoil:
    return changed(rows=[each for each in GOOD.rows if each.call_id != name])


def with_row(name: str) -> Spoil:
    return changed(rows=[*GOOD.rows, row(role_of(name), Outcome.FAILED)])


def seen(name: str, at: float | None) -> Spoil:
    others = {each: moment for each, moment in GOOD.first_seen_at.items() if not each.startswith(id_of(name))}
    return changed(first_seen_at=others if at is None else {**others, f"{id_of(name)}-caller.wav": at})


def sounding(name: str, **sides: object) -> Spoil:
    audio = replace(GOOD.audio[id_of(name)], **sides)  # type: ignore[arg-type]
    return changed(audio={**GOOD.audio, id_of(name): audio})


def withdrawn(**parts: object) -> Spoil:
    assert GOOD.withdrawal is not None
    return changed(withdrawal=replace(GOOD.withdrawal, **parts))  # type: ignore[arg-type]


ANNA_HZ = role_of("Anna").hz
NOISE = np.concatenate([tone(ANNA_HZ, 1.5), tone(300, 0.3), tone(ANNA_HZ, 1.2)])


def test_a_good_demo_keeps_every_promise() -> None:
    assert Shown().broken() == []


def test_every_policy_and_every_way_of_ending_is_in_the_cast() -> None:
    roles = [role for role, _ in CAST]
    assert {role.policy for role in roles} >= {file.stem for file in (PROJECT / "policies").glob("*.toml")}
    assert {role.outcome for role in roles} == {*Outcome, None} - {Outcome.ABORTED, Outcome.FAILED}
    assert len({role.caller_id for role in roles}) == len({role.hz for role in roles}) == len(roles)


@pytest.mark.parametrize(
    ("spoil", "broken"),
    [
        (of_caller("Bram", agent_at=0.0, failure="no agent"), "Everybody"),
        (of_caller("Anna", failure="cut off"), "Everybody"),
        (of_caller("Lena", agent_at=0.0), "Everybody"),
        (of_caller("Jana", failure="not answered"), "Everybody"),
        (without_row("Bram"), "holds each answer"),
        (with_row("Bram"), "holds each answer"),
        (with_row("Gijs"), "holds each answer"),
        (of_row("Carla", outcome=Outcome.FAILED), "holds each answer"),
        (of_row("Ivo", outcome=Outcome.REFUSED), "holds each answer"),
        (of_decision("Bram", digit="3"), "holds each answer"),
        (of_row("Carla", language="nl"), "holds each answer"),
        (of_row("Lena", language="nl"), "holds each answer"),
        (changed(announcements={**GOOD.announcements, "Hélène": "p5-be nl"}), "names what the caller heard"),
        (changed(announcements={**GOOD.announcements, "Lena": "p5-be nl"}), "names what the caller heard"),
        (changed(announcements={}), "names what the caller heard"),
        (changed(heard_in={**GOOD.heard_in, "Hélène": ("nl",)}), "names what the caller heard"),
        (changed(heard_in={**GOOD.heard_in, "Ivo": ("nl",)}), "names what the caller heard"),
        (seen("Xenia", PRESSED_AT + 1), "Exactly those"),
        (seen("Anna", PRESSED_AT - 0.1), "Exactly those"),
        (seen("Emil", TOLD_AT - 0.5), "Exactly those"),
        (seen("Dina", None), "Exactly those"),
        (of_caller("Hélène", told_until_at=TOLD_AT - 2.0), "Exactly those"),
        (changed(left_in_spool=[f"{id_of('Anna')}-agent.wav"]), "Exactly those"),
        (of_row("Bram", recording=recording("Bram")), "Exactly those"),
        (of_row("Ivo", recording=recording("Ivo")), "Exactly those"),
        (of_row("Anna", recording=None), "Exactly those"),
        (of_row("Emil", recording=recording("Emil", RecordingState.FAILED)), "its conversation"),
        (changed(audio={}), "its conversation"),
        (sounding("Anna", agent=tone(ANNA_HZ)), "its conversation"),
        (sounding("Anna", caller=NOISE), "its conversation"),
        (sounding("Anna", caller=tone(role_of("Dina").hz)), "its conversation"),
        (sounding("Emil", caller=tone(role_of("Fatima").hz)), "its conversation"),
        (
            sounding("Dina", caller=tone(role_of("Dina").hz, 20.0), agent=tone(AGENT_HZ, 20.0)),
            "its conversation",
        ),
        (of_row("Anna", purposes=("training", "quality")), "purposes"),
        (of_row("Hélène", purposes=()), "purposes"),
        (of_row("Ivo", purposes=("quality",)), "purposes"),
        (of_decision("Bram", outcome=Outcome.GIVEN, caller=role_of("Bram").caller_id), "No number or name"),
        (of_decision("Anna", caller=None), "No number or name"),
        (changed(decisions={}), "No number or name"),
        (changed(traces=GOOD.traces | {"Ivo"}), "No number or name"),
        (changed(traces=GOOD.traces | {"Anna"}), "No number or name"),
        (changed(withdrawal=None), "withdraws"),
        (withdrawn(exit_status=1), "withdraws"),
        (withdrawn(copies=(("recording 0123abcd", "kept"),)), "withdraws"),
        (withdrawn(left=(f"{id_of('Anna')}.flac.age",)), "withdraws"),
        (withdrawn(lost=("0123abcd",)), "withdraws"),
        (of_caller("Gijs", spoken_to_s=3.0), "without logging"),
        (of_caller("Gijs", agent_at=0.0), "without logging"),
        (changed(off_calls=0), "without logging"),
        (changed(off_calls=2), "without logging"),
        (changed(traces=GOOD.traces | {"Gijs"}), "without logging"),
        (changed(kinds={**GOOD.kinds, Kind.DECISION_FAILED: 1}), "without logging"),
        (changed(kinds={**GOOD.kinds, Kind.CALLS_PASSED: 1}), "without logging"),
        (of_caller("Kees", spoken_to_s=3.0), "112"),
        (of_caller("Kees", agent_at=104.0), "112"),
        (changed(kinds={**GOOD.kinds, Kind.CALLS_PASSED: 1}), "112"),
        (changed(traces=GOOD.traces | {"Kees"}), "112"),
        (changed(verify_status=4), "chain"),
    ],
)
def test_a_broken_promise_is_told(spoil: Spoil, broken: str) -> None:
    shown = Shown()
    spoil(shown)
    assert any(broken in text for text in shown.broken())


def test_clicks_where_somebody_stops_and_begins_to_talk_break_no_promise() -> None:
    shown = Shown()
    sentences = np.concatenate([part for _ in range(6) for part in (tone(ANNA_HZ, 0.3), tone(0, 0.2))])
    sounding("Anna", caller=sentences)(shown)
    assert shown.broken() == []


def test_what_lies_on_disk_is_told_without_what_lay_there_before(tmp_path: Path) -> None:
    spool, vault = tmp_path / "spool", tmp_path / "vault"
    for place in (spool, vault):
        place.mkdir()
        (place / f"{'0' * 32}.wav").touch()
    watch = Watch.beginning_now(spool, vault)
    assert watch.told() == "On disk: no recording of any kind"
    for name in (f"{'a' * 32}-caller.wav", f"{'a' * 32}-agent.wav", f"{'b' * 32}-caller.wav"):
        (spool / name).touch()
    (vault / f"{'c' * 32}.flac.age").touch()
    assert watch.told() == "On disk: 2 being recorded, 1 recording in the vault"


def test_the_picture_fits_a_terminal_of_80_columns_and_24_lines() -> None:
    out = io.StringIO()
    everybody = callers()
    everybody[1].doing = "has hung up, after 10.0 s with the agent"
    everybody[2].speech = Speech(text="word " * 40, began_at=time.monotonic(), duration_s=20.0)
    Console(file=out, width=80).print(callers_table(everybody, 80))
    lines = out.getvalue().splitlines()
    assert len(lines) == 1 + len(CAST) <= 24 - len(("heading", "what is on disk", "prompt"))
    assert max(len(line.rstrip()) for line in lines) <= 80
    assert "with the agent" in lines[2]
    assert "word …”" in lines[3]


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (100.0, "Toets 1 als wij …"),
        (102.5, "mogen opnemen."),
        (99.0, "Toets 1 als wij …"),
        (200.0, "opnemen."),
    ],
)
def test_the_words_shown_follow_the_time_and_are_whole(now: float, words: str) -> None:
    speech = Speech(text="Toets 1 als wij\nmogen opnemen.", began_at=100.0, duration_s=4.0)
    assert words_now(speech, now, 20) == words
