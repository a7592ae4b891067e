"""The keeper of the directory on the kernel's own file system: makes it, and removes it whatever becomes of fsprobe.

Owns one process in a session of its own, which touches that file system in the session's place; knows nothing of what
is done there. It hears lines (`source NAME`, `remove NAME`, `token TOKEN`) and answers each with a line.
"""

from __future__ import annotations

import os
import shutil
import sys
import time

from fsprobe.sandbox import process

_PATIENCE = 15.0  # seconds for daemons that still serve from there to be gone
_TRIES = 20


def main() -> None:
    """`python -m fsprobe.bench.keeper DIRECTORY`."""
    place = sys.argv[1]
    tokens: list[str] = []
    try:
        os.mkdir(place, 0o700)
    except OSError as error:
        print(f"failed {error.strerror}", flush=True)
        return
    print("ready", flush=True)
    try:
        for line in sys.stdin:
            told, _, name = line.rstrip("\n").partition(" ")
            print(_do(place, told, name, tokens), flush=True)
    except BrokenPipeError:
        pass
    _wait(tokens)
    _remove(place)


def _do(place: str, told: str, name: str, tokens: list[str]) -> str:
    if told == "token":
        tokens.append(name)
    elif told == "source":
        try:
            os.mkdir(f"{place}/{name}", 0o755)
        except OSError as error:
            return f"failed {error.strerror}"
    elif told == "remove":
        for entry in os.listdir(place):
            if entry == name or entry.startswith(f"{name}."):  # a target may have made a second one beside it
                _remove(f"{place}/{entry}")
    return "done"


def _wait(tokens: list[str]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while tokens and time.monotonic() < deadline:
        tokens = [token for token in tokens if process.tagged(token)]
        time.sleep(0.05 if tokens else 0)


def _remove(path: str) -> None:
    """All of it; somebody may still be at it, so again."""
    for _ in range(_TRIES):
        shutil.rmtree(path, ignore_errors=True)
        if not os.path.lexists(path):
            return
        time.sleep(0.1)


if __name__ == "__main__":
    main()
