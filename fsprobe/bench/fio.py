"""The data workloads by fio, where it is installed.

Owns its command line and reading its answer; knows nothing of targets. Its output goes to a file, never to a pipe.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Any

LONGEST = 120.0
_RW = {("seq", "read"): "read", ("seq", "write"): "write", ("rand", "read"): "randread", ("rand", "write"): "randwrite"}


@dataclass(frozen=True, slots=True)
class Job:
    """mode: read, write or write+fsync. order: seq or rand. size: of a block. total: of the file. share: to be done at
    each of so many opens.
    """

    mode: str
    order: str
    size: int
    total: int
    share: int
    loops: int = 1


def version() -> str:
    """`fio-3.33`, "" where it is not installed or does not run."""
    program = shutil.which("fio")
    if program is None:
        return ""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def run(path: str, job: Job, seed: int) -> float:
    """MB/s (10^6 bytes) on a file that is there. Raises OSError with fio's own errno."""
    mode, _, sync = job.mode.partition("+")
    command = [
        "fio", "--name=work", "--filename=" + path.replace(":", "\\:"),
        f"--rw={_RW[job.order, mode]}", f"--bs={job.size}",
        f"--size={job.total}", f"--io_size={job.share}", "--ioengine=psync", "--invalidate=0", "--thread",
        f"--randseed={seed}", "--fallocate=none", "--allow_file_create=0", "--output-format=json", "--eta=never",
        f"--fsync={1 if sync else 0}", f"--loops={job.loops}",
    ]  # fmt: skip
    with tempfile.TemporaryFile("w+") as out:
        try:
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL, timeout=LONGEST,
                           check=False, cwd="/")  # fmt: skip
        except subprocess.TimeoutExpired:
            raise OSError(110, f"fio did not end within {LONGEST:g} s") from None
        out.seek(0)
        return rate(out.read(), mode)


def rate(text: str, mode: str) -> float:
    """MB/s of its answer. Raises OSError."""
    try:
        job: dict[str, Any] = json.loads(text[text.index("{") :])["jobs"][0]
        number, side = int(job["error"]), job[mode]
        # Its own runtime is whole milliseconds, too coarse for little work: the sum of its calls is not.
        spent: float = sum(part["lat_ns"]["mean"] * part["total_ios"] for part in (side, job["sync"])) / 1e9
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise OSError(5, f"fio gave no result: {text.strip()[-200:]}") from error
    if number:
        raise OSError(number, f"{os.strerror(number)} (fio)")
    if not spent:
        raise OSError(5, "fio measured nothing")
    done: int = side["io_bytes"]
    return done / spent / 1e6
