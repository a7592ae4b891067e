"""The protocol suite: right on a correct daemon, and every check red under each of its killers."""

import ast
import os
from pathlib import Path

import pytest

from fsprobe.checks.check import Lost
from fsprobe.checks.suite import load_suite, unique_ids
from fsprobe.runners.kernel import WireLayer
from fsprobe.runners.setup import Setup
from fsprobe.runners.worker import run_check
from fsprobe.wire import Opcode
from tests.runners.memory_daemon import MemoryDaemon

CHECKS = unique_ids(load_suite("protocol"))
NEVER_ASKED = {"NOTIFY_REPLY", "SETUPMAPPING", "REMOVEMAPPING", "CUSE_INIT"}
"""Sent on the daemon's own wish, to virtiofs, or to character devices."""
# Profiles of the reference need its process; the relay's rules do not.
ROWS = [
    pytest.param(check, rule, id=f"{check.id}-{rule}")
    for check in CHECKS for rule in check.killers if not rule.startswith("vexfs")
]  # fmt: skip
# A request that is lost costs this; nothing else waits.
TIMEOUT = 0.1


def connect(rules=(), **daemon):
    server = MemoryDaemon(rules, **daemon)
    server.start()
    fd = os.dup(server.kernel.fileno())
    server.kernel.close()
    return server, WireLayer(Setup("wire", "", "work", (), timeout=TIMEOUT, socket_fd=fd, fs_type="fuseblk"))


@pytest.mark.parametrize("read_only", [False, True], ids=["full", "read-only"])
def test_a_correct_daemon_passes(read_only):
    """A false alarm costs an author a day, and us the trust."""
    server, layer = connect(read_only=read_only)
    features = layer.prepare()
    results = {check.id: run_check(layer, features, check) for check in CHECKS}
    assert {id: result for id, result in results.items() if result.kind not in ("ok", "skip")} == {}
    passed = [id for id, result in results.items() if result.kind == "ok"]
    assert len(passed) > (60 if read_only else 120)
    assert layer.close() == []
    layer.link._socket.close()
    server.join(5)
    assert server.wronged == []


def test_every_check_is_asked_somewhere():
    """A check that no target can meet the needs of is decoration."""
    met = set()
    for read_only in (False, True):
        _, layer = connect(read_only=read_only)
        features = layer.prepare()
        met |= {check.id for check in CHECKS if not any(features.get(need, "unknown") for need in check.needs)}
        layer.link._socket.close()
    assert {check.id for check in CHECKS} - met == set()


@pytest.mark.parametrize(("check", "rule"), ROWS)
def test_a_killer_turns_its_check_red(check, rule):
    """A check that no fault can fail says nothing."""
    _, layer = connect([rule], read_only="read-only" in check.needs)
    try:
        features = layer.prepare()
    except Lost as lost:
        assert check.op == "INIT", lost
        return
    finally:
        if check.op == "INIT":
            layer.link._socket.close()
    result = run_check(layer, features, check)
    refused = result.kind == "blocked" and result.call == check.op  # by the very operation that is asked about
    assert refused or result.kind in ("finding", "oserror", "lost"), result
    layer.link._socket.close()


def test_every_operation_is_asked_about():
    """An operation that is never sent cannot be found missing."""
    blamed = {check.op for check in CHECKS}
    assert {op.name for op in Opcode} - blamed == NEVER_ASKED
    main = {check.op for check in CHECKS if check.main}
    assert blamed - main == set(), "each operation has a check that asks whether it works at all"
    assert all(check.killers for check in CHECKS)


ONLY_IN_FULL = {"protocol.setlkw.waits"}
"""What takes longer than the rest of the layer together."""


def test_quick_is_quick_and_whole():
    """All of this layer takes a quarter of a second; --quick asks about every operation, read-only ones too."""
    quick = [check for check in CHECKS if check.quick]
    assert [check.id for check in CHECKS if check not in quick and check.id not in ONLY_IN_FULL] == []
    assert {check.op for check in quick} == {check.op for check in CHECKS}
    refused = [check for check in CHECKS if "read-only" in check.needs]
    assert [check.id for check in refused if not check.quick] == []


def test_what_may_kill_the_daemon_comes_last():
    """One panic on an unknown operation would cost a restart in the midst of the rest."""
    assert [check.id for check in CHECKS[-2:]] == ["protocol.unknown.opcode", "protocol.destroy.answered"]


def test_the_context_has_what_checks_call():
    """A misspelt helper would be an ERROR on the day that somebody needs it."""
    server, layer = connect()
    layer.prepare()
    kernel = layer._kernel()
    called = {
        node.attr
        for path in sorted({check.path for check in CHECKS})
        for node in ast.walk(ast.parse(Path(path).read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "k"
    }
    assert len(called) > 50
    assert {name for name in called if not hasattr(kernel, name)} == set()
    layer.link._socket.close()
    server.join(5)
