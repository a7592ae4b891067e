"""Faults of a whole daemon rather than of one operation: what it never does, whatever it is asked.

Owns a row for each such habit: which failed checks show it, what to say of it and what to write in each library. Knows
nothing of absent handlers or of daemons that died. Each is one diagnosis, however many operations show it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fsprobe.diagnose.absent import FAILED, commands, ids
from fsprobe.diagnose.evidence import Evidence
from fsprobe.diagnose.handlers import TITLES
from fsprobe.diagnose.roots import lying_attributes, roots_of
from fsprobe.results.records import CheckResult, Diagnosis
from fsprobe.results.verdicts import Cause

_FORBIDDEN = re.compile(r"^(?:EACCES|EPERM) from ")
_ANSWERS = re.compile(r"\[((?:True|False)(?:, (?:True|False))*)\]$")
_OWNED = re.compile(r"^(?:the )?owner\b")
_NUMBERS = re.compile(r"\d+")
_NO_TEXT = re.compile(r"\\x(?:[89a-f][0-9a-f])")
_REPLACED = r"\xef\xbf\xbd"  # U+FFFD, what a decoder puts in place of bytes that are no UTF-8
_LATIN_1 = (r"\xc3\xbf\xc3\xbe", r"\xc3\xbf")  # the bytes ff fe, taken for Latin-1 and written as UTF-8
_PERMISSIONS: Mapping[str, str] = {
    "fusepy": "FUSE(…, default_permissions=True)",
    "mfusepy": "FUSE(…, default_permissions=True)",
    "pyfuse3": "'default_permissions' in the options of pyfuse3.init, as in pyfuse3.default_options",
    "llfuse": "'default_permissions' in the options of llfuse.init, as in llfuse.default_options",
    "fuser": "MountOption::DefaultPermissions",
    "fuser-0.17": "MountOption::DefaultPermissions",
    "fuse3-rs": "MountOptions::default_permissions(true)",
    "go-fuse": 'fuse.MountOptions{Options: []string{"default_permissions"}}',
    "go-fuse-raw": 'fuse.MountOptions{Options: []string{"default_permissions"}}',
    "go-fuse-nodefs": 'fuse.MountOptions{Options: []string{"default_permissions"}}',
    "go-fuse-pathfs": 'fuse.MountOptions{Options: []string{"default_permissions"}}',
    "bazil": "fuse.DefaultPermissions()",
    "jacobsa": "fuse.MountConfig{DisableDefaultPermissions: false}",
}
"""How each library is asked for the option; the others take `-o default_permissions`."""
_CALLER: Mapping[str, str] = {
    "libfuse2": "fuse_get_context()->uid and ->gid",
    "libfuse3": "fuse_get_context()->uid and ->gid",
    "libfuse-low": "fuse_req_ctx(req)->uid and ->gid",
    "libfuse2-low": "fuse_req_ctx(req)->uid and ->gid",
    "fuse-python": "context = self.GetContext(); context['uid'] and context['gid']",
    "fusepy": "uid, gid, pid = fuse_get_context()",
    "mfusepy": "uid, gid, pid = fuse_get_context()",
    "pyfuse3": "ctx.uid and ctx.gid",
    "llfuse": "ctx.uid and ctx.gid",
    "fuser": "req.uid() and req.gid()",
    "fuser-0.17": "req.uid() and req.gid()",
    "fuse-rs": "req.uid() and req.gid()",
    "go-fuse": "caller, ok := fuse.FromContext(ctx)",
    "bazil": "req.Header.Uid and req.Header.Gid",
    "cgofuse": "uid, gid, pid := fuse.Getcontext()",
}
"""Where each library tells who asks."""


@dataclass(frozen=True, slots=True)
class _Habit:
    """A row: which checks show it, how many there must be of how many operations, and what is said.

    shows: whether a failed check shows it. possible: whether the run leaves room for it. cause, told, fix: as in
    `Diagnosis`.
    """

    cause: Cause
    told: str
    shows: Callable[[CheckResult], bool]
    possible: Callable[[Evidence, Sequence[CheckResult]], bool]
    fix: Callable[[str], str]
    checks: int = 2
    operations: int = 2


def habits(evidence: Evidence, explained: frozenset[str]) -> list[Diagnosis]:
    """What the checks that nothing explained yet show of these, each check in one of them at most."""
    left = [check for check in evidence.checks if check.verdict in FAILED and check.id not in explained]
    if roots_of(left, evidence).get("SETATTR") is Cause.SILENT_NOOP or "mode" in lying_attributes(left, evidence):
        return []  # what follows from a mode that is not set, or not told, is no matter of permissions
    found: list[Diagnosis] = []
    for habit in _HABITS:
        shown = [check for check in left if habit.shows(check)]
        ops = tuple(dict.fromkeys(check.op for check in shown))
        enough = len(shown) >= habit.checks and len(ops) >= habit.operations
        if enough and habit.possible(evidence, shown):
            found.append(_diagnosis(habit, shown, evidence))
            left = [check for check in left if check not in shown]
    return found


def _diagnosis(habit: _Habit, shown: Sequence[CheckResult], evidence: Evidence) -> Diagnosis:
    counts: dict[str, int] = {}
    for check in shown:
        counts[check.op] = counts.get(check.op, 0) + 1
    ops = tuple(sorted(counts, key=lambda op: -counts[op]))
    lines = [f"{check.id}: expected {check.expected}, observed {check.observed}" for check in shown[:3]]
    again = next((check.reproduce for check in shown if check.reproduce), "")
    return Diagnosis(
        cause=habit.cause,
        op=ops[0],
        confidence="likely",
        summary=habit.told,
        evidence=(f"seen in {', '.join(ops)}", *lines, *commands(shown)),
        fix="\n".join(part for part in (habit.fix(evidence.library.family), again and f"Repeat it: {again}") if part),
        checks=ids(shown),
        ops=ops,
    )


def _lets_pass(check: CheckResult) -> bool:
    if _FORBIDDEN.match(check.expected):
        return check.observed == "success"
    due, seen = _ANSWERS.search(check.expected), _ANSWERS.search(check.observed)
    if due is None or seen is None:
        return False
    pairs = list(zip(due[1].split(", "), seen[1].split(", "), strict=False))
    return all(was == "True" for _, was in pairs) and any(is_due == "False" for is_due, _ in pairs)


def _unchecked(evidence: Evidence, shown: Sequence[CheckResult]) -> bool:
    """Nobody checks: not the kernel, which was not asked to, and not the daemon, which never once refused."""
    unasked = bool(evidence.mount_options) and "default_permissions" not in evidence.mount_options
    answers = [answer for summary in evidence.operations.values() for answer in summary.replies]
    return unasked and bool(answers) and "EACCES" not in answers


def _belongs_elsewhere(check: CheckResult) -> bool:
    if not _OWNED.match(check.expected) or check.errno:
        return False
    due, seen = _NUMBERS.findall(check.expected), _NUMBERS.findall(check.observed)
    return len(due) == len(seen) > 0 and all(mine != theirs for mine, theirs in zip(due, seen, strict=True))


def _one_owner(evidence: Evidence, shown: Sequence[CheckResult]) -> bool:
    return len({owner for check in shown for owner in _NUMBERS.findall(check.observed)}) == 1


def _names_lost(check: CheckResult) -> bool:
    return bool(_NO_TEXT.search(check.expected)) and (
        (_REPLACED in check.observed and _REPLACED not in check.expected)
        or any(mark in check.observed and mark not in check.expected for mark in _LATIN_1)
    )


def _too_long(check: CheckResult) -> bool:
    return check.expected.startswith("ENAMETOOLONG") or "File name too long" in check.expected


def _takes_any_length(check: CheckResult) -> bool:
    return _too_long(check) and check.observed in ("success", "exit 0")


def _always(evidence: Evidence, shown: Sequence[CheckResult]) -> bool:
    return True


def _ask_kernel(family: str) -> str:
    how = _PERMISSIONS.get(family, "-o default_permissions")
    by = f" ({TITLES[family]})" if family in _PERMISSIONS and family in TITLES else ""
    return (f"Mount with default_permissions, and the kernel checks mode, owner and group before it asks: {how}{by}. "
            "Or check the caller's uid, gid and groups in every handler.")  # fmt: skip


def _give_to_caller(family: str) -> str:
    how = f": {_CALLER[family]}" if family in _CALLER else ""
    return f"Give what is made to the caller, whose uid and gid come with the request{how}."


def _keep_bytes(family: str) -> str:
    how = " In Python: os.fsencode, or errors='surrogateescape'." if "py" in family or family == "llfuse" else ""
    return f"Names and targets of links are bytes of any kind but NUL and '/', and no text: store them undecoded.{how}"


def _refuse_long(family: str) -> str:
    return ("Answer ENAMETOOLONG, in every operation that takes a name, where it has more bytes than STATFS tells in "
            "f_namemax.")  # fmt: skip


_HABITS = (
    _Habit(
        Cause.WRONG_ERRNO,
        "nobody checks permissions: the mount has no default_permissions, and the daemon lets everything pass",
        _lets_pass, _unchecked, _ask_kernel, checks=3,
    ),
    _Habit(
        Cause.WRONG_METADATA, "what a user makes does not belong to that user",
        _belongs_elsewhere, _one_owner, _give_to_caller,
    ),
    _Habit(
        Cause.WRONG_DATA, "names that are no UTF-8 do not come back as they were given",
        _names_lost, _always, _keep_bytes,
    ),
    _Habit(
        Cause.WRONG_ERRNO, "names longer than the file system says it keeps (f_namemax of STATFS) are taken",
        _takes_any_length, _always, _refuse_long,
    ),
    _Habit(
        Cause.WRONG_ERRNO, "names that are too long get another error than ENAMETOOLONG",
        _too_long, _always, _refuse_long,
    ),
)  # fmt: skip
