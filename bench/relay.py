#!/usr/bin/env python3
"""What it costs to stand between the kernel and a daemon: the same work untraced, relayed, and under strace.

    python bench/relay.py [--rounds N] [--daemon COMMAND] [--json FILE]

Owns the variants, taken in turns (A B C D, A B C D, …) so that a busy moment of the machine hits all of them;
knows nothing of how the relay works. Medians over the rounds; ratios against untraced and unpinned, and against
untraced with the caller and the daemon pinned to one processor.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

BENCH = Path(__file__).resolve().parent
CLONE = BENCH.parent
sys.path[:0] = [str(CLONE), str(BENCH)]

import workload  # noqa: E402

Timings = dict[str, float]
GROUPS: dict[str, tuple[str, ...]] = {
    "metadata": workload.METADATA, "4 KiB writes": ("write 4 KiB",), "bulk data": workload.BULK,
}
"""Kinds of call whose ratios are taken together."""

# In namespaces of its own, on a tmpfs of its own: start the daemon, wait for the mount, do the work. When the
# first process ends, the kernel takes the daemon and the mount with it.
INSIDE = """
set -eu
work=$1 python=$2 workload=$3; shift 3
mount -t tmpfs tmpfs "$work"
mkdir "$work/mnt" "$work/src"
"$@" >"$work/daemon.log" 2>&1 &
export DAEMON=$!
i=0
until grep -q " $work/mnt fuse" /proc/mounts; do
  i=$((i + 1))
  [ $i -lt 200 ] || { cat "$work/daemon.log" >&2; echo 'the daemon did not mount' >&2; exit 1; }
  sleep 0.02
done
"$python" "$workload" "$work/mnt"
"""


def bare(
    daemon: str, work: Path, *, pinned: bool = False, prefix: tuple[str, ...] = (),
    program: Path = BENCH / "workload.py",
) -> Timings:  # fmt: skip
    """The work on the daemon alone, or on one started under a tracer given as prefix."""
    words = daemon.replace("{mountpoint}", f"{work}/mnt").replace("{source}", f"{work}/src")
    namespaces = ["unshare", *([] if os.getuid() == 0 else ["--user", "--map-root-user"])]
    namespaces += ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    inside = ["sh", "-c", INSIDE, "sh", str(work), sys.executable, str(program)]
    argv = [*namespaces, *inside, *prefix, *shlex.split(words)]
    free = os.sched_getaffinity(0)
    if pinned:
        os.sched_setaffinity(0, {min(free)})  # everything started from here on inherits it
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    finally:
        os.sched_setaffinity(0, free)
    if done.returncode:
        raise SystemExit(f"{daemon}: {done.stderr.strip() or done.stdout.strip()}")
    timings: Timings = json.loads(done.stdout)
    return timings


def relayed(daemon: str, *, pinned: bool) -> Timings:
    """The work through fsprobe's relay, in its own sandbox, as `fsprobe run` has it."""
    from fsprobe.relay.client import Sandbox

    sandbox = Sandbox.open([str(CLONE)])
    try:
        places = sandbox.call("place")
        argv = shlex.split(daemon.replace("{mountpoint}", places["mnt"]).replace("{source}", places["source"]))
        argv[0] = shutil.which(argv[0]) or argv[0]
        sandbox.call("start", argv=argv, env=dict(os.environ), cwd=sandbox.path, mode="mount", layer="mount", rules=[])
        _await_ready(sandbox.next_event)
        if pinned:  # the worker inherits it
            sandbox.call("affinity", cpus=[min(os.sched_getaffinity(0))])
        channel, _ = sandbox.worker("workload:serve", {"layer": "mount", "root": places["mnt"]})
        answer, _ = channel.receive(60)
        timings: Timings = answer["seconds"]
        return timings
    except TimeoutError:
        raise SystemExit(f"the work hangs through the relay: {sandbox.call('status')}") from None
    finally:
        sandbox.close()


