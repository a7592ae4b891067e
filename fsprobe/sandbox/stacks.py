"""Where the threads of a stuck process are in its own code: by py-spy, eu-stack or gdb, each for a bounded time.

Owns the tools and the reading of what they print; draws no conclusions. It is run as a process of its own, since a
debugger may be slow. A thread in D is never attached to (the debugger would be stuck as well), and a process that was
running before is never left stopped.
"""

from __future__ import annotations

import json
import mmap
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

from fsprobe.sandbox import callers, evidence

TOOL_TIME, TOTAL_TIME = 2.0, 4.0
FRAMES = 24
MOST = 4  # processes
_INTERPRETER = re.compile(r"/(?:lib)?python3?[\d.]*(?:\.so[\d.]*)?$")
_GO_MARK = b"\xff Go buildinf:"
_EU_THREAD = re.compile(r"^TID (\d+):")
# eu-stack: `#1  0x00007f.. - 1 work`, and below it its place.
_EU_FRAME = re.compile(r"^#\d+\s+0x[0-9a-f]+(?:\s+-\s+\d+)?\s*(.*)$")
_EU_PLACE = re.compile(r"^\s+(\S+?:\d+)(?::\d+)?$")
# gdb: `#1 0x00.. in work (x=1) at a.c:12`.
_GDB_THREAD = re.compile(r"^Thread \d+ .*?\bLWP (\d+)|^Thread \d+ \(process (\d+)\)")
_GDB_FRAME = re.compile(r"^#\d+\s+(?:0x[0-9a-f]+ in )?(\S+) .*?(?: at (\S+:\d+))?(?: from \S+)?$")


def main() -> None:
    """`python -m fsprobe.sandbox.stacks PID…`: what `collect` finds, as JSON on standard output."""
    print(json.dumps(collect([int(word) for word in sys.argv[1:]])), flush=True)


def collect(pids: Sequence[int], total: float = TOTAL_TIME) -> list[dict[str, Any]]:
    """For each process {"pid", "language", "tool", "note", "threads": [{"tid", "name", "frames": [text]}]}.

    A frame reads `function (file:line)`, the innermost first. note: why there is no stack, "" where there is one.
    """
    deadline = time.monotonic() + total
    found = []
    for pid in pids[:MOST]:
        left = deadline - time.monotonic()
        found.append(_one(pid, min(TOOL_TIME, left)) if left > 0.2 else _none(pid, "", "no time was left for it"))
    return found


