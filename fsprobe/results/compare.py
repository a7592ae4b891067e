"""What changed from one result to another, and several results side by side.

Owns the rule of what is worse; knows nothing of how it is shown. A check is worse where its verdict stands further down
this list: PASS and INFO, WARN, UNSUPPORTED, FAIL, NOTRUN, HANG, CRASH. What one of two runs did not ask (SKIP, or
fsprobe's own ERROR) is neither better nor worse, and a failure that the baseline knows (XFAIL) is no regression.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fsprobe.results.verdicts import OpVerdict, Verdict

SLOWER = 2.0
"""Ratio of medians from which an operation counts as slower: what another load of the machine does not reach."""
FEWEST = 20
"""Answers on both sides below which a median says nothing."""
LEAST_US = 10.0
"""Microseconds below which a longer median is noise."""

_RANK = {
    Verdict.PASS: 0, Verdict.INFO: 0, Verdict.XPASS: 0, Verdict.WARN: 1, Verdict.UNSUPPORTED: 2, Verdict.FAIL: 3,
    Verdict.XFAIL: 3, Verdict.NOTRUN: 4, Verdict.HANG: 5, Verdict.CRASH: 6,
}  # fmt: skip
_LAYERS = ("wire", "mount", "shell")


@dataclass(frozen=True, slots=True)
class Change:
    """One check in two results; before or after is None where only the other has it."""

    id: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def check(self) -> Mapping[str, Any]:
        """The later one that there is."""
        found = self.after if self.after is not None else self.before
        assert found is not None
        return found


@dataclass(frozen=True, slots=True)
class Pace:
    """The median of an operation in two results, in microseconds."""

    op: str
    before_us: float
    after_us: float

    @property
    def ratio(self) -> float:
        """How many times as long it takes."""
        return self.after_us / self.before_us


@dataclass(frozen=True, slots=True)
class Comparison:
    """regressions, fixes: verdicts that are worse or better. moved: asked in one run only (SKIP, ERROR), or another
    verdict of the same rank. new, gone: checks of one result only. slower, quicker: operations."""

    regressions: tuple[Change, ...]
    fixes: tuple[Change, ...]
    moved: tuple[Change, ...]
    new: tuple[Change, ...]
    gone: tuple[Change, ...]
    slower: tuple[Pace, ...]
    quicker: tuple[Pace, ...]
    same: int


def compare(before: Mapping[str, Any], after: Mapping[str, Any], *, slower: float = SLOWER) -> Comparison:
    """Two documents. slower: the ratio of medians from which an operation is slower, or the other way round quicker."""
    old, new = ({check["id"]: check for check in document["checks"]} for document in (before, after))
    groups: dict[str, list[Change]] = {name: [] for name in ("regressions", "fixes", "moved", "same")}
    for id in (id for id in new if id in old):
        groups[_kind(old[id], new[id])].append(Change(id, old[id], new[id]))
    paces = list(_paces(before["operations"], after["operations"]))
    return Comparison(
        regressions=tuple(sorted(groups["regressions"], key=lambda change: -_rank(change.check))),
        fixes=tuple(groups["fixes"]), moved=tuple(groups["moved"]),
        new=tuple(Change(id, None, check) for id, check in new.items() if id not in old),
        gone=tuple(Change(id, check, None) for id, check in old.items() if id not in new),
        slower=tuple(pace for pace in paces if pace.ratio >= slower),
        quicker=tuple(pace for pace in paces if pace.ratio <= 1 / slower),
        same=len(groups["same"]),
    )  # fmt: skip


def _rank(check: Mapping[str, Any]) -> int:
    """-1 where it was not asked, or nothing can be said."""
    try:
        return _RANK.get(Verdict(check["verdict"]), -1)
    except ValueError:
        return -1


def _kind(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    first, second = _rank(before), _rank(after)
    if before["verdict"] == after["verdict"]:
        return "same"
    if first < 0 or second < 0 or first == second:
        return "moved"
    if second < first:
        return "fixes"
    return "moved" if after["verdict"] == Verdict.XFAIL else "regressions"


def _paces(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Pace]:
    for op, row in after.items():
        old = before.get(op) or {}
        answered = min(sum((one.get("replies") or {}).values()) for one in (old, row))
        first, second = old.get("p50_us"), row.get("p50_us")
        if answered >= FEWEST and first and second and abs(first - second) >= LEAST_US:
            yield Pace(op, first, second)


@dataclass(frozen=True, slots=True)
class Row:
    """One operation in several results. verdicts: None where a result does not have it or did not ask."""

    op: str
    verdicts: tuple[str | None, ...]
    layers: tuple[tuple[str | None, ...], ...]
    p50_us: tuple[float | None, ...]

    @property
    def differs(self) -> bool:
        """Whether those that asked do not agree on it."""
        return len({verdict for verdict in self.verdicts if verdict}) > 1

    @property
    def worst(self) -> int:
        """Rank of the worst verdict, for sorting."""
        order = {verdict.value: index for index, verdict in enumerate(OpVerdict)}
        return min((order.get(verdict, 0) for verdict in self.verdicts if verdict), default=len(order))


def side_by_side(documents: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Operations × results: every operation that some result has asked, in their order."""
    names = dict.fromkeys(op for document in documents for op in document["operations"])
    rows = []
    for name in names:
        found = [document["operations"].get(name) or {} for document in documents]
        verdicts = tuple(None if one.get("verdict") in (None, "untested") else str(one["verdict"]) for one in found)
        if any(verdicts):
            layers = tuple(tuple(one.get(layer) for layer in _LAYERS) for one in found)
            rows.append(Row(name, verdicts, layers, tuple(one.get("p50_us") for one in found)))
    return rows


def names(documents: Sequence[Mapping[str, Any]], paths: Sequence[str]) -> list[str]:
    """What to call each: its target, with the file's name where that is needed to tell them apart."""
    targets = [str(document["target"]["name"]) for document in documents]
    if len(set(targets)) == len(targets):
        return targets
    return [f"{target} ({path.rpartition('/')[2]})" for target, path in zip(targets, paths, strict=True)]
