"""The data workloads by fio, where it is installed.

Owns its command line and reading its answer; knows nothing of targets. Its output goes to a file, never to a pipe.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from typing import Any

_LONGEST = 120.0
_RW = {("seq", "read"): "read", ("seq", "write"): "write", ("rand", "read"): "randread", ("rand", "write"): "randwrite"}


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


def run(place: str, args: dict[str, Any], seed: int) -> float:
    """MB/s (10^6 bytes). Raises OSError with fio's own errno."""
    mode = args["mode"].partition("+")[0]
    sync = args["mode"].endswith("fsync")
    total = min(args["total"], 32 * args["size"]) if sync else args["total"]
    command = [
        "fio", "--name=work", f"--directory={place}", f"--rw={_RW[args['order'], mode]}", f"--bs={args['size']}",
        f"--size={total}", "--ioengine=psync", "--invalidate=0", "--thread", f"--randseed={seed}", "--fallocate=none",
        "--output-format=json", f"--fsync={1 if sync else 0}", "--eta=never",
    ]  # fmt: skip
    with tempfile.TemporaryFile("w+") as out:
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL, timeout=_LONGEST,
                       check=False, cwd="/")  # fmt: skip
        out.seek(0)
        text = out.read()
    try:
        job = json.loads(text[text.index("{") :])["jobs"][0]
    except (ValueError, KeyError, IndexError) as error:
        raise OSError(5, f"fio gave no result: {text.strip()[-200:]}") from error
    if job["error"]:
        raise OSError(job["error"], f"fio ended with error {job['error']}")
    side = job[mode]
    # Its own runtime is whole milliseconds, too coarse for little work: the sum of its calls is not.
    seconds = float(sum(part["lat_ns"]["mean"] * part["total_ios"] for part in (side, job["sync"]))) / 1e9
    if not seconds:
        raise OSError(5, "fio's clock is too coarse for so little work")
    return float(side["io_bytes"]) / seconds / 1e6
