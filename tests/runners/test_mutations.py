"""Which faults are tried on a target, and which are left out with a reason."""

from __future__ import annotations

import pytest

from fsprobe.relay import kinds
from fsprobe.relay.rules import parse
from fsprobe.runners import mutations
from fsprobe.runners.mutations import MASKS, Fault, Seen, Served, faults
from fsprobe.wire import Opcode


def everything_but(absent: str) -> Seen:
    served = {op.name: Served(errors=frozenset({"ENOENT", "EINTR"}), count=1) for op in Opcode if op.name != absent}
    return Seen(dict.fromkeys(mutations.LAYERS, served))


EVERYTHING = everything_but("")


def rules(found: list[Fault], layer: str, op: str) -> set[str]:
    return {fault.rule.partition(":")[2] for fault in found if (fault.layer, fault.op) == (layer, op)}


def test_every_kind_is_tried_on_every_operation_where_it_applies() -> None:
    """A kind of fault that is never injected says nothing about whether it would be seen."""
    tried, left_out = faults(EVERYTHING)
    every = [*tried, *(one.fault for one in left_out)]
    missing = [
        (layer, op.name, kind.name)
        for layer in mutations.LAYERS for op in Opcode if op not in (Opcode.INIT, Opcode.DESTROY)
        for kind in kinds.KINDS.values() if kind.name != kinds.WITHHOLD and kinds.acts_on(kind, op.name)
        and not any((f.layer, f.op, f.kind) == (layer, op.name, kind.name) for f in every)
    ]  # fmt: skip
    assert missing == [] and len(tried) >= 100
    assert len(set(every)) == len(every), "a fault that is tried twice counts twice"


def test_every_fault_is_a_rule() -> None:
    """A rule that is refused in the middle of a run of hundreds would cost all of it."""
    tried, left_out = faults(EVERYTHING)
    for fault in [*tried, *(one.fault for one in left_out)]:
        rule = parse(fault.rule)
        assert rule.opcode == Opcode[fault.op] and kinds.find(rule.kind) is kinds.KINDS[fault.kind]


def test_what_is_not_served_is_not_tried() -> None:
    """A fault in an operation that the target never answers cannot be seen, and would count as missed."""
    tried, _ = faults(Seen({"mount": {"STATFS": Served(count=1)}}))
    assert {(fault.layer, fault.op) for fault in tried} == {("mount", "STATFS")}


@pytest.mark.parametrize("mask", MASKS, ids=lambda mask: f"{mask.ops[0]}-{mask.kind}-{mask.layer or 'both'}")
def test_every_mask_leaves_something_out(mask: mutations.Mask) -> None:
    """An exclusion that excludes nothing hides a slip of the pen; one without a reason hides a hole."""
    _, left_out = faults(everything_but(mask.unless))
    assert [one for one in left_out if one.reason == mask.reason and one.fault.op in mask.ops]


def test_what_the_kernel_keeps_for_no_time_is_left_out_with_the_reason() -> None:
    """Attributes of a new name that nobody may remember are asked for again before anybody sees them."""
    def fields(cached: bool) -> set[str]:
        tried, _ = faults(Seen({"mount": {"MKDIR": Served(cached=cached, count=1)}}))
        return {rule for rule in rules(tried, "mount", "MKDIR") if rule.startswith("attr.")}

    assert fields(True) and not fields(False)


def test_errors_that_the_target_answers_are_turned_into_others() -> None:
    """The wrong errno for a missing name is the commonest lie of all."""
    tried, _ = faults(Seen({"wire": {"LOOKUP": Served(errors=frozenset({"ENOENT", "EIO"}), count=1)}}))
    assert {"map=ENOENT>EIO", "map=EIO>EPERM"} <= rules(tried, "wire", "LOOKUP")
