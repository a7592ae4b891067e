"""A short program that shows a failure on a mount of the target, without fsprobe: made of the calls of a check.

Owns the program's text and how it is tried: a directory of this machine that is no target says what each call should
come to, and only a program that succeeds there and tells the failure apart is given out.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from fsprobe.posix.child import Child, ChildDied, ChildError, ChildTimeout
from fsprobe.results.records import CheckResult
from fsprobe.runners.calls import Call, Calls, Fd

_PATIENCE = 3.0
_LONGEST = 64 << 10
_RUNTIME = '''\
import errno, os, shutil, stat, sys, tempfile

before = {}


def told(name, value):
    """What a call came to, without what differs from run to run."""
    if hasattr(value, "st_mode"):
        regular = stat.S_ISREG(value.st_mode)
        seen = {"mode": oct(value.st_mode), "uid": value.st_uid, "gid": value.st_gid}
        if not stat.S_ISDIR(value.st_mode):
            seen |= {"size": value.st_size, "links": value.st_nlink}
        old = before.get(value.st_ino)
        before[value.st_ino] = (value.st_mtime_ns, value.st_ctime_ns)
        for index, which in enumerate(("mtime", "ctime")):
            now = before[value.st_ino][index]
            if which == "mtime" and now < 1_100_000_000_000_000_000:
                seen[which] = now
            elif old and regular:
                seen[which] = "as before" if now == old[index] else "changed"
        return seen
    if hasattr(value, "f_namemax"):
        return {"namemax": value.f_namemax}
    if isinstance(value, list):
        return sorted(map(os.fsdecode, value))
    return "success" if name in ("open", "dup", "umask") else value
'''
_DRIVER = '''
D = tempfile.mkdtemp(prefix="reproduce-", dir=sys.argv[1])
descriptors, results = {}, []


def fd(number):
    return descriptors.get(number, -1)


def step(name, *args, want="success", to=None, **kwargs):
    """One call. want: what is right, an errno's name where it should fail."""
    try:
        value = getattr(os, name)(*args, **kwargs)
        if to is not None:
            descriptors[to] = value
        got, failed = told(name, value), ""
    except OSError as error:
        got = failed = errno.errorcode.get(error.errno, str(error.errno))
    results.append(got)
    should_fail = isinstance(want, str) and want.startswith("E")
    wrong = got != want if should_fail or want != "success" else failed
    if wrong and not trying:
        print(f"FAIL: {name}{args[:2]}: expected {want}, observed {got}")
        sys.exit(1)


trying = False
os.umask(0o022)
try:
'''
_END = '''\
    print("as it should be")
finally:
    for number in descriptors.values():
        try:
            os.close(number)
        except OSError:
            pass
    for top, folders, _ in os.walk(D):  # whoever is not root removes nothing from a directory without permissions
        for folder in folders:
            try:
                if not os.path.islink(os.path.join(top, folder)):
                    os.chmod(os.path.join(top, folder), 0o700)
            except OSError:
                pass
    shutil.rmtree(D, ignore_errors=True)
'''
_ERRNO = re.compile(r"E[A-Z0-9]+$")


def of_calls(calls: Calls, place: str, root: str, about: Sequence[str], scratch: str) -> str:
    """The program for what was taken down; "" where the calls do not show it.

    place: the check's own directory. root: the mount point. about: lines for its docstring. scratch: a directory of a
    sound file system to try it in.
    """
    made = [call for call in calls.made if not (call.name == "mkdir" and call.args[:1] == (place,))]
    if calls.trouble or not made or not place:
        return ""
    try:
        steps = [_step(call, place, root) for call in made]
    except _NotShown:
        return ""
    right = _tried(_program(about, [step + ")" for step in steps]), scratch)
    seen = _as_recorded(made)
    if right is None or len(right) != len(seen):
        return ""
    differ = [index for index, (one, other) in enumerate(zip(right, seen, strict=True)) if one != other]
    if not differ:
        return ""
    failing = {i: want for i, want in enumerate(right) if isinstance(want, str) and _ERRNO.match(want)}
    wants = {**failing, differ[-1]: right[differ[-1]]}
    lines = [step + (f", want={wants[i]!r})" if i in wants else ")") for i, step in enumerate(steps)]
    text = _program(about, lines)
    return text if len(text) <= _LONGEST else ""


class _NotShown(Exception):
    """A call that cannot be written down."""


def _program(about: Sequence[str], lines: Sequence[str]) -> str:
    said = "\n".join(about).replace("\\", "\\\\").replace('"""', "'''")
    usage = "Run it on a mount: python3 FILE MOUNTPOINT. Exit status 0: as it should be, 1: the failure is there."
    body = "".join(f"    {line}\n" for line in lines)
    return f'#!/usr/bin/env python3\n"""{said}\n\n{usage}\n"""\n\n{_RUNTIME}\n{_DRIVER}{body}{_END}'


