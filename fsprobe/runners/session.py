"""A run from its options to its document: layers in turn, checks in turn, and an end whatever happens.

Owns the order of things and the record of what came out; never touches the mount. How a check is asked is
`ask`'s, how it is judged `verdict`'s, how the daemon lives `target_run`'s.
"""

from __future__ import annotations

import os
import time
import uuid
from collections import Counter
from dataclasses import replace
from typing import Any

from fsprobe.checks.check import Check
from fsprobe.diagnose.diagnose import Evidence, diagnose
from fsprobe.diagnose.library import UNKNOWN, Library
from fsprobe.diagnose.matrix import summarise
from fsprobe.errors import FsprobeError, MachineError
from fsprobe.posix import linux
from fsprobe.relay.client import Sandbox
from fsprobe.relay.opening import Opening, levels
from fsprobe.relay.pump import WITHHELD
from fsprobe.results import document
from fsprobe.results.baseline import Baseline, mark_known
from fsprobe.results.records import CheckResult, Incident
from fsprobe.results.verdicts import Verdict
from fsprobe.runners import facts, owners, plan
from fsprobe.runners.ask import SLOW
from fsprobe.runners.events import (
    CheckFinished,
    CheckStarted,
    LayerStarted,
    Listener,
    Notice,
    RunFinished,
    RunStarted,
    TargetDied,
    TargetStarted,
)  # fmt: skip
from fsprobe.runners.options import RunOptions
from fsprobe.runners.reproduce import reproduce
from fsprobe.runners.target_run import StartError, TargetRun, Unready
from fsprobe.runners.traffic import Traffic
from fsprobe.runners.verdict import judge
from fsprobe.wire import notification_name, opcode_name

# After this many an operation is kept from the daemon: a hang is likely to come again, a crash may be of one kind only.
QUARANTINE = {"hang": 2, "stuck": 2, "crash": 6, "worker": 6}
MAX_RESTARTS = 24
INTERRUPTED = 130


