"""A run from its options to its document: layers in turn, checks in turn, and an end whatever happens.

Owns the order of things and the record of what came out; never touches the mount. How a check is asked is
`ask`'s, how it is judged `verdict`'s, how the daemon lives `target_run`'s.
"""

from __future__ import annotations

import os
import time
import uuid
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from fsprobe.checks.check import Check
from fsprobe.diagnose.library import UNKNOWN, Library
from fsprobe.errors import FsprobeError, MachineError
from fsprobe.posix import linux
from fsprobe.relay.client import Sandbox
from fsprobe.relay.opening import Opening, levels
from fsprobe.results.baseline import Baseline
from fsprobe.results.records import CheckResult, Incident
from fsprobe.results.verdicts import Verdict
from fsprobe.runners import expectations, facts, owners, plan, unrelayed
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
from fsprobe.runners.findings import Findings, document_of
from fsprobe.runners.options import RunOptions
from fsprobe.runners.quarantine import Quarantine
from fsprobe.runners.reproduce import reproduce
from fsprobe.runners.scene import noted
from fsprobe.runners.script import kept
from fsprobe.runners.target_run import StartError, TargetRun, Unready
from fsprobe.runners.traffic import Traffic
from fsprobe.runners.verdict import judge
from fsprobe.wire import notification_name

MAX_RESTARTS = 24
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Shut:
    """Why the checks of a layer are not asked any more. about: the result of the one check that tells of it."""

    verdict: Verdict
    reason: str
    about: CheckResult | None = None