def _await_ready(next_event: Callable[[float], dict[str, object] | None]) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        event = next_event(0.5)
        if event is not None and event["event"] == "ready":
            return
        if event is not None and event["event"] in ("exit", "init-failed", "daemon-gone"):
            raise SystemExit(f"the daemon did not start through the relay: {event}")
    raise SystemExit("the daemon did not answer INIT through the relay within 10 s")


def variants(daemon: str, work: Path) -> dict[str, Callable[[], Timings]]:
    """What is measured, by name, in the order of the columns."""
    table: dict[str, Callable[[], Timings]] = {
        "untraced": lambda: bare(daemon, work),
        "untraced, pinned": lambda: bare(daemon, work, pinned=True),
        "relay": lambda: relayed(daemon, pinned=False),
        "relay, pinned": lambda: relayed(daemon, pinned=True),
    }
    if shutil.which("strace"):
        table["strace -f"] = lambda: bare(daemon, work, prefix=("strace", "-f", "-o", f"{work}/strace.log"))
    return table


def default_daemon(build: Path) -> str:
    """libfuse 3's passthrough_fh where it can be built, as it caches no attributes, else bindfs."""
    from tests.targets import Missing, command_of

    (build / "bin").mkdir(parents=True)
    for name in ("passthrough_fh", "bindfs"):
        try:
            return command_of(name, build)
        except Missing as missing:
            print(f"{name}: {missing}", file=sys.stderr)
    raise SystemExit("no daemon to measure with: give one by --daemon")


def median(rounds: list[Timings]) -> Timings:
    return {kind: statistics.median(timings[kind] for timings in rounds) for kind in workload.KINDS}


def ratio(timings: Timings, base: Timings, kinds: tuple[str, ...]) -> float:
    """How many times as long, over some kinds: the geometric mean of their ratios."""
    return statistics.geometric_mean(timings[kind] / base[kind] for kind in kinds)


def table(medians: dict[str, Timings]) -> str:
    """The medians in microseconds per call, then the ratios."""
    width = max(len(kind) for kind in workload.KINDS) + 2
    lines = [" " * width + "".join(f"{name:>18}" for name in medians)]
    for kind in workload.KINDS:
        lines.append(f"{kind:<{width}}" + "".join(f"{t[kind] * 1e6:>15.1f} us" for t in medians.values()))
    for base in ("untraced", "untraced, pinned"):
        lines.append(f"\ntimes as long as {base}")
        for label, kinds in GROUPS.items():
            ratios = (ratio(timings, medians[base], kinds) for timings in medians.values())
            lines.append(f"{label:<{width}}" + "".join(f"{value:>18.2f}" for value in ratios))
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="how often each variant is measured")
    parser.add_argument("--daemon", help="a command with {mountpoint} and {source}")
    parser.add_argument("--json", metavar="FILE", help="write every timing there, - for standard output")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = f"{CLONE}:{BENCH}"  # the sandbox's worker imports `workload`
    rounds: dict[str, list[Timings]] = {}
    with tempfile.TemporaryDirectory(prefix="bench-fsprobe-") as place:
        daemon = options.daemon or default_daemon(Path(place) / "build")
        work = Path(place) / "work"
        work.mkdir()
        for _ in range(options.rounds):
            for name, run in variants(daemon, work).items():
                rounds.setdefault(name, []).append(run())
    medians = {name: median(timings) for name, timings in rounds.items()}
    print(f"{daemon}\nLinux {platform.release()}, {os.cpu_count()} processors, medians of {options.rounds} rounds\n")
    print(table(medians))
    if options.json:
        document = {"daemon": daemon, "kernel": platform.release(), "rounds": rounds, "medians": medians}
        text = json.dumps(document, indent=1) + "\n"
        sys.stdout.write(text) if options.json == "-" else Path(options.json).write_text(text)


if __name__ == "__main__":
    main()
