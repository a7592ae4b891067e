"""The top of the screen: the answer, and the proof of what was tested.

Owns the header; knows nothing of checks.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from rich.text import Text

from fsprobe.report.headline import headline
from fsprobe.report.text import fold, labelled, pack, screen_width

_NOT_FLAGS = 27  # cells of a line for the label, the separator and "and 12 more"
_PLACE = re.compile(r"'(\{\w+\})'")
_UNKNOWN = ("", "unknown")
_EXPECTED = {
    "full": "a full file system", "read-only": "a read-only file system",
    "object-store": "an object store: it may decline links, attributes, directory renames, writes out of order",
}  # fmt: skip


def header(document: Mapping[str, Any], *, verbose: bool) -> list[Text]:
    """Title, answer, and one labelled line per fact. A fact that is not known has no line."""
    target, environment = document["target"], document["environment"]
    title = fold(f"fsprobe {environment.get('fsprobe', '')} · {target['name']}", screen_width())
    lines = [*(Text(line, "bold") for line in title), *answer(document), Text()]
    for label, text in _facts(target, environment, verbose):
        if text:
            lines += labelled(label, text)
    for text in environment.get("degraded") or ():
        lines += labelled("degraded", text, style="yellow")
    return lines


def answer(document: Mapping[str, Any]) -> list[Text]:
    """What came out, a sentence a line."""
    sentences, style = headline(document)
    first = [Text(line, style) for line in fold(sentences[0], screen_width())]
    rest = [line for text in sentences[1:] for line in fold(text, screen_width())]
    return first + [Text(line, style.removeprefix("bold ")) for line in rest]


def _facts(target: Mapping[str, Any], environment: Mapping[str, Any], verbose: bool) -> list[tuple[str, str]]:
    return [
        ("command", _PLACE.sub(r"\1", shlex.join(target.get("argv") or ()))),
        ("mounted", str(target.get("mount") or "") if verbose else _mounted(target)),
        ("daemon", _daemon(target, verbose)),
        ("protocol", _protocol(environment, verbose)),
        ("machine", _machine(environment)),
        ("expected", _EXPECTED.get(str(environment.get("expect")), "")),
        ("seed", str(environment.get("seed", "")) if verbose else ""),
        ("masked", " ".join(environment.get("masked") or ()) if verbose else ""),
        ("kept in", str(environment.get("kept") or "")),
    ]


def _mounted(target: Mapping[str, Any]) -> str:
    """`fuse.vexfs on /mnt · rw nosuid nodev`, from a line of /proc/self/mountinfo (proc_pid_mountinfo(5))."""
    mine, found, backing = str(target.get("mount") or "").partition(" - ")
    fields, behind = mine.split(), backing.split()
    if not found or len(fields) < 6 or len(behind) < 3:
        return str(target.get("mount") or "")
    options = dict.fromkeys([*fields[5].split(","), *behind[2].split(",")])
    told = " ".join(option for option in options if not option.startswith(("user_id=", "group_id=")))
    return f"{behind[0]} on {fields[4]} · {told}"


def _daemon(target: Mapping[str, Any], verbose: bool) -> str:
    pid, library = target.get("pid"), target.get("library") or ""
    digest = (target.get("binary_sha256") or "")[: None if verbose else 12]
    if library in _UNKNOWN:
        library = "library not recognised" if pid else ""
    return _joined(library, pid and f"pid {pid}", digest and f"sha256 {digest}")


def _machine(environment: Mapping[str, Any]) -> str:
    uid = environment.get("uid")
    kernel = environment.get("kernel")
    return _joined(kernel and f"Linux {kernel}", None if uid is None else f"uid {uid}")


def _protocol(environment: Mapping[str, Any], verbose: bool) -> str:
    flags, protocol = list(environment.get("init_flags") or ()), environment.get("protocol")
    if verbose:
        return _joined(protocol, " ".join(flags))
    fitting = pack(flags, screen_width() - _NOT_FLAGS - len(str(protocol)), " ")[0]
    hidden = len(flags) - len(fitting.split())
    return _joined(protocol, fitting + (f" and {hidden} more" if hidden else ""))


def _joined(*parts: Any) -> str:
    return " · ".join(str(part) for part in parts if part)