def _step(call: Call, place: str, root: str) -> str:
    words = [repr(call.name), *(_word(arg, place, root) for arg in call.args)]
    words += [f"{key}={_word(value, place, root)}" for key, value in call.kwargs.items()]
    if call.name in ("open", "dup") and not call.errno:
        words.append(f"to={call.value}")
    return f"step({', '.join(words)}"


def _word(value: Any, place: str, root: str) -> str:
    if isinstance(value, Fd):
        return f"fd({value.number})"
    if isinstance(value, memoryview | bytearray):
        value = bytes(value)
    if isinstance(value, bytes) and os.fsencode(root) in value:
        return f"os.fsencode({_word(os.fsdecode(value), place, root)})"
    if isinstance(value, str) and value.startswith(place):
        return f"D + {value[len(place):]!r}" if value != place else "D"
    if isinstance(value, str) and value.startswith((root, "/proc/")):
        raise _NotShown  # outside of its own directory
    if value is None or isinstance(value, str | bytes | int | bool | float | tuple):
        return _data(value) if isinstance(value, bytes) else repr(value)
    raise _NotShown


def _data(data: bytes) -> str:
    """A literal; long runs of a pattern are told as one."""
    for length in (1, 2, 4, 8, 10, 16, 256):
        part = data[:length]
        if len(data) > 64 and part * (len(data) // length) + part[: len(data) % length] == data:
            rest = f" + {part[: len(data) % length]!r}" if len(data) % length else ""
            return f"{part!r} * {len(data) // length}{rest}"
    return repr(data)


def _as_recorded(calls: Sequence[Call]) -> list[Any]:
    """What each call came to when the check ran, told as the program tells it."""
    import errno

    space: dict[str, Any] = {}
    exec(_RUNTIME, space)
    return [
        errno.errorcode.get(call.errno, str(call.errno)) if call.errno else space["told"](call.name, call.value)
        for call in calls
    ]


def _tried(program: str, scratch: str) -> list[Any] | None:
    """What each call comes to in a directory of a sound file system; None where it does not come to an end there."""

    def run() -> list[Any]:
        space: dict[str, Any] = {"__name__": "__main__"}
        import sys

        sys.argv = ["reproduce", scratch]
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        exec(compile(program.replace("trying = False", "trying = True", 1), "reproduce", "exec"), space)
        results: list[Any] = space["results"]
        return results

    try:
        found: list[Any] = Child(run).result(_PATIENCE)
    except (OSError, ChildDied, ChildError, ChildTimeout):
        return None
    return found


def kept(results: Iterable[CheckResult]) -> str:
    """A new directory for what `--keep` keeps, with the programs of the failed checks in its `scripts`."""
    directory = Path(tempfile.mkdtemp(prefix="fsprobe-kept-"))
    for result in results:
        if result.script:
            (directory / "scripts").mkdir(exist_ok=True)
            (directory / "scripts" / file_name(result.id, result.script)).write_text(result.script, encoding="utf-8")
    return str(directory)


def file_name(check: str, script: str) -> str:
    """`posix.setattr.chmod.py`, `shell.touch.sh`."""
    return check + (".py" if script.startswith("#!/usr/bin/env python3") else ".sh")
