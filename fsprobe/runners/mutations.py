"""Which faults a target is given by `fsprobe mutate`: every kind on every operation that it serves, and what of these
nobody could ever see, with the reason.

Owns the table of variants and the table of what is masked; knows nothing of asking.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from fsprobe.diagnose.operations import OPERATIONS
from fsprobe.relay import kinds
from fsprobe.wire import Opcode

LAYERS = ("wire", "mount")
LONG_DELAY = 60
"""Seconds of the kind `delay`: longer than any --timeout that a run of hundreds of faults can afford."""

HANGS = ("drop", "delay", "unique", "positive-errno", "length")
"""Kinds after which no answer comes."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule, tried in one layer. kind: as the table of `relay.kinds` names it. op: whom it has to be blamed on."""

    layer: str
    op: str
    kind: str
    rule: str


@dataclass(frozen=True, slots=True)
class Excluded:
    """A fault that is not tried, and why it could not be seen."""

    fault: Fault
    reason: str


@dataclass(frozen=True, slots=True)
class Served:
    """What the run without faults showed of one operation in one layer.

    errors: that it answered in some check that passes. cached: whether attributes in its replies are kept by the
    kernel for any time at all, so that somebody sees them. count: how many checks that pass were answered by it.
    """

    errors: frozenset[str] = frozenset()
    cached: bool = True
    count: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """The same of the whole target: operations by layer, and the checks that pass there."""

    served: Mapping[str, Mapping[str, Served]] = field(default_factory=dict)

    def has(self, layer: str, op: str) -> bool:
        """Whether an operation was answered with success in a check that passes."""
        return op in self.served.get(layer, {})


