"""The sentences that answer the question.

Owns them; knows nothing of their place on the screen. The first says what is wrong, the second which commands fail
for it. Only diagnoses that matter are counted, and failed checks that have none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

from fsprobe.report.commands import failed, not_run, program_of
from fsprobe.report.text import count, listing
from fsprobe.report.words import blamed, charged, is_failure, root_of, serious

# By cause: of one operation, of several.
_BY_CAUSE = {
    "crashed": ("{n} crashes the daemon", "{n} crash the daemon"),
    "lost-reply": ("{n} hangs: its reply is lost", "{n} hang, their replies are lost"),
    "malformed-reply": ("{n} hangs: its reply is malformed", "{n} hang, their replies are malformed"),
    "refused-reply": ("{n} is answered with what the kernel refuses", "{n} are answered with what the kernel refuses"),
    "deadlock-lock": ("{n} hangs: deadlock on a lock", "{n} hang, deadlock on a lock"),
    "deadlock-own-mount": ("{n} hangs: the daemon waits for its own mount", "{n} hang for the daemon's own mount"),
    "blocked-output": ("{n} hangs: the daemon's output is full and nobody reads it", "{n} hang on the daemon's output"),
    "blocked-io": ("{n} hangs: the daemon waits for something outside", "{n} hang on something outside"),
    "not-implemented": ("{n} is not implemented", "{n} are not implemented"),
    "silent-noop": ("{n} answers success and does nothing", "{n} answer success and do nothing"),
    "wrong-data": ("{n} gives wrong data", "{n} give wrong data"),
    "wrong-metadata": ("{n} gives wrong attributes", "{n} give wrong attributes"),
    "wrong-errno": ("{n} answers the wrong error", "{n} answer the wrong error"),
}  # fmt: skip
# By verdict, where no cause is known.
_BY_VERDICT = {
    "crash": ("{n} crashes the daemon", "{n} crash the daemon"),
    "hang": ("{n} hangs", "{n} hang"),
    "ENOSYS": ("{n} is not implemented", "{n} are not implemented"),
}
_WRONG = ("{n} is wrong in part", "{n} are wrong in part")
_NAMED, _CLAUSES, _ROOTS = 6, 4, 4
_NOT_WORKING = ("untested", "unsupported", "ENOSYS")


def headline(document: Mapping[str, Any]) -> tuple[list[str], str]:
    """The sentences and their style; there is always a first one."""
    code = document["summary"]["exit_code"]
    sentences, style = _sentences(document, code)
    if code == 130:
        sentences = ["Interrupted, so this is partial.", *sentences]
    return sentences, style


def _sentences(document: Mapping[str, Any], code: int) -> tuple[list[str], str]:
    if code in (4, 5, 6, 2):
        first: Mapping[str, Any] = next(iter(document["diagnoses"]), {})
        told = first.get("summary") or (document.get("error") or {}).get("fact")
        usual = "the target could not be tested" if code == 4 else "nothing was checked"
        return [_sentence_end(told or usual)], "bold red"
    clauses = _clauses(document)
    if clauses:
        more = len(clauses) - _CLAUSES
        told = "; ".join(clauses[:_CLAUSES]) + (f"; and {count(more, 'more cause')}" if more > 0 else "")
        return [_sentence_end(told), *_commands(document), *_outdated(document)], "bold red"
    problems = [check for check in document["checks"] if is_failure(check)]
    own = [check for check in problems if check["verdict"] == "ERROR"]
    if own and len(own) == len(problems):
        told = f"{count(len(own), 'check')} failed by a fault of fsprobe itself; of the rest nothing is at fault."
        return [told], "bold red"
    if problems:
        return [f"No operation is at fault, but {count(len(problems), 'check')} did not pass."], "bold red"
    if code == 1:
        told = _outdated(document) or [_no_fault_but(document["summary"].get("counts") or {})]
        return told, "bold yellow"
    known = (document["summary"].get("counts") or {}).get("XFAIL", 0)
    good = [_good(document["operations"], known)]
    return good, "bold green" if _working(document["operations"]) else "bold yellow"


def _outdated(document: Mapping[str, Any]) -> list[str]:
    """What the file of known failures says that is no longer so."""
    baseline = document.get("baseline") or {}
    file, passing = baseline.get("file", ""), (document["summary"].get("counts") or {}).get("XPASS", 0)
    sentences = []
    if passing:
        passes = count(passing, "check passes", "checks pass")
        sentences.append(f"{passes} that {file} knows to fail: fsprobe baseline updates it.")
    for kind, verb in (("stale", ("names", "name")), ("expired", ("is", "are"))):
        ids = baseline.get(kind) or []
        if ids:
            what = "no check" if kind == "stale" else "expired"
            told = count(len(ids), "entry", "entries")
            sentences.append(f"{told} of {file} {verb[len(ids) > 1]} {what}: {listing(ids, 2)}.")
    return sentences


def _no_fault_but(counts: Mapping[str, int]) -> str:
    """Nothing failed, and still it is not as expected: checks that did not run, or what --strict counts."""
    if counts.get("NOTRUN"):
        return f"No operation is at fault, but {count(counts['NOTRUN'], 'check')} could not be run."
    strict = ", ".join(f"{name} {counts[name]}" for name in ("WARN", "UNSUPPORTED") if counts.get(name))
    return f"No operation is at fault; unexpected by --strict: {strict}."


def _clauses(document: Mapping[str, Any]) -> list[str]:
    """What is wrong, alike causes together, in the order of the diagnoses."""
    groups: dict[str, list[str]] = {}
    hanging = {check["id"] for check in document["checks"] if check["verdict"] == "HANG"}
    for one in serious(document):
        if one["cause"] == "malformed-reply" and hanging.isdisjoint(one["checks"]):
            groups.setdefault("refused-reply", []).append(one["op"])
            continue
        alone = one["cause"] in _BY_CAUSE and one["op"] and len(one.get("ops") or ()) < 2
        alone = alone or (one["cause"] == "not-implemented" and bool(one["op"]))
        groups.setdefault(one["cause"] if alone else one["summary"], []).append(one["op"])
    clauses = [_phrase(_BY_CAUSE[key], ops) if key in _BY_CAUSE else key for key, ops in groups.items()]
    return _joined([*clauses, *_unexplained(document)])


def _joined(clauses: list[str]) -> list[str]:
    """`SETATTR gives wrong data and gives wrong attributes`: not twice the name where it comes twice running."""
    joined: list[str] = []
    for clause in clauses:
        name, _, said = clause.partition(" ")
        if joined and name.isupper() and joined[-1].startswith(f"{name} "):
            joined[-1] += f" and {said}"
        else:
            joined.append(clause)
    return joined


def _unexplained(document: Mapping[str, Any]) -> list[str]:
    named = {op for one in serious(document) for op in (one["op"], *(one.get("ops") or ()))}
    groups: dict[tuple[str, str], list[str]] = {}
    for op in (name for name in blamed(document) if name in document["operations"] and name not in named):
        groups.setdefault(_BY_VERDICT.get(document["operations"][op]["verdict"], _WRONG), []).append(op)
    return [_phrase(phrases, ops) for phrases, ops in groups.items()]


def _phrase(phrases: tuple[str, str], ops: Iterable[str]) -> str:
    names = list(dict.fromkeys(ops))
    if len(names) == 1:
        return phrases[0].format(n=names[0])
    return f"{phrases[1].format(n=count(len(names), 'operation'))}: {listing(names, _NAMED)}"


def _commands(document: Mapping[str, Any]) -> list[str]:
    """`11 commands fail: touch, chmod, cp and 3 more by SETATTR; rm, install by UNLINK; mv, sed by RENAME.`"""
    known = charged(document)
    fail: dict[str, list[str]] = {}
    for check in failed(document["checks"]):
        fail.setdefault(root_of(check, known), []).append(program_of(check))
    sentences = []
    order = {op: index for index, op in enumerate(blamed(document))}
    fail = dict(sorted(fail.items(), key=lambda item: order.get(item[0], len(order))))
    programs = {name for names in fail.values() for name in names}
    if programs:
        told = count(len(programs), "command fails", "commands fail")
        sentences.append(f"{told}: {_by_root(fail)}.")
    return [*sentences, *_spared(document, known, programs)]


def _spared(document: Mapping[str, Any], known: Mapping[str, str], programs: Set[str]) -> list[str]:
    """The commands that were not run, because of what hung or crashed before."""
    checks = [check for check in not_run(document["checks"]) if check["id"] in known]
    names = [name for name in dict.fromkeys(map(program_of, checks)) if name not in programs]
    roots = {known[check["id"]] for check in checks} - {""}
    if not names:
        return []
    told = count(len(names), "command was not run", "commands were not run")
    if len(roots) == 1:
        told = count(len(names), "command needs", "commands need") + f" {roots.pop()} and {_were(len(names))} not run"
    return [f"{told}: {listing(names, _NAMED)}."]


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _by_root(fail: Mapping[str, list[str]]) -> str:
    most = _NAMED if len(fail) == 1 else 3
    parts = [f"{listing(list(dict.fromkeys(names)), most)} by {op}" for op, names in fail.items()]
    more = len(parts) - _ROOTS
    return "; ".join(parts[:_ROOTS]) + (f"; others by {count(more, 'more operation')}" if more > 0 else "")


def _working(operations: Mapping[str, Any]) -> int:
    return sum(op["verdict"] not in _NOT_WORKING and not name.startswith("OPCODE_") for name, op in operations.items())


def _good(operations: Mapping[str, Any], known: int) -> str:
    """known: how many failures the baseline knows."""
    asked = _working(operations)
    if known:
        word = "operation works" if asked == 1 else "operations work"
        return f"{asked} {word}, in all but {count(known, 'known failure')}."
    if not asked:
        return "Nothing was found out."
    absent = sum(op["verdict"] in ("ENOSYS", "unsupported") for op in operations.values())
    also = f"; {count(absent, 'optional one is', 'optional ones are')} not offered" if absent else ""
    word = "One operation works" if asked == 1 else f"{asked} operations work"
    return f"{word}, none is at fault{also}."


def _sentence_end(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."
