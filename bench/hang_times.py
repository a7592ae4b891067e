#!/usr/bin/env python3
"""How long it takes from a request that hangs to the verdict, what the verdict is, and how long the whole run is.

    python bench/hang_times.py [--narrow] [NAME…]      all of tests/hanging.py where none is given: 15 minutes

Owns the screen. Each daemon is given to `fsprobe run` with nothing else said; --narrow asks only what meets the hang,
which takes 3 minutes. `hang` is the longest time from when the relay read the request to when the cause was proven, or
was given up to guess (10 s by default). The last column says what is not as the table wants it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

CLONE = Path(__file__).parent.parent
sys.path.insert(0, str(CLONE))
if TYPE_CHECKING:
    from tests.hanging import Hanging

LONGEST = 30.0
_MOST = 300


def main() -> int:
    from tests.hanging import TABLE, Missing

    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    narrow = "--narrow" in sys.argv[1:]
    wrong = 0
    print(f"{'daemon':24} {'operation':10} {'cause':20} {'known':8} {'hang':>8} {'run':>6}  wrong")
    with tempfile.TemporaryDirectory() as folder:
        for one in TABLE:
            if words and not any(word in one.name for word in words):
                continue
            try:
                told = line(one, Path(folder), narrow)
            except Missing as missing:
                told = f"{one.name:24} not built: {missing}"
            wrong += told.rstrip().endswith("!")
            print(told, flush=True)
    return 1 if wrong else 0


def line(one: Hanging, folder: Path, narrow: bool) -> str:
    """Run one and tell it in one line."""
    from tests.hanging import command

    result = folder / "result.json"
    result.unlink(missing_ok=True)
    words = [sys.executable, "-m", "fsprobe", "run", command(one.target, folder), "--json", str(result)]
    began = time.monotonic()
    try:
        done = subprocess.run([*words, *(one.narrow if narrow else ())], capture_output=True, cwd=CLONE, check=False,
                              timeout=_MOST)  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"{one.name:24} no end within {_MOST} s!"
    seconds = time.monotonic() - began
    document = json.loads(result.read_text())
    first = document["diagnoses"][0] if document["diagnoses"] else {"op": "-", "cause": "-", "confidence": "-"}
    met = [told["seconds"] for told in document.get("incidents", []) if "seconds" in told]
    hang = f"{max(met):.2f} s" if met else "at once"
    wrong = ", ".join(faults(one, document, first, done.returncode, seconds))
    known = {"likely": "timed out"}.get(first["confidence"], first["confidence"])
    return (f"{one.name:24} {first['op']:10} {first['cause']:20} {known:9} {hang:>7} {seconds:4.0f} s"
            f"  {wrong + '!' if wrong else ''}").rstrip()  # fmt: skip


def faults(
    one: Hanging, document: dict[str, Any], first: dict[str, Any], status: int, seconds: float
) -> list[str]:  # fmt: skip
    """What is not as it should be."""
    proven = "proven" if one.proven else "likely"
    leaked = [item for items in document["processes"]["leaked"].values() for item in items]
    return [
        text for text, wrong in (
            (f"exit status {status}", status != one.exit_code), (f"over {LONGEST:g} s", seconds > LONGEST),
            (f"cause is {one.cause}", first["cause"] != one.cause), (f"{proven}", first["confidence"] != proven),
            (f"operation is {one.ops[0]}", first["op"] not in one.ops), (f"left {leaked}", bool(leaked)),
        ) if wrong
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
