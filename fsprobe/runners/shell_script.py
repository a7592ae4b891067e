"""A short shell script that shows a failure on a mount of the target, without fsprobe: the very commands of a check.

Owns the script's text and how it is tried, as `script` does for system calls: what is right is what the commands come
to, twice, in a directory of this machine that is no target.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fsprobe.runners.shell_words import Command

_PATIENCE = 8.0
_MOST, _LONGEST = 60, 64 << 10
_HEAD = """\
#!/bin/bash
{about}
#
# Run it on a mount: bash FILE MOUNTPOINT. Exit status 0: as it should be, 1: the failure is there.
export LC_ALL=C.UTF-8 TZ=UTC
here=$(mktemp -d "$1/reproduce-XXXXXX") && cd "$here" || exit 2
said=$(mktemp)
trap 'cd /; chmod -R u+rwx "$here" 2>/dev/null; rm -rf "$here" "$said"' EXIT
number=0

# step STATUS OUTPUT COMMAND: STATUS (0, or 1 for any failure) and OUTPUT (its lines sorted) are right, - is whatever.
step() {{
    number=$((number + 1))
    eval "$3" >"$said" 2>&1 </dev/null
    status=$?
    told=$(sed "s|$here|HERE|g" "$said" | sort)
    if [ -n "$TRY" ]; then
        echo "$status" >"$TRY/$number.status"; printf %s "$told" >"$TRY/$number.said"
        return
    fi
    if [ "$1" != - ] && [ "$1" != "$((status != 0))" ]; then
        echo "FAIL: $3: exit $status: $told"; exit 1
    fi
    if [ "$2" != - ] && [ "$2" != "$told" ]; then
        echo "FAIL: $3: expected $2, observed $told"; exit 1
    fi
}}

"""


def of_commands(commands: Sequence[Command], place: str, about: Sequence[str], scratch: str) -> str:
    """The script for what was typed; "" where it does not show the failure.

    place: the directory in which it was typed. about: lines for its head. scratch: a directory of a sound file system.
    """
    if not commands or not place or len(commands) > _MOST:
        return ""
    texts = [command.text.replace(place, "$here") for command in commands]
    trial = _script(about, [("-", "-", text) for text in texts])
    right, again = _tried(trial, scratch, len(texts)), _tried(trial, scratch, len(texts))
    if right is None or again is None:
        return ""
    seen = [(int(one.status != 0), _sorted(one.output.replace(place, "HERE"))) for one in commands]
    wrong = [index for index, (one, other) in enumerate(zip(right, seen, strict=True)) if one[0] != other[0]]
    said = [i for i, (one, other) in enumerate(zip(right, seen, strict=True)) if one[1] != other[1] and one == again[i]]
    if not wrong and not said:
        return ""
    steps = []
    for index, text in enumerate(texts):
        status = str(right[index][0]) if right[index][0] == again[index][0] else "-"
        output = right[index][1] if not wrong and index == said[-1] else "-"
        steps.append((status, output, text))
    text = _script(about, steps)
    return text if len(text) <= _LONGEST else ""


def _sorted(output: str) -> str:
    """The lines in the order of sort(1): that of a directory is nobody's promise."""
    return "\n".join(sorted(output.split("\n"))).rstrip("\n")


def _script(about: Sequence[str], steps: Sequence[tuple[str, str, str]]) -> str:
    head = "\n".join(f"# {line}".rstrip() for text in about for line in (text.splitlines() or [""]))
    body = "".join(f"step {status} {shlex.quote(output)} {shlex.quote(text)}\n" for status, output, text in steps)
    return _HEAD.format(about=head) + body + "echo as it should be\n"


def _tried(script: str, scratch: str, count: int) -> list[tuple[int, str]] | None:
    """For each command whether it fails and what it prints, in a directory of a sound file system."""
    with tempfile.TemporaryDirectory(dir=scratch) as told:
        try:
            subprocess.run(
                ["bash", "-c", script, "bash", scratch], env={**os.environ, "TRY": told}, timeout=_PATIENCE,
                check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            rows = [(Path(told, f"{n}.status").read_text(), Path(told, f"{n}.said").read_text())
                    for n in range(1, count + 1)]  # fmt: skip
        except (OSError, subprocess.TimeoutExpired, ValueError):
            return None
    return [(int(int(status) != 0), said) for status, said in rows]
