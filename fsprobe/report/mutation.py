"""The score of a target on the screen, made from the `fsprobe.mutate/1` document alone.

Owns its lines; knows nothing of how faults are tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from fsprobe.report.text import count, fold, safe

_WIDTH = 110


def lines(document: Mapping[str, Any], *, verbose: bool = False) -> Iterable[str]:
    """First what is wrong, then the operations, then what was left out and why, at the end the score."""
    faults = document["faults"]
    yield f"FAULTS INJECTED INTO {safe(document['target']['name'])}"
    yield ""
    for outcome, heading in (("missed", "NOT NOTICED"), ("misblamed", "BLAMED ON ANOTHER OPERATION")):
        yield from _failed([fault for fault in faults if fault["outcome"] == outcome], heading)
    yield from _by_operation(faults)
    if verbose:
        yield from _caught([fault for fault in faults if fault["outcome"] == "caught"])
    yield from _excluded(document["excluded"], verbose)
    yield from _score(document["summary"])


def _failed(faults: list[Mapping[str, Any]], heading: str) -> Iterable[str]:
    if not faults:
        return
    yield f"{heading}: {len(faults)}"
    for fault in faults:
        yield f"  {fault['layer']:<5}  {fault['rule']}"
        for line in fold(safe(fault["reason"]), _WIDTH - 10):
            yield f"         {line}"
        yield f"         again  {safe(fault['reproduce'])}"
    yield ""


def _by_operation(faults: list[Mapping[str, Any]]) -> Iterable[str]:
    """One line an operation: how many of its faults were caught, and the check that caught most."""
    width = max((len(fault["op"]) for fault in faults), default=0)
    yield f"{'OPERATION':<{width}}   WIRE    MOUNT   CAUGHT MOST OFTEN BY"
    for op in dict.fromkeys(fault["op"] for fault in faults):
        mine = [fault for fault in faults if fault["op"] == op]
        cells = [_share([fault for fault in mine if fault["layer"] == layer]) for layer in ("wire", "mount")]
        by = Counter(fault["check"] for fault in mine if fault["outcome"] == "caught").most_common(2)
        checks = ", ".join(safe(check) for check, _ in by)
        yield f"{op:<{width}}   {cells[0]:<7} {cells[1]:<7} {checks}".rstrip()
    yield ""


def _share(faults: list[Mapping[str, Any]]) -> str:
    right = sum(fault["outcome"] == "caught" for fault in faults)
    return f"{right}/{len(faults)}" if faults else ""


def _caught(faults: list[Mapping[str, Any]]) -> Iterable[str]:
    yield f"CAUGHT: {len(faults)}"
    for fault in faults:
        yield f"  {fault['layer']:<5}  {fault['rule']:<32}  {fault['verdict']:<11}  {safe(fault['check'])}"
    yield ""


def _excluded(excluded: list[Mapping[str, Any]], verbose: bool) -> Iterable[str]:
    if not excluded:
        return
    yield f"LEFT OUT, BECAUSE NOBODY COULD SEE THEM: {len(excluded)}"
    for reason in dict.fromkeys(one["reason"] for one in excluded):
        rules = [f"{one['rule']} ({one['layer']})" for one in excluded if one["reason"] == reason]
        shown = rules if verbose else rules[:3]
        more = f" and {len(rules) - len(shown)} more" if len(shown) < len(rules) else ""
        yield from (f"  {line}" for line in fold(f"{reason}:", _WIDTH - 2))
        yield from (f"      {line}" for line in fold(", ".join(shown) + more, _WIDTH - 6))
    yield ""


def _score(summary: Mapping[str, Any]) -> Iterable[str]:
    caught, right, total = summary["caught"], summary["blamed_right"], summary["faults"]
    yield (
        f"SCORE  {caught} of {count(total, 'fault')} caught, {right} blamed on the right operation "
        f"({100 * right / total:.1f} %)   in {summary['seconds']:.0f} s"
    )
    told = "every fault was caught and blamed right" if right == total else "there are holes in the suites or the blame"
    yield f"exit {summary['exit_code']}: {told}"