class Session:
    """One run on a daemon that fsprobe starts. `run` returns the document and never leaves anything behind.

    Check by check it is `begin`, `ask` as often as wanted, and in any case `close`.
    """

    def __init__(self, options: RunOptions, emit: Listener, made: plan.Plan | None = None) -> None:
        """made: the plan, where it was made before."""
        self.options, self.emit = options, emit
        self.baseline = options.baseline or Baseline()
        self.begun = self._begin()
        try:
            self.plan = made or plan.make(options)
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
        self.environment: dict[str, Any] = {**facts.environment(options.expect), "seed": self.seed}
        self.features: dict[str, str] = {}
        self.quarantine = Quarantine()
        self.avoid: list[str] = []
        self.restarts = 0
        self.notifications: Counter[str] = Counter()
        self.number = 0
        self.layer = ""
        self.shut: Shut | None = None
        self.life: TargetRun | None = None
        self.failure: StartError | None = None

    def run(self) -> dict[str, Any]:
        """The document. Raises FsprobeError with the partial document as its `document`."""
        self.emit(RunStarted(self.options, self.options.target_name))
        exit_code: int | None = None
        problem: FsprobeError | None = None
        try:
            self.begin()
            for checks in self.plan.layers.values():
                for check in checks:
                    self.ask(check)
            self._leave_layer()
            if self._life.lost_work:
                self._stop_target()
                self._life.clear(self.layer, self.seed, tuple(self.avoid))
                self._life.sandbox.exchanges()  # none of the checks'
        except KeyboardInterrupt:
            exit_code = INTERRUPTED
        except FsprobeError as error:
            problem, exit_code = error, error.exit_code
        finally:
            self.close()
        known = self.plan.known
        made = document_of(self.findings(), self.baseline, known, strict=self.options.strict, exit_code=exit_code)
        self.emit(RunFinished(made))
        if problem is not None:
            problem.document = made
            raise problem
        return made

    def begin(self) -> None:
        """Open the sandbox. Raises MachineError where nothing that was asked for can be done here."""
        self.life = self._open_life()
        self.life.withheld = self.quarantine.withheld
        for note in self.environment["degraded"]:
            self.emit(Notice(note))
        if "wire" not in self.plan.layers and not self.life.sandbox.mounter:
            fact = "nothing can be mounted here, and the wire layer was not asked for"
            raise MachineError(fact, command="fsprobe doctor")
        self._pin(parallel=False)

    def ask(self, check: Check) -> CheckResult:
        """One check, whose layer is entered where it is another than the last one's. The result as it counts.

        Raises StartError where the target cannot be started for a layer.
        """
        self.number += 1
        try:
            if check.layer != self.layer:
                self._enter_layer(check.layer)
        except StartError as error:
            self.failure = error
            raise
        if self.shut is None:
            self._mend()
        if self.shut is None:
            return self._finish(self._asked(check))
        if self.shut.about is not None and self.shut.about.id == check.id:
            return self._finish(self.shut.about)
        return self._finish(self._unasked(check, self.shut.verdict, self.shut.reason))

    # -- layers

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

    def _enter_layer(self, layer: str) -> None:
        spent = bool(self.layer) and self._life.asking is None  # its last check hung: so may whatever comes next
        self._leave_layer()
        self.layer, self.shut = layer, None
        life = self._life
        if layer != "wire" and not life.sandbox.mounter:
            self.shut = Shut(Verdict.SKIP, "nothing can be mounted here (fsprobe doctor)")
            return
        if life.running and (spent or life.mode != life.mode_of(layer)):
            self.restarts += spent and life.mode == life.mode_of(layer)
            self._stop_target()
        try:
            if not life.running:
                self._start(layer)
            else:
                self._open(layer)
        except Unready as unready:
            self._lose_layer(layer, unready.incident)
            return
        header = {"target": self.target, "environment": self.environment}
        self.emit(LayerStarted(layer, len(self.plan.layers[layer]), header))

    def _leave_layer(self) -> None:
        if self.layer:
            self._life.close_worker()
            self._take_traffic()

    def _lose_layer(self, layer: str, incident: Incident) -> None:
        """Nothing can be checked without what hung or crashed: its own check says so, the rest is not run.

        A target that dies before anything at all was checked did not start: raises StartError.
        """
        if incident.kind == "crash" and not self.results:
            raise self._life.not_serving(incident)
        self.incidents.append(incident)
        checks = self.plan.layers[layer]
        about = next((check for check in checks if check.op == incident.opcode), checks[0])
        result = judge(about, None, [], incident, reproduce=self._reproduce(about))
        self._stop_target()
        self.shut = Shut(Verdict.NOTRUN, f"nothing can be checked here: {incident.detail}", result)

    def _mend(self) -> None:
        """Start the target anew where it was lost; where that does not help the rest of the layer is not run."""
        try:
            if not self._usable(self.layer):
                self.shut = Shut(Verdict.NOTRUN, f"the target was restarted {MAX_RESTARTS} times already")
        except (StartError, Unready) as error:
            self.shut = Shut(Verdict.NOTRUN, f"the target could not be started again: {error}")

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
        agreed = facts.init_facts(self._take_traffic())
        self.environment |= agreed
        if self.library == UNKNOWN:
            self.library = facts.library_of(processes, self._target_argv(), agreed)
        self.target |= {"pid": life.pid, "library": self.library.label}
        if life.mount.get("line"):
            self.target |= {"mount": life.mount["line"]}
        self.target["fs_type"] = life.mount.get("fs_type") or self.target.get("fs_type", "")
        if life.mode.startswith("mount"):
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
        for note in facts.take_down(self.environment, self.features):
            self.emit(Notice(note))

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

    def _asked(self, check: Check) -> CheckResult:
        refused = self.quarantine.refuses(check, relayed=self._life.mode != "direct")
        if refused:
            return self._unasked(check, Verdict.NOTRUN, refused)
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
        spoilt = "" if incident or outcome is None else self.quarantine.spoilt(check, outcome, exchanges)
        if spoilt:
            return self._unasked(check, Verdict.NOTRUN, spoilt)
        if incident is not None and not incident.opcode:
            op = self.traffic.concerned(exchanges, incident.kind) or check.op
            incident = unrelayed.named(incident, outcome, op, seen=self._life.mode != "direct")
        again, describe = self._reproduce(check), self.traffic.describe
        result = judge(check, outcome, exchanges, incident, reproduce=again, describe=describe)
        if self.environment.get("isolation") == "user" and check.layer != "wire":
            result = owners.excuse(result, exchanges, os.geteuid(), os.getegid())
        result = expectations.excuse(result, exchanges, self.options.expect)
        return result if incident is None else self._note_incident(check, *noted(incident, result))

    def _note_incident(self, check: Check, incident: Incident, result: CheckResult) -> CheckResult:
        self.incidents.append(incident)
        self.quarantine.count(check, incident, result.op)
        if incident.kind == "crash":
            self.emit(TargetDied(incident.detail))
        self._life.lose_worker()
        return result

    def _finish(self, result: CheckResult) -> CheckResult:
        self.results.append(result)
        counted = self.baseline.applied(result)
        self.emit(CheckFinished(counted))
        return counted

    def _unasked(self, check: Check, verdict: Verdict, reason: str) -> CheckResult:
        return CheckResult(
            check.id, check.layer, check.op, check.title, check.level, verdict, ops=(check.op, *check.also),
            declared=check.op, reference=check.reference, reproduce=self._reproduce(check), main=check.main,
            reason=reason,
        )  # fmt: skip

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

    def close(self) -> None:
        """End the target and the sandbox; what was asked stays."""
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
        directory = kept(self.results)
        self._life.sandbox.call("keep", destination=directory)
        return directory

    def findings(self) -> Findings:
        """What was found so far."""
        life = self.life
        if self.notifications:
            self.environment["notifications"] = dict(self.notifications)
        leaked: dict[str, list[Any]] = {}
        if life is not None:
            lost = (f"{name} (a lost worker's)" for name in life.lost_work)
            leaked = {"files": [*life.leaked_files, *lost], "processes": life.leaked_processes}
        return Findings(
            target=self.target, environment=self.environment, results=self.results, incidents=self.incidents,
            stats=self.traffic.summary(), timeline=self.traffic.timeline(), library=self.library,
            failure=self.failure.failure if self.failure else None,
            mount_options=tuple(str(life.mount.get("options", "")).split(",")) if life else (),
            processes={"daemon_exits": life.exits if life else [], "restarts": self.restarts, "leaked": leaked,
                       "limits": life.limits if life else {}},
            seconds=time.monotonic() - self.began,
        )  # fmt: skip
