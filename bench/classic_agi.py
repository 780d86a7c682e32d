#!/usr/bin/env python3
"""What a consent question usually looks like: one Python process a call, a row in SQLite, then the recording.

Runs inside Asterisk's root, with nothing but the standard library. Arguments: the directory of the prompts, the
directory of the recordings and the database. Source: Asterisk documentation, AGI Commands.
"""

import re
import sqlite3
import sys
import time


def ask(command: str) -> str:
    """Send one command and return its result, empty when Asterisk has none."""
    print(command, flush=True)
    found = re.match(r"200 result=(\S*)", sys.stdin.readline())
    return found.group(1) if found else ""


def main(prompts: str, recordings: str) -> None:
    """Ask one caller."""
    header = dict(line.rstrip("\n").split(": ", 1) for line in iter(sys.stdin.readline, "\n"))
    call = header["agi_uniqueid"]
    ask(f'STREAM FILE {prompts}/information ""')
    # The digit may interrupt the question, as Read() lets it.
    pressed = ask(f"STREAM FILE {prompts}/question 1")
    digit = chr(int(pressed)) if pressed not in ("", "0", "-1") else chr(int(ask("WAIT FOR DIGIT 5000") or 0))
    with sqlite3.connect(f"{recordings}/classic.sqlite", timeout=30) as database:
        database.execute("CREATE TABLE IF NOT EXISTS consent (call TEXT, caller TEXT, digit TEXT, at REAL)")
        row = (call, header["agi_callerid"], digit, time.time())
        database.execute("INSERT INTO consent VALUES (?, ?, ?, ?)", row)
    if digit == "1":
        sides = f"r({recordings}/{call}-caller.wav)t({recordings}/{call}-agent.wav)"
        ask(f'EXEC MixMonitor ",b {sides}i(BENCH_MIXMONITOR)"')


if __name__ == "__main__":
    main(*sys.argv[1:3])
