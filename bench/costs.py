"""The work of `workload`, timed twice: by the clock, and by the processor time that the daemon took for it.

Owns the second clock; knows nothing of the work. Run as `costs.py DIRECTORY` with the daemon's pid in DAEMON, it prints
one JSON object: seconds per call by kind, the daemon's own under the kind's name and DAEMON_S.
"""

from __future__ import annotations

import json
import os
import sys
import time

import workload

DAEMON_S = ", daemon's"


def processor_clock(pid: int) -> int:
    """The clock of what a process has run (clock_getcpuclockid(3): the complement of the pid, and a kind)."""
    return (~pid << 3) | 2


if __name__ == "__main__":
    clock = processor_clock(int(os.environ["DAEMON"]))
    seconds = workload.measure(sys.argv[1])
    own = workload.measure(sys.argv[1], lambda: time.clock_gettime(clock))
    json.dump({**seconds, **{kind + DAEMON_S: own[kind] for kind in workload.KINDS}}, sys.stdout)
