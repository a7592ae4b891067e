"""The table of operations: a wrong number or a missing row and a report blames another operation."""

from __future__ import annotations

import pytest

from fsprobe.diagnose.operations import BY_OPCODE, MUTATORS, OPERATIONS, consequence, operation_name
from fsprobe.wire.opcodes import Opcode


def test_every_opcode_of_the_protocol_has_its_row() -> None:
    """A request that the codec knows is never reported by its bare number."""
    assert {op.name: op.value for op in Opcode} == {row.name: row.opcode for row in OPERATIONS.values()}


def test_an_unknown_number_is_shown_and_not_dropped() -> None:
    """A newer kernel's operation still shows in the report."""
    assert operation_name(99) == "OPCODE_99" and 99 not in BY_OPCODE


# catalogue 4: what the application sees, sticky, verdict
@pytest.mark.parametrize(
    ("op", "says", "sticky", "word"),
    [
        ("SETATTR", "Function not implemented", False, "FAIL"),
        ("SYMLINK", "Function not implemented", False, "UNSUPPORTED"),
        ("OPEN", "success", True, "INFO"),
        ("CREATE", "MKNOD", True, "UNSUPPORTED"),
        ("FSYNC", "success", True, "UNSUPPORTED"),
        ("ACCESS", "granted", True, "INFO"),
        ("RENAME2", "EINVAL", True, "UNSUPPORTED"),
        ("FALLOCATE", "EOPNOTSUPP", True, "UNSUPPORTED"),
        ("GETXATTR", "EOPNOTSUPP", True, "UNSUPPORTED"),
        ("IOCTL", "ENOTTY", False, "UNSUPPORTED"),
        ("LINK", "EPERM", False, "UNSUPPORTED"),
        ("SETLK", "ENOSYS", False, "FAIL"),
    ],
)
def test_what_the_kernel_makes_of_enosys(op: str, says: str, sticky: bool, word: str) -> None:
    """`fsprobe explain` must not tell the author that users see an error where they see success."""
    row = OPERATIONS[op].enosys
    assert (says in row.sees, row.sticky, row.word) == (True, sticky, word)


def test_the_consequence_reads_as_a_sentence() -> None:
    """The evidence of a diagnosis is meant for people."""
    assert consequence("SETATTR") == "the application sees ENOSYS itself: Function not implemented"
    assert consequence("FSYNC").endswith("(remembered: the daemon is never asked again)")


def test_touch_is_what_setattr_breaks_first() -> None:
    """The commonest report of all, `touch: setting times`, leads to its cause by name."""
    assert OPERATIONS["SETATTR"].breaks[0] == "touch"


def test_reading_operations_are_no_mutators() -> None:
    """A read-only file system is not blamed for answering reads."""
    assert not {"READ", "LOOKUP", "GETATTR", "READDIR", "STATFS", "GETXATTR"} & set(MUTATORS)
    assert {"WRITE", "CREATE", "SETATTR", "RENAME", "UNLINK", "MKDIR"} <= set(MUTATORS)
