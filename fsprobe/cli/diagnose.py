"""`fsprobe diagnose`: what is stuck on a FUSE mount that somebody else started, and why.

Owns the options and the exit code; knows nothing of how it is found. The argument is no click.Path: that would stat it,
and a stat on a stuck mount does not come back.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import rich_click as click

from fsprobe.cli.seconds import Seconds

_LONGEST_START = 0.5  # of the patience at most goes to starting, however long that took


@click.command()
@click.argument("what", metavar="PID|MOUNTPOINT")
@click.option("--abort", is_flag=True, help="If it is stuck, abort this connection: every caller gets an error.")
@click.option("--patience", type=Seconds(min=0.2), default=1.5, metavar="S", show_default=True,
              help="Look at most so long; on a busy machine more shows more.")
@click.option("--json", "json_path", metavar="FILE", help="Write what was found as JSON; - is standard output.")
def diagnose(what: str, abort: bool, patience: float, json_path: str | None) -> int:
    """Say what is stuck in a FUSE daemon that is already running, and why, without touching its mount.

    Takes the daemon's PID, or a MOUNTPOINT (any path on it). Shows the open requests, the daemon's threads and where
    they wait, the processes that wait for it, and the cause as fsprobe run names it: proven, or only likely. Takes less
    than 2 s, whatever hangs. As root it sees everybody's processes, kernel stacks and whether requests are still
    answered; as a user it says what it could not see. Beware of the shell's completion: it touches the mount.

    Exit status: 0 not stuck, 1 stuck (or the daemon is gone), 2 no such process or mount, 6 this user or machine
    cannot tell, or not abort.
    """
    began = _began()
    from fsprobe.report.standing import lines
    from fsprobe.runners.standing import diagnose as look

    records = look(what, began, patience)
    screen = sys.stderr if json_path == "-" else sys.stdout
    for index, record in enumerate(records):
        print("\n" * bool(index) + "\n".join(lines(record)), file=screen)
    screen.flush()
    try:
        for record in records:
            if abort:
                _abort(record, screen)
    finally:
        if json_path is not None:
            _write(records, json_path)
    verdicts = [record["verdict"]["stuck"] for record in records]
    return 1 if True in verdicts else 6 if None in verdicts else 0


def _began() -> float:
    """When this process started (time.monotonic): the person at the terminal has been waiting since."""
    try:
        with open("/proc/self/stat") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])
        ago = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        ago = 0.0
    return time.monotonic() - min(max(ago, 0.0), _LONGEST_START)


def _abort(record: dict[str, Any], screen: Any) -> None:
    from fsprobe.runners.standing import abort

    number = record["connection"]
    if not record["verdict"]["stuck"]:
        print(f"\nconnection {number} is not known to be stuck, so it was not aborted", file=screen)
        return
    abort(record)
    left = record["still_waiting"]
    told = f"; {len(left)} callers still wait: {', '.join(map(str, left))}" if left else ": no caller waits any more"
    print(f"\nconnection {number} was aborted{told}", file=screen)


def _write(records: list[dict[str, Any]], path: str) -> None:
    from fsprobe.report.json_file import put
    from fsprobe.results.plain import plain

    text = json.dumps(plain(records[0] if len(records) == 1 else records), indent=1) + "\n"
    if path == "-":
        sys.stdout.write(text)
        return
    put(text, path)
