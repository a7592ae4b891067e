"""Which operation a failed check is the fault of, as far as the exchanges prove it.

Owns the rules of blame; knows nothing of verdicts. No rule looks at a time, so that a slow machine blames the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from fsprobe.checks.outcome import Outcome
from fsprobe.diagnose.operations import OPERATIONS, operation_name
from fsprobe.results.errnos import errno_in, errno_name
from fsprobe.trace.exchange import Exchange

_NO_ROOM = ("EFBIG", "ENOSPC", "EDQUOT")
"""What is daily work of a WRITE, and a fault where there should be room: of whoever answered it."""
_COUNT = slice(16, 20)  # struct fuse_write_out, after the header


def answered(exchange: Exchange) -> str:
    """The name of the errno that an exchange ended with, "" for success or no reply."""
    return errno_name(exchange.error or 0)


def is_fault(exchange: Exchange) -> bool:
    """Whether an exchange's error is no part of the operation's daily work, as far as that can be told alone.

    LOOKUP says ENOENT all day. An ENOSYS that the kernel makes into something else is no fault: the application
    never sees it.
    """
    name = answered(exchange)
    row = OPERATIONS.get(operation_name(exchange.opcode))
    if not name or row is None:
        return False
    return row.enosys.raw if name == "ENOSYS" else name not in row.normal


def blame(declared: str, layer: str, errno: str, exchanges: Sequence[Exchange]) -> str:
    """The operation at fault: the declared one, unless the exchanges prove another.

    errno: the name of the error that the failed call or command showed, "" where it showed none. The
    declared operation keeps the blame where it answered that error itself. Else the first operation whose
    answer was that error and a fault has it, also where the declared one answered an ENOSYS that the kernel hides, as
    it does IOCTL's: no call met that. An EIO that nobody answered is that of the first reply which a kernel does not
    take, and so is all that shows no error or one of daily work. With no error shown, another operation has
    it only where the declared one was never sent and a core operation answered ENOSYS raw: the check did not get
    that far.
    A program may say nothing but `unable to write`, or name what it met later: in the shell layer an operation that
    failed meanwhile is at fault, whatever the words.
    Without exchanges (no relay) it is the declared operation, always.
    """
    refused = [operation_name(e.opcode) for e in exchanges if e.reply is not None and e.note]
    mine = [exchange for exchange in exchanges if operation_name(exchange.opcode) == declared]
    if errno:
        if errno == "ENOSYS" and declared == "CREATE":
            # Once CREATE has answered ENOSYS the kernel asks MKNOD for ever: MKNOD's answer is then
            # CREATE's, and the blame must not depend on which check came first.
            mine += [exchange for exchange in exchanges if operation_name(exchange.opcode) == "MKNOD"]
        own = [exchange for exchange in mine if answered(exchange) == errno]
        if errno == "ENOSYS" and declared not in OPERATIONS:  # to what nobody knows it is the right answer
            own = []
        if own and refused and not any(map(is_fault, own)):
            return declared if declared in refused else refused[0]
        if own and (errno != "ENOSYS" or layer == "wire" or any(map(is_fault, own))):
            return declared
        guilty = sorted((e for e in exchanges if answered(e) == errno and is_fault(e)), key=_place)
        if not guilty and errno == "EIO":  # the kernel makes it of a reply that it cannot take
            guilty = [e for e in exchanges if e.reply is not None and e.note]
        if not guilty and errno == "EIO" and layer != "wire":
            guilty = [e for e in exchanges if _wrote_nothing(e)]
        if not guilty and errno == "ENOSYS" and layer == "wire":  # no kernel here that would make something of it
            guilty = [e for e in exchanges if answered(e) == errno]
        if not guilty and own:
            return declared
        if not guilty and errno in _NO_ROOM:
            guilty = [e for e in exchanges if answered(e) == errno]
        if not guilty and layer == "shell":
            guilty = _unsaid(declared, exchanges)
        if not guilty and refused:
            return refused[0]
    elif layer == "shell" and (unsaid := _unsaid(declared, exchanges)):
        guilty = unsaid
    elif refused:
        return declared if declared in refused else refused[0]
    elif mine:
        return declared
    else:
        guilty = [e for e in exchanges if answered(e) == "ENOSYS" and is_fault(e)]
    return operation_name(guilty[0].opcode) if guilty else declared


def _wrote_nothing(exchange: Exchange) -> bool:
    """Whether it is a WRITE that was answered with 0 bytes: to the caller that is EIO (fs/fuse/file.c)."""
    answer = exchange.reply or b""
    wrote = operation_name(exchange.opcode) == "WRITE" and exchange.error == 0 and len(answer) >= _COUNT.stop
    return wrote and not any(answer[_COUNT])


def _unsaid(declared: str, exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Faults that a program met and did not name, those of the declared operation first. What is optional and was
    declined is no fault, and neither is what the kernel asked for itself and let pass."""
    faults = [exchange for exchange in exchanges if is_fault(exchange) and not _declined(exchange)]
    faults = [e for e in faults if declared == "GETXATTR" or operation_name(e.opcode) != "GETXATTR"]
    return sorted(faults, key=lambda exchange: (operation_name(exchange.opcode) != declared, _place(exchange)))


def _place(exchange: Exchange) -> int:
    """Whom an error is charged to last: FLUSH tells an earlier one once more, and GETXATTR's mostly stays in the
    kernel, which asks for security.capability at every write (security/commoncap.c cap_inode_need_killpriv)."""
    return {"GETXATTR": 1, "FLUSH": 2}.get(operation_name(exchange.opcode), 0)


def _declined(exchange: Exchange) -> bool:
    row = OPERATIONS[operation_name(exchange.opcode)]
    return not row.core and answered(exchange) in row.declines


# What is sent while a check's files are removed and closed, whatever the check has found by then.
_TIDYING = frozenset({
    "LOOKUP", "GETATTR", "STATX", "ACCESS", "OPENDIR", "READDIR", "READDIRPLUS", "RELEASEDIR", "UNLINK", "RMDIR",
    "FORGET", "BATCH_FORGET", "FLUSH", "RELEASE", "GETXATTR", "INTERRUPT",
})  # fmt: skip


def stood_in_the_way(outcome: Outcome, exchanges: Sequence[Exchange], note: str) -> str:
    """The operation that was kept from the daemon (its exchanges carry the note) where a failure may come of that.

    It does not where the daemon itself had answered the error before, or where all that followed was tidying up.
    """
    spared = [exchange for exchange in exchanges if exchange.note == note]
    if not spared:
        return ""
    errno = errno_name(outcome.errno) or errno_in(outcome.observed)
    before = list(takewhile(lambda exchange: exchange is not spared[0], exchanges))
    if errno and any(answered(exchange) == errno and is_fault(exchange) for exchange in before):
        return ""
    if not errno and all(operation_name(exchange.opcode) in _TIDYING for exchange in exchanges[len(before) :]):
        return ""
    return operation_name(spared[0].opcode)
