"""``python -m bench``: the benchmark, with its tables and its JSON in ``bench/results/``."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from bench import keeping, ledger, report, restore, ways
from bench.ami_events import AmiListenerError
from bench.callers import CallersError
from bench.hold import Held, run_hold
from bench.rounds import Load, Round, measure_idle, run_round
from bench.stage import Stage, install_classic_agi, stage
from tests.pbx.settings import CannotSetUpError

LOADS = (
    Load(name="10/s", calls=200, per_second=10),
    Load(name="40/s", calls=400, per_second=40),
    Load(name="burst of 100", calls=100, per_second=100),
)
RESULTS = Path(__file__).parent / "results"


@click.command()
@click.option("--rounds", default=5, show_default=True, help="How often each way is measured, alternating.")
@click.option("--load", "wanted", multiple=True, type=click.Choice([load.name for load in LOADS]))
@click.option("--agi/--no-agi", default=True, help="Also a classic AGI script, once.")
@click.option(
    "--hold-s", default=600.0, show_default=True, help="How long many calls are held; 0: not at all."
)
@click.option("--at-once", default=300, show_default=True, help="How many calls are held at once.")
@click.option("--call-s", default=30.0, show_default=True, help="Length of each of them.")
@click.option(
    "--ledger/--no-ledger",
    "with_ledger",
    default=True,
    help="Also the ledger and what is kept, by themselves.",
)
def main(
    rounds: int,
    wanted: tuple[str, ...],
    hold_s: float,
    at_once: int,
    call_s: float,
    *,
    agi: bool,
    with_ledger: bool,
) -> None:
    """Measure the ways of asking side by side on the development PBX."""
    console = Console()
    loads = [load for load in LOADS if not wanted or load.name in wanted]
    try:
        with stage(console.print) as made:
            idle = asyncio.run(measure_idle(made))
            measured = asyncio.run(_measure(made, rounds, loads, console))
            if agi and install_classic_agi(made, console.print):
                measured += asyncio.run(_each(made, [ways.classic_agi(made)], loads, console))
            held: Held | None = None
            if hold_s:
                console.print(f"holding {at_once} calls at once for {hold_s:g} s …")
                way = ways.asterisk_consent(made)
                held = asyncio.run(run_hold(made, way, at_once=at_once, call_s=call_s, held_s=hold_s))
            version = made.pbx.asterisk.console("core show version").partition(" built")[0]
    except (CannotSetUpError, CallersError, AmiListenerError) as problem:
        raise click.ClickException(str(problem)) from problem
    report.print_report(measured, idle, held, console)
    path = report.write_report(RESULTS, measured, idle, held, report.describe_machine(version))
    console.print(f"written to {path}")
    if with_ledger:
        ledger.main(args=[], standalone_mode=False)
        keeping.main(args=[], standalone_mode=False)
        restore.main(args=[], standalone_mode=False)


async def _measure(made: Stage, rounds: int, loads: Sequence[Load], console: Console) -> list[Round]:
    compared = [ways.dialplan_alone(made), ways.asterisk_consent(made)]
    measured: list[Round] = []
    for number in range(rounds):
        console.print(f"round {number + 1} of {rounds}")
        # Whoever comes first changes, so that neither always meets the warmer machine.
        order = compared if number % 2 == 0 else compared[::-1]
        measured += await _each(made, order, loads, console)
    return measured


async def _each(
    made: Stage, order: Sequence[ways.Way], loads: Sequence[Load], console: Console
) -> list[Round]:
    measured = []
    for load in loads:
        for way in order:
            one = await run_round(made, way, load)
            measured.append(one)
            console.print(_line_of(one), soft_wrap=True)
    return measured


def _line_of(one: Round) -> str:
    return (
        f"  {one.load:>12} {one.way:<16} {one.asterisk_cpu_ms:6.2f} + {one.service_cpu_ms:5.2f} ms,"
        f" digit to recording p99 {one.digit_to_recording_p99_ms:6.1f} ms (fsync {one.fsync_p99_ms:.1f}),"
        f" lost {one.lost}, missing {one.missing}"
    )


if __name__ == "__main__":
    sys.exit(main())
