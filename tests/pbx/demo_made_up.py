"""A demo in which everything was as promised, made up: what its callers noticed, and what was found after it."""

from functools import cache
from pathlib import Path

import numpy as np

from asterisk_consent.ledger import Decision, Kind, decision_payload
from asterisk_consent.ledger.read import CallRow, RecordingRow
from asterisk_consent.model import Direction, Outcome, RecordingState
from asterisk_consent.policy import parse_policy
from asterisk_consent.prompts.rendered import Prompt, PromptSet
from tests.pbx.demo_callers import AGENT_HZ, Caller, Role
from tests.pbx.demo_cast import CAST
from tests.pbx.demo_evidence import Audio, Evidence
from tests.pbx.demo_repertoire import Repertoire
from tests.pbx.demo_withdrawal import Withdrawal
from tests.pbx.settings import PROJECT

RATE = 8000
TALKED_S = 3.0
PART_S = 20.0
CALLED_AT, TOLD_AT, PRESSED_AT = 100.0, 141.0, 124.0
RECORDED = ("Anna", "Dina", "Emil", "Fatima", "Hélène")


@cache
def repertoire() -> Repertoire:
    policies = [
        parse_policy(file.read_text(), file=file.name) for file in (PROJECT / "policies").glob("*.toml")
    ]
    return Repertoire(
        policies={policy.id: policy for policy in policies},
        prompts={
            policy.id: {language: announcement(policy.id, language) for language in policy.languages}
            for policy in policies
        },
    )


def announcement(policy: str, language: str) -> PromptSet:
    part = Prompt(path_without_suffix=Path(), duration_ms=round(PART_S * 1000), sha256="", text="")
    parts = ["information"] if policy == "p3-nl" else ["information", "question"]
    return PromptSet(
        language=language,
        name="",
        reviewed_by="",
        spoken_by="",
        parts=dict.fromkeys(parts, part),
        digest=f"{policy} {language}",
    )


def callers() -> list[Caller]:
    made = []
    for role, _ in CAST:
        caller = Caller(role=role, called_at=CALLED_AT)
        if role.language:
            caller.told_from_at, caller.told_until_at = TOLD_AT - 2 * PART_S, TOLD_AT
        if role.digit:
            caller.pressed_at = PRESSED_AT
        if role.stays:
            caller.agent_at = max(caller.pressed_at, caller.told_until_at, CALLED_AT) + 0.4
        caller.ended_at = (caller.agent_at or CALLED_AT) + TALKED_S
        made.append(caller)
    return made


def role_of(name: str) -> Role:
    return next(role for role, _ in CAST if role.name == name)


def tone(hz: float, seconds: float = TALKED_S) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    return (8000 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.int16)


def id_of(name: str) -> str:
    return f"{name[0].lower():0<32}"


def row(role: Role, outcome: Outcome) -> CallRow:
    return CallRow(
        seq=1,
        call_id=role.name,
        started_at=1_800_000_000,
        controller="voorbeeld",
        policy=role.policy,
        policy_version=1,
        language=role.language,
        direction=Direction.INCOMING,
        outcome=outcome,
        alias="",
        subject="",
        receipt="",
        announcement="ab" * 32,
        played_ms=20_000,
        reason="",
        purposes=repertoire().purposes(role.policy, role.language) if role.is_recorded else (),
        recording=recording(role.name) if role.is_recorded else None,
    )


def recording(name: str, state: RecordingState = RecordingState.VERIFIED) -> RecordingRow:
    return RecordingRow(
        recording_id=id_of(name),
        call_id=name,
        controller="voorbeeld",
        state=state,
        channel="PJSIP/caller-1",
        allowed_seq=1,
        allowed_at=1,
        started_at=1,
        ended_seq=2,
        ended_at=2,
        duration_ms=8000,
        size=256_044,
        sha256="cd" * 32,
        reason="",
        erased_seq=0,
        erased_at=0,
    )


def decision(role: Role, outcome: Outcome) -> Decision:
    return decision_payload(
        outcome=outcome,
        started_at=1_800_000_000,
        direction=Direction.INCOMING,
        dialled=role.number,
        channel="1800000000.1",
        caller=role.caller_id,
        caller_name=f"{role.name} Voorbeeld",
        withheld=False,
        digit=role.digit,
    )


def good_evidence() -> Evidence:
    asked = [(role, role.outcome) for role, _ in CAST if role.outcome]
    grounds = {name: PRESSED_AT if role_of(name).digit else TOLD_AT for name in RECORDED}
    return Evidence(
        rows=[row(role, outcome) for role, outcome in asked],
        decisions={role.name: decision(role, outcome) for role, outcome in asked},
        announcements={
            role.name: f"{role.policy} {role.language}" if role.language else "" for role, _ in asked
        },
        kinds={Kind.DECISION_GIVEN: len(asked), Kind.RECORDING_VERIFIED: len(RECORDED)},
        first_seen_at={f"{id_of(name)}-caller.wav": at + 0.1 for name, at in grounds.items()},
        left_in_spool=[],
        audio={
            id_of(name): Audio(caller=tone(role_of(name).hz), agent=tone(AGENT_HZ), rate=RATE)
            for name in RECORDED
        },
        heard_in={role.name: (role.language,) if role.language else () for role, _ in CAST},
        traces=frozenset(),
        withdrawal=Withdrawal(
            exit_status=0, copies=(("recording 0123abcd", "done"), ("proof", "done")), left=(), lost=()
        ),
        off_calls=1,
        verify_status=0,
        verify_text="9 entries hold.",
    )
