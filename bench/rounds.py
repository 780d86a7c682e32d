"""One measured round: callers at a rate, one way of asking, and what that cost.

Rule: the measuring stops when the last recording has started, while every call is still there, waiting idly; so
what a call cost up to the start of its recording is told from what follows, and the same for each way.
"""

import asyncio
import math
from dataclasses import dataclass

from bench import callers, processes
from bench.ami_events import listening
from bench.stage import AMI_USER, Stage
from bench.ways import Way

_SLACK_S = 3.0
_TALK_S = 2.0
_IDLE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    name: str
    calls: int
    per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What was measured. CPU is per call placed, in milliseconds; memory at the end, in KiB."""

    way: str
    load: str
    calls: int
    lost: int
    not_started: int
    missing: int
    asterisk_cpu_ms: float
    service_cpu_ms: float
    asterisk_after_cpu_ms: float
    service_after_cpu_ms: float
    digit_to_recording_p50_ms: float
    digit_to_recording_p99_ms: float
    fsync_p50_ms: float
    fsync_p99_ms: float
    asterisk_pss_kib: int
    service_pss_kib: int
    service_rss_kib: int

    @property
    def cpu_ms(self) -> float:
        """Asterisk and the service together, up to the start of the recording."""
        return self.asterisk_cpu_ms + self.service_cpu_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """What both cost while nobody calls: it is in every round too, the more the slower the calls come."""

    asterisk_ms_per_s: float
    service_ms_per_s: float


@dataclass(frozen=True, slots=True)
class _Cpu:
    asterisk_s: float
    service_s: float

    @classmethod
    def now(cls, stage: Stage) -> "_Cpu":
        return cls(processes.cpu_s(stage.asterisk_pid), processes.cpu_s(stage.service_pid))


def plan_for(load: Load, way: Way, *, press_after_s: float) -> callers.Plan:
    """Return what the callers do: stay until all have been asked, then talk to the agent for a moment."""
    waits_s = math.ceil(load.calls / load.per_second + _SLACK_S)
    return callers.Plan(
        number=f"{way.prefix}{waits_s:03d}",
        calls=load.calls,
        per_second=load.per_second,
        press_after_s=press_after_s,
        stay_s=waits_s + _TALK_S,
    )


async def measure_idle(stage: Stage) -> Idle:
    """Measure ten seconds without a call."""
    before = _Cpu.now(stage)
    await asyncio.sleep(_IDLE_S)
    after = _Cpu.now(stage)
    return Idle(
        asterisk_ms_per_s=(after.asterisk_s - before.asterisk_s) / _IDLE_S * 1000,
        service_ms_per_s=(after.service_s - before.service_s) / _IDLE_S * 1000,
    )


async def run_round(stage: Stage, way: Way, load: Load) -> Round:
    """Measure one way at one load."""
    plan = plan_for(load, way, press_after_s=stage.press_after_s)
    await asyncio.to_thread(way.clear)
    secret, port = stage.ami_secret, stage.settings.ami_port
    with processes.FsyncProbe(stage.settings.data) as probe:
        async with listening("127.0.0.1", port, AMI_USER, secret) as moments:
            before = _Cpu.now(stage)
            pbx = ("127.0.0.1", stage.settings.sip_port)
            async with callers.calling(plan, pbx=pbx) as calling:
                # At most as long as every call certainly waits.
                longest_s = load.calls / load.per_second + plan.press_after_s + _SLACK_S - 1
                await moments.all_started(load.calls, within_s=longest_s)
                asked = _Cpu.now(stage)
                outcome = await calling.finished(within_s=plan.lasts_s + 60)
            complete = await asyncio.to_thread(way.complete_recordings)
            after = _Cpu.now(stage)
    asterisk, service = processes.memory(stage.asterisk_pid), processes.memory(stage.service_pid)
    per_call = 1000 / load.calls
    return Round(
        way=way.name,
        load=load.name,
        calls=load.calls,
        lost=load.calls - outcome.successful,
        not_started=load.calls - len(moments.recording_started_at),
        missing=load.calls - complete,
        asterisk_cpu_ms=(asked.asterisk_s - before.asterisk_s) * per_call,
        service_cpu_ms=(asked.service_s - before.service_s) * per_call,
        asterisk_after_cpu_ms=(after.asterisk_s - asked.asterisk_s) * per_call,
        service_after_cpu_ms=(after.service_s - asked.service_s) * per_call,
        digit_to_recording_p50_ms=moments.latency_ms(50),
        digit_to_recording_p99_ms=moments.latency_ms(99),
        fsync_p50_ms=probe.percentile_ms(50),
        fsync_p99_ms=probe.percentile_ms(99),
        asterisk_pss_kib=asterisk.pss_kib,
        service_pss_kib=service.pss_kib,
        service_rss_kib=service.rss_kib,
    )
