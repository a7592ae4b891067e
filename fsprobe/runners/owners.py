"""Owners that a user namespace does not map: what the kernel refuses there by itself is no fault of the target.

Owns telling such refusals from the daemon's own; knows nothing of how the namespace was made. There only the
user's own ids are mapped: the kernel answers EACCES or EOVERFLOW where an inode has another owner (fs/namei.c
inode_permission, may_create), and EPERM where only its owner may do something.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace

from fsprobe.relay.fields import ATTR, ATTR_OFFSET
from fsprobe.results.errnos import errno_name
from fsprobe.results.records import CheckResult
from fsprobe.results.verdicts import Verdict
from fsprobe.trace.exchange import Exchange
from fsprobe.wire import Opcode

_REFUSALS = frozenset({"EACCES", "EPERM", "EOVERFLOW"})
_JUDGED = frozenset({Verdict.FAIL, Verdict.WARN, Verdict.UNSUPPORTED})
_OWNER = ATTR["uid"][0]  # uid and gid lie side by side


def excuse(result: CheckResult, exchanges: Sequence[Exchange], uid: int, gid: int) -> CheckResult:
    """The result as it is, or SKIP where the kernel refused what a check did with somebody else's file.

    exchanges: those of the check. uid, gid: the run's own, which alone are mapped.
    """
    if result.verdict not in _JUDGED or result.errno not in _REFUSALS:
        return result
    if any(errno_name(exchange.error or 0) == result.errno for exchange in exchanges):
        return result  # the daemon itself said so
    owner = foreign_owner(exchanges, uid, gid)
    if owner is None:
        return result
    reason = (
        f"the target reports owner {owner[0]}:{owner[1]}, which is not mapped in this user namespace: "
        f"the kernel itself refuses with {result.errno}"
    )
    return replace(result, verdict=Verdict.SKIP, reason=reason)


def foreign_owner(exchanges: Sequence[Exchange], uid: int, gid: int) -> tuple[int, int] | None:
    """The first owner and group in a reply that are not the run's own, None where there are none."""
    for exchange in exchanges:
        if exchange.reply is None or exchange.error != 0 or exchange.opcode not in ATTR_OFFSET:
            continue
        at = ATTR_OFFSET[Opcode(exchange.opcode)] + _OWNER
        if len(exchange.reply) < at + 8:
            continue
        owner, group = struct.unpack_from("=II", exchange.reply, at)
        if (owner, group) != (uid, gid):
            return owner, group
    return None