def language(pid: int) -> str:
    """`python`, `go` or `native`: what a process is written in, as far as its maps and its program tell."""
    if any(_INTERPRETER.search(path) for path in evidence.maps(pid)):
        return "python"
    try:
        with open(f"/proc/{pid}/exe", "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            return "go" if view.find(_GO_MARK) >= 0 else "native"
    except (OSError, ValueError):
        return "native"


def _none(pid: int, kind: str, note: str) -> dict[str, Any]:
    return {"pid": pid, "language": kind, "tool": "", "note": note, "threads": []}


def _one(pid: int, patience: float) -> dict[str, Any]:
    kind = language(pid)
    threads = evidence.threads(pid)
    states = {thread.state for thread in threads}
    if not states:
        return _none(pid, kind, "it has ended")
    if kind == "python":
        return _python(pid, patience)
    if kind == "go":
        return _none(pid, kind, "its goroutines are told at its end, by SIGQUIT")
    if states & {"D", "T", "t"}:
        return _none(pid, kind, "a thread is in D or stopped: a debugger would get stuck or change that")
    if any(thread.wchan.startswith(callers.WAITS) for thread in threads):  # its stop would put it into D (fuse/dev.c)
        return _none(pid, kind, "a thread waits for a FUSE mount: a debugger would get stuck with it")
    return _native(pid, patience)


def _python(pid: int, patience: float) -> dict[str, Any]:
    """By py-spy without stopping the process: what is stuck does not change while it is read."""
    tool = _tool("py-spy")
    if not tool:
        return _none(pid, "python", "py-spy is not installed: pip install py-spy")
    text, trouble = _run([tool, "dump", "--json", "--nonblocking", "--pid", str(pid)], patience)
    try:
        told = json.loads(text)
    except ValueError:
        return _none(pid, "python", f"py-spy: {trouble or 'nothing that can be read'}")
    threads = [
        {"tid": one.get("os_thread_id") or 0, "name": one.get("thread_name") or "",
         "frames": [f"{f['name']} ({f['filename']}:{f['line']})" for f in one.get("frames", [])[:FRAMES]]}
        for one in told
    ]  # fmt: skip
    return {"pid": pid, "language": "python", "tool": "py-spy", "note": "", "threads": threads}


def _native(pid: int, patience: float) -> dict[str, Any]:
    for name, arguments, read in (
        ("eu-stack", ["-s", "-n", str(FRAMES), "-p", str(pid)], read_eu_stack),
        ("gdb", ["-nx", "-batch", "-ex", "set pagination off", "-ex", f"thread apply all bt {FRAMES}", "-p", str(pid)],
         read_gdb),
    ):  # fmt: skip
        tool = _tool(name)
        if not tool:
            continue
        try:
            text, trouble = _run([tool, *arguments], patience)
        finally:
            _let_go(pid)
        threads = read(text.splitlines())
        if threads:
            return {"pid": pid, "language": "native", "tool": name, "note": "", "threads": threads}
        return _none(pid, "native", f"{name}: {trouble or 'nothing that can be read'}")
    return _none(pid, "native", "neither eu-stack (elfutils) nor gdb is installed")


def _tool(name: str) -> str:
    """Beside this Python, as pip puts it into a venv, or on the path."""
    beside = os.path.join(os.path.dirname(sys.executable), name)
    return beside if os.access(beside, os.X_OK) else shutil.which(name) or ""


def _run(command: list[str], patience: float) -> tuple[str, str]:
    """Its output, and the last line of what it complained of or why there is none. It never outlives its time."""
    environment = {**os.environ, "DEBUGINFOD_URLS": ""}  # no network, and no waiting for it
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=patience, stdin=subprocess.DEVNULL, env=environment, check=False
        )
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode("utf-8", "backslashreplace"), f"not done within {patience:.1f} s"
    except OSError as error:
        return "", str(error.strerror)
    complaint = done.stderr.decode("utf-8", "backslashreplace").strip().splitlines()
    return done.stdout.decode("utf-8", "backslashreplace"), complaint[-1] if complaint else ""


def _let_go(pid: int) -> None:
    """A debugger that was killed while it attached leaves the SIGSTOP of PTRACE_ATTACH behind."""
    if any(thread.state == "T" for thread in evidence.threads(pid)):
        try:
            os.kill(pid, signal.SIGCONT)
        except OSError:
            pass


def read_eu_stack(lines: Iterable[str]) -> list[dict[str, Any]]:
    """The threads in what `eu-stack -s` prints."""
    threads: list[dict[str, Any]] = []
    for line in lines:
        if thread := _EU_THREAD.match(line):
            threads.append({"tid": int(thread[1]), "name": "", "frames": []})
        elif threads and (place := _EU_PLACE.match(line)):
            frames = threads[-1]["frames"]
            if frames and not frames[-1].endswith(")"):
                frames[-1] += f" ({place[1]})"
        elif threads and (frame := _EU_FRAME.match(line)):
            threads[-1]["frames"].append(frame[1].strip() or "?")
    return [one for one in threads if one["frames"]]


def read_gdb(lines: Iterable[str]) -> list[dict[str, Any]]:
    """The threads in what gdb prints for `thread apply all bt`."""
    threads: list[dict[str, Any]] = []
    for line in lines:
        if thread := _GDB_THREAD.match(line):
            threads.append({"tid": int(thread[1] or thread[2]), "name": "", "frames": []})
        elif threads and (frame := _GDB_FRAME.match(line)):
            threads[-1]["frames"].append(frame[1] + (f" ({frame[2]})" if frame[2] else ""))
    return [one for one in threads if one["frames"]]
