"""The top of the screen: the answer in a sentence, and the proof of what was tested.

Owns the header; knows nothing of checks.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from rich.text import Text

from fsprobe.report.headline import headline
from fsprobe.report.text import WIDTH, fold, labelled, pack

_ONE_LINE = 53  # what is left beside the label, the separator and "and 12 more"


def header(document: Mapping[str, Any], *, verbose: bool) -> list[Text]:
    """Title, headline, and one labelled line per fact. A fact that is not known has no line."""
    target, environment = document["target"], document["environment"]
    version = environment.get("fsprobe", "")
    title = fold(f"fsprobe {version} · {target['name']}", WIDTH)
    sentence, style = headline(document)
    lines = [*(Text(line, "bold") for line in title), *(Text(line, style) for line in fold(sentence, WIDTH)), Text()]
    for label, text in _facts(target, environment, verbose):
        if text:
            lines += labelled(label, text)
    for text in environment.get("degraded") or ():
        lines += labelled("degraded", text, style="yellow")
    return lines


def _facts(target: Mapping[str, Any], environment: Mapping[str, Any], verbose: bool) -> list[tuple[str, str]]:
    pid, digest = target.get("pid"), (target.get("binary_sha256") or "")[: None if verbose else 12]
    return [
        ("command", shlex.join(target.get("argv") or ())),
        ("mounted", target.get("mount") or target.get("fs_type") or ""),
        ("daemon", _joined(target.get("library"), pid and f"pid {pid}", digest and f"sha256 {digest}")),
        ("protocol", _protocol(environment, verbose)),
        ("machine", _machine(environment)),
        ("seed", str(environment.get("seed", "")) if verbose else ""),
    ]


def _machine(environment: Mapping[str, Any]) -> str:
    uid = environment.get("uid")
    kernel = environment.get("kernel")
    return _joined(kernel and f"Linux {kernel}", None if uid is None else f"uid {uid}")


def _protocol(environment: Mapping[str, Any], verbose: bool) -> str:
    flags, protocol = list(environment.get("init_flags") or ()), environment.get("protocol")
    if verbose:
        return _joined(protocol, " ".join(flags))
    fitting = pack(flags, _ONE_LINE - len(str(protocol)), " ")[0]
    hidden = len(flags) - len(fitting.split())
    return _joined(protocol, fitting + (f" and {hidden} more" if hidden else ""))


def _joined(*parts: Any) -> str:
    return " · ".join(str(part) for part in parts if part)
