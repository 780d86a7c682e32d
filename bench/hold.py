"""Many calls at once, held for minutes: whether all are asked, recorded and kept, and whether memory stays.

Rule: as many calls begin as end, so that the number of calls at once stays; each one is asked, talks to the
agent for the rest of its time, and its recording has to be there in the end.
"""

import asyncio
from dataclasses import dataclass

import numpy as np

from bench import callers, processes
from bench.ami_events import listening
from bench.stage import AMI_USER, Stage
from bench.ways import Way

_SAMPLE_EVERY_S = 5.0
_SETTLES_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What was measured. CPU is in cores, while the full number of calls was there."""

    calls_at_once: int
    call_s: float
    held_s: float
    calls: int
    lost: int
    not_started: int
    missing: int
    asterisk_cores: float
    service_cores: float
    digit_to_recording_p50_ms: float
    digit_to_recording_p99_ms: float
    fsync_p99_ms: float
    service_pss_first_kib: int
    service_pss_last_kib: int
    asterisk_pss_last_kib: int


@dataclass(frozen=True, slots=True)
class _Sample:
    asterisk_cpu_s: float
    service_cpu_s: float
    service_pss_kib: int


async def run_hold(stage: Stage, way: Way, *, at_once: int, call_s: float, held_s: float) -> Held:
    """Hold that many calls at once for that long."""
    rate = at_once / call_s
    plan = callers.Plan(
        number=f"{way.prefix}000",
        calls=round((held_s + call_s) * rate),
        per_second=rate,
        press_after_s=stage.press_after_s,
        stay_s=call_s - stage.press_after_s,
    )
    await asyncio.to_thread(way.clear)
    pbx = ("127.0.0.1", stage.settings.sip_port)
    with processes.FsyncProbe(stage.settings.data) as probe:
        async with listening("127.0.0.1", stage.settings.ami_port, AMI_USER, stage.ami_secret) as moments:
            async with callers.calling(plan, pbx=pbx) as calling:
                await asyncio.sleep(call_s)  # until the first calls end, and the number stays
                samples = await _sampled(stage, held_s)
                outcome = await calling.finished(within_s=plan.lasts_s + 60)
            complete = await asyncio.to_thread(way.complete_recordings)
    first, last = samples[0], samples[-1]
    spent_s = _SAMPLE_EVERY_S * (len(samples) - 1)
    return Held(
        calls_at_once=at_once,
        call_s=call_s,
        held_s=held_s,
        calls=plan.calls,
        lost=outcome.lost,
        not_started=plan.calls - len(moments.recording_started_at),
        missing=plan.calls - complete,
        asterisk_cores=(last.asterisk_cpu_s - first.asterisk_cpu_s) / spent_s,
        service_cores=(last.service_cpu_s - first.service_cpu_s) / spent_s,
        digit_to_recording_p50_ms=moments.latency_ms(50),
        digit_to_recording_p99_ms=moments.latency_ms(99),
        fsync_p99_ms=probe.percentile_ms(99),
        service_pss_first_kib=int(np.median([sample.service_pss_kib for sample in samples[:6]])),
        service_pss_last_kib=int(np.median([sample.service_pss_kib for sample in samples[-6:]])),
        asterisk_pss_last_kib=processes.memory(stage.asterisk_pid).pss_kib,
    )


async def _sampled(stage: Stage, held_s: float) -> list[_Sample]:
    samples = []
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    for number in range(int(held_s / _SAMPLE_EVERY_S) + 1):
        await asyncio.sleep(max(0.0, began_at + number * _SAMPLE_EVERY_S - loop.time()))
        samples.append(
            _Sample(
                processes.cpu_s(stage.asterisk_pid),
                processes.cpu_s(stage.service_pid),
                processes.memory(stage.service_pid).pss_kib,
            )
        )
    return samples