class Session:
    """One run on a daemon that fsprobe starts. `run` returns the document and never leaves anything behind."""

    def __init__(self, options: RunOptions, emit: Listener) -> None:
        self.options, self.emit = options, emit
        self.baseline = options.baseline or Baseline()
        self.begun = self._begin()
        try:
            self.plan = plan.make(options)
        except FsprobeError:
            if self.begun is not None:
                self.begun.abandon()
            raise
        self.began = time.monotonic()
        self.seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "little")
        self.token = uuid.uuid4().hex[:8]
        self.results: list[CheckResult] = []
        self.incidents: list[Incident] = []
        self.traffic = Traffic()
        self.library: Library = UNKNOWN
        self.target: dict[str, Any] = {"name": options.target_name}
        self.environment: dict[str, Any] = {**facts.environment(), "seed": self.seed}
        self.features: dict[str, str] = {}
        self.troubles: Counter[str] = Counter()
        self.avoid: list[str] = []
        self.restarts = 0
        self.notifications: Counter[str] = Counter()
        self.number = 0
        self.life: TargetRun | None = None
        self.failure: StartError | None = None

    def run(self) -> dict[str, Any]:
        """The document. Raises FsprobeError with the partial document as its `document`."""
        self.emit(RunStarted(self.options, self.options.target_name))
        exit_code: int | None = None
        problem: FsprobeError | None = None
        try:
            self._run_layers()
        except KeyboardInterrupt:
            exit_code = INTERRUPTED
        except FsprobeError as error:
            problem, exit_code = error, error.exit_code
            if isinstance(error, StartError):
                self.failure = error
        finally:
            self._close()
        made = self._document(exit_code)
        self.emit(RunFinished(made))
        if problem is not None:
            problem.document = made
            raise problem
        return made

    # -- layers

    def _run_layers(self) -> None:
        self.life = self._open_life()
        for note in self.environment["degraded"]:
            self.emit(Notice(note))
        mounter = self.life.sandbox.mounter
        if "wire" not in self.plan.layers and not mounter:
            fact = "nothing can be mounted here, and the wire layer was not asked for"
            raise MachineError(fact, command="fsprobe doctor")
        self._pin(parallel=False)
        for layer, checks in self.plan.layers.items():
            if layer != "wire" and not mounter:
                self._skip(checks, "nothing can be mounted here (fsprobe doctor)")
            else:
                self._run_layer(layer, checks)

    def _avoid(self) -> list[str]:
        target = self.options.target
        return [os.getcwd(), *([target.cwd] if target and target.cwd else []), *self._target_argv()]

    def _begin(self) -> Opening | None:
        """Start the sandbox's first process: it comes up while the suites are loaded."""
        return Opening.start(levels()[0], self._avoid())

    def _open_life(self) -> TargetRun:
        target = self.options.target
        assert target is not None
        self.target["argv"] = list(target.argv)
        self.target["binary_sha256"] = facts.sha256(facts.program(target.argv))
        sandbox = Sandbox.open(self._avoid(), begun=self.begun)
        self.environment |= {"degraded": sandbox.degraded, "isolation": sandbox.level}
        return TargetRun(self.options, target, sandbox, self.token)

    def _run_layer(self, layer: str, checks: list[Check]) -> None:
        life = self._life
        if life.running and life.mode != life.mode_of(layer):
            self._stop_target()
        try:
            if not life.running:
                self._start(layer)
            else:
                self._open(layer)
        except Unready as unready:
            self._lost_layer(checks, unready.incident)
            return
        self.emit(LayerStarted(layer, len(checks), {"target": self.target, "environment": self.environment}))
        for index, check in enumerate(checks):
            try:
                usable = self._usable(layer)
            except (StartError, Unready) as error:
                self._not_run(checks[index:], f"the target could not be started again: {error}")
                return
            if not usable:
                self._not_run(checks[index:], f"the target was restarted {MAX_RESTARTS} times already")
                return
            self._run_check(check)
        self._life.close_worker()
        self._take_traffic()

    def _lost_layer(self, checks: list[Check], incident: Incident) -> None:
        """Nothing can be checked without what hung or crashed: its own check says so, the rest is not run.

        A target that dies before anything at all was checked did not start: raises StartError.
        """
        if incident.kind == "crash" and not self.results:
            raise self._life.not_serving(incident)
        self.incidents.append(incident)
        about = next((check for check in checks if check.op == incident.opcode), checks[0])
        result = judge(about, None, [], incident, reproduce=self._reproduce(about))
        self._stop_target()
        for check in checks:
            self.number += 1
            reason = f"nothing can be checked here: {incident.detail}"
            self._finish(result if check is about else replace(self._unasked(check, Verdict.NOTRUN), reason=reason))

    @property
    def _life(self) -> TargetRun:
        assert self.life is not None
        return self.life

    def _start(self, layer: str) -> None:
        life = self._life
        life.start(layer)
        self._open(layer)
        processes = life.sandbox.call("evidence")
        life.rest(processes)
        if self.library == UNKNOWN:
            self.library = facts.library_of(processes, self._target_argv())
        self.target |= {"pid": life.pid, "library": self.library.label}
        if life.mount.get("line"):
            self.target |= {"mount": life.mount["line"]}
        self.target["fs_type"] = life.mount.get("fs_type", "")
        agreed = facts.init_facts(self._take_traffic())
        self.environment |= agreed
        if life.mode == "mount":
            self.environment["masked"] = life.sandbox.call("status")["masked"]
        self.emit(TargetStarted(layer, life.starts, life.pid, self.library.label))

    def _target_argv(self) -> list[str]:
        return list(self.options.target.argv) if self.options.target else []

    def _open(self, layer: str) -> None:
        while True:
            try:
                self.features = self._life.open_worker(layer, self.plan.suites[layer], self.seed, tuple(self.avoid))
                break
            except Unready as unready:
                incident = unready.incident
                if not incident.opcode:
                    incident = replace(incident, opcode=self.traffic.unanswered(self._take_traffic()))
                if not self._life.can_do_without(incident):
                    raise Unready(incident) from unready
                self.incidents.append(incident)
                self.avoid.append(incident.opcode)
                self.emit(Notice(f"{incident.detail}: the checks are prepared without {incident.opcode}"))
                self._stop_target()
                self.restarts += 1
                self._life.start(layer)
        present = {name for name, reason in self.features.items() if not reason}
        self.environment["capabilities"] = sorted({*self.environment.get("capabilities", []), *present})
        if not self.features.get("read-only", "absent"):
            self.environment["read_only"] = True

    def _usable(self, layer: str) -> bool:
        """Whether there is a worker to ask; starts the target anew where it was lost."""
        if self._life.asking is not None:
            return True
        if self.restarts >= MAX_RESTARTS:
            return False
        self._stop_target()
        self.restarts += 1
        self._start(layer)
        return True

    def _stop_target(self) -> None:
        self._take_traffic()
        for code, count in self._life.sandbox.call("status").get("notifications", {}).items():
            self.notifications[notification_name(code)] += count
        self._life.stop()

    # -- checks

    def _run_check(self, check: Check) -> None:
        self.number += 1
        asked = {check.op} if self._life.mode != "direct" else {check.op, *check.also}
        if asked & self._life.withheld:
            hung = min(asked & self._life.withheld)
            self._finish(replace(self._unasked(check, Verdict.NOTRUN), reason=f"{hung} hung or crashed before"))
            return
        asking = self._life.asking
        assert asking is not None
        self.emit(CheckStarted(check.id, check.title, check.layer, self.number, self.plan.total))
        self._take_traffic()
        if check.parallel:
            self._pin(parallel=True)
        outcome, incident = asking.ask(check)
        if check.parallel:
            self._pin(parallel=False)
        exchanges = self._take_traffic(check.id)
        if incident is not None and incident.kind == SLOW:
            self._life.lose_worker()
            incident = None
        if incident is None and outcome is not None and outcome.kind != "ok":
            spared = [e for e in exchanges if e.note == WITHHELD]
            if spared:
                name = opcode_name(spared[0].opcode)
                reason = f"it needs {name}, which hung before"
                self._finish(replace(self._unasked(check, Verdict.NOTRUN), reason=reason))
                return
        if incident is not None and not incident.opcode:
            open_op = self.traffic.unanswered(exchanges, else_last=incident.kind == "crash")
            incident = replace(incident, opcode=open_op or check.op)
        result = judge(
            check, outcome, exchanges, incident, reproduce=self._reproduce(check), describe=self.traffic.describe
        )
        if self.environment.get("isolation") == "user" and check.layer != "wire":
            result = owners.excuse(result, exchanges, os.geteuid(), os.getegid())
        if incident is not None:
            self._note_incident(check, incident, result)
        self._finish(result)

    def _note_incident(self, check: Check, incident: Incident, result: CheckResult) -> None:
        self.incidents.append(incident)
        op = result.op
        self.troubles[op] += 1
        if self.troubles[op] >= QUARANTINE[incident.kind]:
            self._life.withheld.add(op)
        if incident.kind == "crash":
            self.emit(TargetDied(incident.detail))
        self._life.lose_worker()

    def _finish(self, result: CheckResult) -> None:
        self.results.append(result)
        self.emit(CheckFinished(self.baseline.applied(result)))

    def _unasked(self, check: Check, verdict: Verdict) -> CheckResult:
        return CheckResult(
            check.id, check.layer, check.op, check.title, check.level, verdict, ops=(check.op, *check.also),
            declared=check.op, reference=check.source, reproduce=self._reproduce(check), main=check.main,
        )  # fmt: skip

    def _skip(self, checks: list[Check], reason: str) -> None:
        for check in checks:
            self.number += 1
            self._finish(replace(self._unasked(check, Verdict.SKIP), reason=reason))

    def _not_run(self, checks: list[Check], reason: str) -> None:
        for check in checks:
            self.number += 1
            self._finish(replace(self._unasked(check, Verdict.NOTRUN), reason=reason))

    def _reproduce(self, check: Check) -> str:
        return reproduce(self.options, check.id, self.seed)

    def _take_traffic(self, check: str = "") -> list[Any]:
        exchanges = self._life.sandbox.exchanges() if self.life is not None else []
        self.traffic.feed(exchanges, check)
        return exchanges

    def _pin(self, *, parallel: bool) -> None:
        """Worker, relay and daemon on one processor: the wake-ups between them cost more than the work."""
        cpus = sorted(os.sched_getaffinity(0))
        here = linux.current_cpu()  # runs side by side each get the one that the scheduler found idle for them
        self._life.sandbox.call("affinity", cpus=cpus if parallel else [here if here in cpus else cpus[-1]])

    # -- the end

    def _close(self) -> None:
        if self.life is None:
            return
        life = self.life
        try:
            if life.running:
                life.part_worker()
                self._stop_target()
            if self.options.keep:
                self.environment["kept"] = self._keep()
        except FsprobeError:
            pass  # the sandbox is gone, and all in it
        finally:
            life.sandbox.close()

    def _keep(self) -> str:
        import tempfile

        directory = tempfile.mkdtemp(prefix="fsprobe-kept-")
        self._life.sandbox.call("keep", destination=directory)
        return directory

    def _document(self, exit_code: int | None) -> dict[str, Any]:
        life = self.life
        failure = self.failure.failure if self.failure else None
        stats = self.traffic.summary()
        operations = summarise(self.results, stats, self.library)
        evidence = Evidence(
            checks=tuple(self.results), operations=operations, library=self.library,
            incidents=tuple(self.incidents), start_failure=failure,
            mount_options=tuple(str(life.mount.get("options", "")).split(",")) if life else (),
            read_only=bool(self.environment.get("read_only")),
        )  # fmt: skip
        counted = [self.baseline.applied(result) for result in self.results]
        if self.notifications:
            self.environment["notifications"] = dict(self.notifications)
        leaked: dict[str, list[Any]] = {}
        if life is not None:
            lost = (f"{name} (a lost worker's)" for name in life.lost_work)
            leaked = {"files": [*life.leaked_files, *lost], "processes": life.leaked_processes}
        return document.build(
            target=self.target, environment=self.environment, checks=counted,
            operations=operations, diagnoses=mark_known(diagnose(evidence), counted),
            baseline=self.baseline.report(self.plan.known) if self.options.baseline else None,
            processes={"daemon_exits": life.exits if life else [], "restarts": self.restarts, "leaked": leaked},
            seconds=time.monotonic() - self.began, strict=self.options.strict, exit_code=exit_code,
            **self.traffic.timeline(),
        )  # fmt: skip
