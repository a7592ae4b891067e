"""The file of known failures: read, and applied to what a run came to.

Owns what an entry means and how it changes a verdict; knows nothing of how a verdict is reached, and does not write
the file (`baseline_file` does).

An entry names a check (or a glob over checks), the verdict that it is known to have, and the reason. The known verdict
becomes XFAIL. A check that passes in spite of its entry becomes XPASS, and any other verdict stays what it is: a known
FAIL that turns into a CRASH is news. Entries that no check has (stale) or whose date is over (expired) are red too.
"""

from __future__ import annotations

import datetime
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from fsprobe.errors import UsageError
from fsprobe.results.records import CheckResult, Diagnosis
from fsprobe.results.verdicts import UNEXPECTED, Verdict

SCHEMA = "fsprobe.baseline/1"
KNOWABLE = (Verdict.FAIL, Verdict.WARN, Verdict.UNSUPPORTED, Verdict.HANG, Verdict.CRASH, Verdict.NOTRUN)
"""Verdicts that an entry can know of."""
UNNAMED = (Verdict.FAIL, Verdict.WARN, Verdict.UNSUPPORTED)
"""What an entry without a verdict knows of: a hang and a crash must be named."""
PASSES = (Verdict.PASS, Verdict.INFO)

_TOP = {"schema", "target", "known"}
_KEYS = {"check", "verdict", "reason", "expires", "link"}


@dataclass(frozen=True, slots=True)
class Known:
    """One entry. check: an id or a glob. verdict: None is any of `UNNAMED`. expires: the last day on which it holds."""

    check: str
    reason: str
    verdict: Verdict | None = None
    expires: datetime.date | None = None
    link: str = ""

    def names(self, check_id: str) -> bool:
        """Whether it is about this check."""
        return fnmatchcase(check_id, self.check)

    def knows(self, verdict: Verdict) -> bool:
        """Whether this is the failure that was known."""
        return verdict is self.verdict if self.verdict is not None else verdict in UNNAMED


@dataclass(frozen=True, slots=True)
class Baseline:
    """All entries of a file. today: the day by which entries expire."""

    path: str = ""
    entries: tuple[Known, ...] = ()
    today: datetime.date = field(default_factory=datetime.date.today)

    def entry(self, check_id: str) -> Known | None:
        """The entry for a check: the one that names it exactly, else the first glob; none that has expired."""
        fitting = [known for known in self.entries if known.names(check_id) and not self._expired(known)]
        return min(fitting, key=lambda known: known.check != check_id, default=None)

    def applied(self, result: CheckResult) -> CheckResult:
        """The result as it counts: XFAIL where the failure was known, XPASS where it passes in spite of that."""
        known = self.entry(result.id)
        verdict = result.verdict
        if known is None:
            return result
        if known.knows(verdict):
            return replace(result, verdict=Verdict.XFAIL, seen=verdict.value, reason=known.reason)
        if verdict in PASSES:
            reason = f"it passes, but {self.path} knows it as {known.verdict or 'failing'}: {known.reason}"
            return replace(result, verdict=Verdict.XPASS, seen=verdict.value, reason=reason)
        return result

    def expired(self) -> list[Known]:
        """Entries whose date is over, in the order of the file."""
        return [known for known in self.entries if self._expired(known)]

    def stale(self, ids: Iterable[str]) -> list[Known]:
        """Entries that name no check, of suites that were loaded: ids holds every check of those.

        A suite is known by the first part of its ids, so that a run of some suites does not condemn other entries.
        """
        known_ids = list(ids)
        suites = {id.partition(".")[0] for id in known_ids}
        return [
            known for known in self.entries
            if known.check.partition(".")[0] in suites and not any(known.names(id) for id in known_ids)
        ]  # fmt: skip

    def report(self, ids: Iterable[str]) -> dict[str, Any]:
        """What the result document says of the file: `{file, entries, stale, expired}`, the last two as ids."""
        return {
            "file": self.path,
            "entries": len(self.entries),
            "stale": [known.check for known in self.stale(ids)],
            "expired": [known.check for known in self.expired()],
        }

    def _expired(self, known: Known) -> bool:
        return known.expires is not None and known.expires < self.today


