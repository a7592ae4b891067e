"""The defects VexFS can repeat: a table, each row with what it breaks and which front can show it.

Owns the table; knows nothing of how a front breaks what a row says. Operations are named as in the protocol.
libfuse's high level makes regular files for MKNOD out of `create` and turns malformed replies into proper
ones, so a row that needs either is the raw front's alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

FUSEPY, MFUSEPY, RAW = "fusepy", "mfusepy", "raw"
FRONTS = (FUSEPY, MFUSEPY, RAW)

_LOCKS = frozenset({"GETLK", "SETLK", "SETLKW"})
_XATTRS = frozenset({"SETXATTR", "GETXATTR", "LISTXATTR", "REMOVEXATTR"})
_NEWER = frozenset(
    {"RENAME2", "FALLOCATE", "LSEEK", "COPY_FILE_RANGE", "COPY_FILE_RANGE_64", "TMPFILE", "STATX", "READDIRPLUS",
     "SYNCFS", "IOCTL", "POLL", "BMAP", "INTERRUPT"}
)
_NEVER_MADE = (
    _LOCKS | _XATTRS | _NEWER
    | {"RENAME", "LINK", "SYMLINK", "READLINK", "ACCESS", "FSYNC", "FSYNCDIR"}
)  # fmt: skip
_MADE_BY_THE_FIX = frozenset(
    {"SETATTR", "MKNOD", "MKDIR", "UNLINK", "RMDIR", "OPEN", "FLUSH", "RELEASE"}
)
CRASH_SIZE = 1 << 40
MALFORMED = ("positive-errno", "wrong-length", "wrong-unique")


@dataclass(frozen=True, slots=True)
class Profile:
    """One defect. fronts: which can show it, the preferred one first.

    absent: operations that no handler exists for, answered as a library does then (ENOSYS; OPEN, OPENDIR,
    RELEASE, RELEASEDIR and STATFS with success and zeros). noop: answered with success, nothing done. reply:
    what is wrong with every reply to the operation `on`: "lost", or one of MALFORMED. slash: names in listings
    have one. crash_truncate: a size of 1 TiB or more ends the daemon. relock: a search takes its lock twice.
    own_mount, stderr_pipe, flat_names: see `defects`. drops_open: a file without a name is gone though it is open.
    mounts: False where it never mounts.
    """

    name: str
    breaks: str
    fronts: tuple[str, ...] = FRONTS
    absent: frozenset[str] = frozenset()
    noop: frozenset[str] = frozenset()
    reply: str = ""
    on: str = ""
    slash: bool = False
    crash_truncate: bool = False
    relock: bool = False
    own_mount: bool = False
    stderr_pipe: bool = False
    flat_names: bool = False
    drops_open: bool = False
    mounts: bool = True


HEALTHY = Profile("healthy", "nothing")

PROFILES: tuple[Profile, ...] = (
    Profile(
        "before-fix",
        "only lookup, getattr, read, write, create and readdir exist: touch, mkdir, rm, mv, chmod fail with ENOSYS",
        fronts=(RAW,),
        absent=_NEVER_MADE | _MADE_BY_THE_FIX | {"OPENDIR", "RELEASEDIR", "STATFS"},
    ),
    Profile(
        "after-fix",
        "rename, link, symlink, readlink, xattrs, access, fsync and locks are missing; rmdir says yes and does nothing",
        fronts=(RAW, FUSEPY, MFUSEPY),  # without rename libfuse cannot hide what is removed while open
        absent=_NEVER_MADE | {"OPENDIR", "RELEASEDIR", "STATFS"},
        noop=frozenset({"RMDIR"}),
    ),
    Profile("missing-setattr", "SETATTR alone answers ENOSYS", absent=frozenset({"SETATTR"})),
    Profile(
        "lost-reply",
        "takes one operation and never answers it, idle all the while; lost-reply=OP names it (default SETATTR)",
        fronts=(RAW,),
        reply="lost", on="SETATTR",
    ),
    Profile(
        "positive-errno",
        "answers one operation with an errno of the wrong sign, which the kernel refuses; positive-errno=OP names it",
        fronts=(RAW,),
        reply="positive-errno", on="SETATTR",
    ),
    Profile(
        "wrong-length",
        "replies to one operation say that they are longer than they are; wrong-length=OP names it",
        fronts=(RAW,),
        reply="wrong-length", on="SETATTR",
    ),
    Profile(
        "wrong-unique",
        "replies to one operation name a request that there is not; wrong-unique=OP names it",
        fronts=(RAW,),
        reply="wrong-unique", on="SETATTR",
    ),
    Profile(
        "slash-dirent",
        "directory listings have a name with a slash, which the kernel refuses with EIO",
        fronts=(RAW,),
        absent=frozenset({"READDIRPLUS"}),  # so that it is READDIR that shows it, always
        slash=True,
    ),
    Profile("crash-on-truncate", "aborts when a file is truncated to 1 TiB or more", crash_truncate=True),
    Profile("search-relock", "a vector written to _vexfs/search makes it wait for a lock that it holds", relock=True),
    Profile("own-mount", "STATFS asks its own mount how full it is, and waits for itself", own_mount=True),
    Profile(
        "stderr-pipe",
        "logs every WRITE to a standard error that nobody reads, and hangs when that is full, after 64",
        stderr_pipe=True,
    ),
    Profile("flat-names", "a new file is the file of the same name in another directory, emptied", flat_names=True),
    Profile(
        "unlink-drops-inode",
        "an open file is gone as soon as it is unlinked",
        fronts=(RAW,),  # libfuse keeps such files by itself
        drops_open=True,
    ),
    Profile("not-mounted", "starts and stays alive, but never mounts", mounts=False),
)


def find_profile(text: str) -> Profile:
    """The profile of that name, `lost-reply=OP` and its like with their operation; "" is the healthy one.

    Raises ValueError that lists the names.
    """
    name, equals, value = text.partition("=")
    if not text:
        return HEALTHY
    for profile in PROFILES:
        if profile.name == name and (not equals or profile.on):
            return replace(profile, on=value.upper()) if equals else profile
    raise ValueError(f"no profile {text!r}; there are {', '.join(profile.name for profile in PROFILES)}")


def choose_front(profile: Profile, wanted: str | None) -> str:
    """The front to run: the one asked for, else the profile's own. Raises ValueError where it cannot show it."""
    if wanted is None:
        return profile.fronts[0]
    if wanted not in profile.fronts:
        raise ValueError(f"profile {profile.name!r} needs --front {' or '.join(profile.fronts)}, not {wanted}")
    return wanted
