"""Writing the file of known failures from a result: what is new is added, what is over removed, the rest left alone.

Owns what an update does to the entries, and keeps the file's comments, order and reasons; what an entry means is
`baseline`'s.
"""

from __future__ import annotations

import datetime
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import AoT, Table

from fsprobe.errors import UsageError
from fsprobe.results.baseline import KNOWABLE, PASSES, SCHEMA, Baseline, entries_of
from fsprobe.results.verdicts import STRICT_UNEXPECTED, UNEXPECTED, Verdict

HEADER = "What this file system is known not to do. An entry needs a reason; one whose check passes is to be removed."


@dataclass(frozen=True, slots=True)
class Update:
    """What was done, by check id. kept: entries that still hold, or that the result says nothing about."""

    text: str
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]


def update(
    document: Mapping[str, Any],
    text: str,
    *,
    name: str,
    strict: bool = False,
    reason: str | None = None,
    expires: datetime.date | None = None,
) -> Update:
    """The file's new text. document: a result. text: of the file as it is, "" for a new one. name: of the file.

    strict: WARN and UNSUPPORTED are taken in too. reason: of new entries; None: the diagnosis that explains them.
    expires: the last day on which new entries hold. Raises UsageError where the file is not a baseline.
    """
    try:
        file = tomlkit.parse(text)
    except tomlkit.exceptions.TOMLKitError as error:
        raise UsageError(f"the baseline {name} is not TOML: {error}") from error
    entries = entries_of(file.unwrap(), name)
    if not text.strip():
        file = _new(str(document["target"]["name"]))
    seen = {check["id"]: Verdict(check.get("seen") or check["verdict"]) for check in document["checks"]}
    wanted = (STRICT_UNEXPECTED if strict else UNEXPECTED).intersection(KNOWABLE)
    tables: AoT = file.setdefault("known", tomlkit.aot())
    gone = _stale(document)
    added, changed, removed, kept = [], [], [], []
    for table in list(tables):
        id = str(table["check"])
        verdict = seen.get(id)
        if id in gone or verdict in PASSES:
            tables.remove(table)
            removed.append(id)
        elif verdict in wanted and "verdict" in table and table["verdict"] != verdict:
            table["verdict"] = verdict.value
            changed.append(id)
        else:
            kept.append(id)
    covering = Baseline(name, tuple(entry for entry in entries if entry.check not in removed), datetime.date.min)
    for id, verdict in seen.items():
        if verdict in wanted and covering.entry(id) is None:
            tables.append(_entry(id, verdict, reason or _why(document, id), expires))
            added.append(id)
    return Update(tomlkit.dumps(file), tuple(added), tuple(changed), tuple(removed), tuple(kept))


def write(path: str | Path, text: str) -> None:
    """Put the file there whole or not at all. Raises UsageError."""
    target = Path(os.path.realpath(path))
    try:
        fd, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(fd, "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(temporary, target.stat().st_mode & 0o7777 if target.exists() else 0o644)
        os.replace(temporary, target)
    except OSError as error:
        fact = f"the baseline cannot be written to {path}: {error.strerror}"
        raise UsageError(fact, command=f"ls -ld {target.parent}") from error


def _new(target: str) -> tomlkit.TOMLDocument:
    file = tomlkit.document()
    file.add(tomlkit.comment(HEADER))
    file.add("schema", tomlkit.item(SCHEMA))
    file.add("target", tomlkit.item(target))
    file.add(tomlkit.nl())
    return file


def _entry(id: str, verdict: Verdict, reason: str, expires: datetime.date | None) -> Table:
    table = tomlkit.table()
    table.add("check", id)
    table.add("verdict", verdict.value)
    table.add("reason", reason)
    if expires is not None:
        table.add("expires", expires)
    return table


def _stale(document: Mapping[str, Any]) -> set[str]:
    """Entries that the run itself found to name no check."""
    return set(document.get("baseline", {}).get("stale", ()))


def _why(document: Mapping[str, Any], id: str) -> str:
    """The reason of an entry nobody gave one for: the diagnosis behind the failure, else what was seen."""
    for diagnosis in document["diagnoses"]:
        if id in diagnosis["checks"] and diagnosis["summary"]:
            return str(diagnosis["summary"])
    check = next(check for check in document["checks"] if check["id"] == id)
    return str(check.get("reason") or check["observed"] or check["title"])