def mark_known(diagnoses: Sequence[Diagnosis], checks: Sequence[CheckResult]) -> list[Diagnosis]:
    """The same diagnoses, those behind which every failure was known marked so, and last."""
    xfail = {result.id for result in checks if result.verdict is Verdict.XFAIL}
    red = {result.id for result in checks if result.verdict in UNEXPECTED}
    marked = [
        replace(d, known=bool(xfail.intersection(d.checks)) and not red.intersection(d.checks)) for d in diagnoses
    ]
    return sorted(marked, key=lambda diagnosis: diagnosis.known)


def load(path: str | Path) -> Baseline:
    """Read a file. Raises UsageError: with the entry's number and what is wrong with it."""
    name = min(str(path), os.path.relpath(path), key=len)
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        command = "fsprobe baseline RESULT.json -o FILE"
        raise UsageError(f"the baseline {name} cannot be read: {error.strerror}", command=command) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"the baseline {name} is not TOML: {error}") from error
    return Baseline(name, entries_of(table, name))


def entries_of(table: Mapping[str, Any], name: str) -> tuple[Known, ...]:
    """The entries of a file that was parsed already; name: of the file, for errors. Raises UsageError."""
    _require_keys(table, _TOP, name)
    schema = table.get("schema", SCHEMA)
    if schema != SCHEMA:
        raise UsageError(f"{name}: its schema is {schema!r}, not {SCHEMA!r}")
    listed = table.get("known", [])
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise UsageError(f"{name}: known failures are tables, each headed [[known]]")
    entries = tuple(_entry(one, f"{name}: entry {number}") for number, one in enumerate(listed, 1))
    doubled = [one.check for at, one in enumerate(entries) if one.check in {e.check for e in entries[:at]}]
    if doubled:
        raise UsageError(f"{name}: {doubled[0]} has two entries")
    return entries


def _entry(table: Mapping[str, Any], place: str) -> Known:
    check = table.get("check")
    if not isinstance(check, str) or not check:
        raise UsageError(f"{place} does not say which check it is about", causes=('check = "posix.link.creates"',))
    place = f"{place} ({check})"
    _require_keys(table, _KEYS, place)
    reason = table.get("reason")
    if not isinstance(reason, str) or not reason.strip():
        raise UsageError(f"{place} has no reason", causes=("every known failure says why it is accepted",))
    return Known(
        check, reason.strip(), _verdict(table.get("verdict"), place), _date(table.get("expires"), place),
        str(table.get("link", "")),
    )  # fmt: skip


def _verdict(value: object, place: str) -> Verdict | None:
    if value is None:
        return None
    if value not in [verdict.value for verdict in KNOWABLE]:
        words = ", ".join(KNOWABLE)
        raise UsageError(f"{place}: the verdict {value!r} cannot be known", causes=(f"one of {words}",))
    return Verdict(value)


def _date(value: object, place: str) -> datetime.date | None:
    if value is None or (isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)):
        return value
    try:
        return datetime.date.fromisoformat(str(value))
    except ValueError:
        cause = "a date is written as in expires = 2030-12-31"
        raise UsageError(f"{place}: {value!r} is no date", causes=(cause,)) from None


def _require_keys(table: Mapping[str, Any], allowed: set[str], place: str) -> None:
    for key in table:
        if key not in allowed:
            close = get_close_matches(key, sorted(allowed), 1)
            causes = (f"did you mean {close[0]!r}?",) if close else (f"there are: {', '.join(sorted(allowed))}",)
            raise UsageError(f"{place}: unknown key {key!r}", causes=causes)