# Values of the kinds that take one. `map` has its errors from what the target itself answers.
VARIANTS: dict[str, tuple[str, ...]] = {
    "errno": ("=EIO", "=ENOSYS"),
    "delay": (f"={LONG_DELAY}",),
    "entries": tuple(f"={how}" for how in kinds.ENTRIES),
    "attr.FIELD": (
        "size=+1000", "mode=+1", "nlink=+1", "atime=+1000", "mtime=+1000", "ctime=+1000", "ino=+1000", "uid=+1",
        "gid=+1", "blocks=+8",
    ),
    "ignore.FIELD": kinds.IGNORED,
    "statfs.FIELD": ("blocks=0", "bfree=-1", "bsize=0", "namelen=0"),
}  # fmt: skip
# Besides the plain kind, on operations that come often enough: the same every other time, and by chance.
OFTEN = {"fake,every=2": ("WRITE", "SETATTR"), "flip,p=0.5": ("READ", "WRITE"), "short,every=2": ("READ",),
         "errno=EIO,p=0.5": ("READ", "WRITE", "LOOKUP", "GETATTR")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mask:
    """Faults that nobody can see in a layer ("" for both), and why. unless: an operation through which it shows
    after all, where the target serves it. kind: a prefix of what stands behind the colon, "" for any."""

    ops: tuple[str, ...]
    kind: str
    layer: str
    reason: str
    unless: str = ""


_ENTRY = tuple(sorted(kinds.KINDS["nodeid"].ops or ()))
_NO_ANSWER = ("FORGET", "BATCH_FORGET", "INTERRUPT")
_NOBODY_WAITS = ("RELEASE", "RELEASEDIR")
_INSIDE = "what the daemon keeps for a handle or a node that is never given back stays inside it"

MASKS: tuple[Mask, ...] = (
    *(Mask(_NO_ANSWER, kind, "", "no answer is due, so nobody sees that it is late, wrong or missing")
      for kind in ("errno", "delay", "unique", "positive-errno", "length")),
    Mask(("FORGET", "BATCH_FORGET"), "drop", "", _INSIDE),
    Mask(("FORGET", "BATCH_FORGET"), "fake", "", _INSIDE),
    Mask(("INTERRUPT",), "drop", "", "an interrupt is a wish: the request that it is for may be answered all the same"),
    Mask(("INTERRUPT",), "fake", "", "an interrupt is a wish: the request that it is for may be answered all the same"),
    Mask(_NOBODY_WAITS, "errno", "mount", "the kernel takes no notice of the answer"),
    Mask(_NOBODY_WAITS, "errno=ENOSYS", "wire", "a daemon that needs no RELEASE may say so"),
    *(Mask(_NOBODY_WAITS, kind, "mount", "no caller waits for the answer: the wire layer does")
      for kind in ("drop", "delay", "unique", "positive-errno", "length")),
    Mask(_NOBODY_WAITS, "fake", "", _INSIDE),
    Mask(("FSYNC", "FSYNCDIR", "SYNCFS"), "fake", "", "what was not made durable is lost with the power, not before"),
    Mask(("FLUSH",), "fake", "", "all that it must do is give back locks, and the target keeps none", unless="GETLK"),
    Mask(("ACCESS",), "fake", "wire", "who may do what is the caller's knowledge, who is root in the wire layer"),
    Mask(("STATFS",), "stale", "", "free space changes by other hands, too, or not at all"),
    Mask(("READLINK",), "stale", "", "the target of a symbolic link never changes"),
    Mask(("OPEN", "OPENDIR"), "fake", "", "a handle that the daemon never gave is its death, or means nothing to it"),
    Mask(("OPEN", "OPENDIR"), "errno=ENOSYS", "wire", "it is how a daemon without handles declines, for good"),
    Mask(("CREATE",), "errno=ENOSYS", "mount", "the kernel makes the file by MKNOD and OPEN instead"),
    Mask(("SETLKW",), "map=EINTR", "", "this error comes of an interrupt, and INTERRUPT is to blame for another"),
    Mask(("READDIRPLUS",), "entries=slash", "mount", "the kernel takes what came before and asks READDIR for the rest"),
    Mask(("IOCTL",), "errno=ENOSYS", "mount", "the kernel makes ENOTTY of it, as of every command that is not known"),
    Mask(_ENTRY, "nodeid", "mount", "the next request about it is the daemon's death or ESTALE, which then has the "
         "blame; the wire layer sees whose it is"),
    Mask(_ENTRY, "generation", "mount", "the kernel compares generations only of a node that is told twice, and for "
         "many daemons two names are two nodes; the wire layer compares all"),
)  # fmt: skip


def faults(seen: Seen) -> tuple[list[Fault], list[Excluded]]:
    """Every fault to try, in the order of layers and operations, and those that cannot be seen."""
    tried: list[Fault] = []
    left_out: list[Excluded] = []
    for layer in LAYERS:
        for opcode in Opcode:
            served = seen.served.get(layer, {}).get(opcode.name)
            if served is None or opcode in (Opcode.INIT, Opcode.DESTROY):
                continue
            for fault in _of(layer, opcode.name, served):
                reason = masked(fault, served, seen)
                if reason:
                    left_out.append(Excluded(fault, reason))
                else:
                    tried.append(fault)
    return tried, left_out


def _of(layer: str, op: str, served: Served) -> Iterable[Fault]:
    for kind in kinds.KINDS.values():
        if kind.name == kinds.WITHHOLD or not kinds.acts_on(kind, op):
            continue
        for value in _values(kind.name, op, served):
            yield Fault(layer, op, kind.name, f"{op}:{value}")


def _values(kind: str, op: str, served: Served) -> Sequence[str]:
    if kind == "map":
        return [f"map={error}>{'EIO' if error != 'EIO' else 'EPERM'}" for error in sorted(served.errors)]
    family = kind.partition(".")[0]
    if kind.endswith(".FIELD"):
        return [f"{family}.{value}" for value in VARIANTS[kind]]
    values = [f"{kind}{value}" for value in VARIANTS.get(kind, ("",))]
    often = [value for value, ops in OFTEN.items() if op in ops and value.partition(",")[0].partition("=")[0] == kind]
    return [*values, *often]


def masked(fault: Fault, served: Served, seen: Seen) -> str:
    """Why a fault cannot be seen; "" where it can."""
    behind = fault.rule.partition(":")[2]
    if fault.layer == "mount" and fault.kind in ("attr.FIELD", "neighbour") and not served.cached:
        return "the target lets the kernel keep these attributes for no time: it asks again before anybody sees them"
    if behind == "errno=ENOSYS" and fault.layer == "mount" and not _tells_enosys(fault.op):
        return f"the kernel makes of it: {OPERATIONS[fault.op].enosys.sees}"
    for mask in MASKS:
        fits = fault.op in mask.ops and behind.startswith(mask.kind) and mask.layer in ("", fault.layer)
        if fits and not (mask.unless and seen.has(fault.layer, mask.unless)):
            return mask.reason
    return ""


def _tells_enosys(op: str) -> bool:
    """Whether the application hears of an ENOSYS in any way."""
    return OPERATIONS[op].enosys.word != "INFO" and "uccess" not in OPERATIONS[op].enosys.sees
