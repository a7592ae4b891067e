"""Result documents made by hand: what the screens of the report are tested with."""

from __future__ import annotations

from typing import Any

KERNEL = "6.18.44"
NOT_IMPLEMENTED = {
    # operation: (requests, handlers of fusepy, commands it breaks)
    "SETATTR": (48, "chmod chown truncate utimens", "touch chmod chown chgrp truncate tar rsync install cp"),
    "MKDIR": (14, "mkdir", "mkdir cp tar git rsync unzip"),
    "UNLINK": (21, "unlink", "rm mv ln git make vim"),
    "RMDIR": (6, "rmdir", "rmdir rm git"),
    "RENAME": (9, "rename", "mv sed git vim rsync install"),
    "MKNOD": (5, "mknod", "mkfifo mknod"),
    "LINK": (4, "link", "ln cp git"),
    "SYMLINK": (5, "symlink", "ln tar cp git npm"),
}
SOUND = {
    "LOOKUP": (412, {"ok": 301, "ENOENT": 111}), "FORGET": (57, {}), "GETATTR": (230, {"ok": 230}),
    "OPEN": (64, {"ok": 64}), "READ": (71, {"ok": 71}), "WRITE": (66, {"ok": 66}), "STATFS": (6, {"ok": 6}),
    "RELEASE": (64, {"ok": 64}), "FLUSH": (63, {"ok": 63}), "INIT": (3, {"ok": 3}), "OPENDIR": (22, {"ok": 22}),
    "READDIR": (41, {"ok": 41}), "RELEASEDIR": (22, {"ok": 22}), "ACCESS": (3, {"ok": 3}),
    "CREATE": (44, {"ok": 42, "EEXIST": 2}), "DESTROY": (2, {"ok": 2}),
}  # fmt: skip


def operation(verdict: str, requests: int, replies: dict[str, int], **more: Any) -> dict[str, Any]:
    """One row; the layers say the same as the whole unless told otherwise."""
    row = {
        "verdict": verdict, "requests": requests, "replies": replies, "p50_us": 31.4, "p99_us": 118.0,
        "max_us": 411.0, "wire": verdict, "mount": verdict, "shell": verdict, "handler": "", "breaks": [],
        "detail": "",
    }  # fmt: skip
    return row | more


def untested() -> dict[str, Any]:
    """A row that nobody asked for."""
    return operation("untested", 0, {}, p50_us=None, p99_us=None, max_us=None, wire=None, mount=None, shell=None)


def check(id: str, verdict: str, op: str, **more: Any) -> dict[str, Any]:
    """One check; its layer is told by the first word of its id."""
    layer = {"protocol": "wire", "posix": "mount", "shell": "shell"}[id.partition(".")[0]]
    row = {
        "id": id, "layer": layer, "op": op, "ops": [op], "title": "", "level": "MUST", "verdict": verdict,
        "expected": "", "observed": "", "errno": "", "seconds": 0.01, "reference": "catalogue 3.4", "trace": [],
        "reproduce": "", "reason": "", "blocked_by": "", "notes": [], "evidence": [],
    }  # fmt: skip
    return row | more


def document(name: str, operations: dict[str, Any], checks: list[Any], exit_code: int, **more: Any) -> dict[str, Any]:
    """A whole document, its counts taken from its checks."""
    counts: dict[str, int] = {}
    for one in checks:
        counts[one["verdict"]] = counts.get(one["verdict"], 0) + 1
    base = {
        "schema": "fsprobe.result/1",
        "target": {
            "name": name,
            "argv": ["/usr/bin/python3", "-m", "reference_fs", "{mountpoint}", "-f"],
            "fs_type": "fuse.reference_fs",
            "mount": "88 61 0:41 / /run/fsprobe/m rw,nosuid,nodev,relatime - fuse.reference_fs"
            " reference_fs rw,user_id=0,group_id=0",
            "pid": 4711,
            "library": "fusepy on libfuse 2.9",
            "binary_sha256": "9f2c4b7a10d3e5f60718293a4b5c6d7e8f90123456789abcdef0123456789abc",
        },
        "environment": {
            "fsprobe": "0.1.0", "kernel": KERNEL, "uid": 0, "protocol": "7.19, the kernel offers 7.45",
            "init_flags": ["ASYNC_READ", "ATOMIC_O_TRUNC", "BIG_WRITES", "FLOCK_LOCKS"],
            "capabilities": [], "degraded": [],
        },
        "operations": operations,
        "checks": checks,
        "diagnoses": [],
        "processes": {"daemon_exits": [], "restarts": 0, "leaked": {"mounts": [], "processes": [], "files": []}},
        "summary": {"counts": counts, "seconds": 3.21, "exit_code": exit_code},
    }  # fmt: skip
    return base | more


def _command(op: str, breaks: str) -> str:
    return "ln -s" if op == "SYMLINK" else breaks.split()[0]


def _sound_operations(**others: Any) -> dict[str, Any]:
    rows = {name: operation("ok", n, replies) for name, (n, replies) in SOUND.items()}
    rows["INIT"] |= {"shell": None}
    return rows | others | {name: untested() for name in ("BMAP", "IOCTL", "POLL", "LSEEK", "TMPFILE")}


def good() -> dict[str, Any]:
    """Everything works, an optional operation is declined, one check needs root."""
    operations = {
        name: operation("ok", n, {"ok": n}, handler=handler) for name, (n, handler, _) in NOT_IMPLEMENTED.items()
    }
    operations["FALLOCATE"] = operation("unsupported", 2, {"EOPNOTSUPP": 2}, shell=None)
    checks = [check(f"posix.op{n}.works", "PASS", "GETATTR") for n in range(120)]
    checks += [check("posix.fallocate.keep-size", "UNSUPPORTED", "FALLOCATE", level="OPTIONAL",
                     observed="EOPNOTSUPP: Operation not supported")]
    checks += [check(f"posix.chown.{n}", "SKIP", "SETATTR", reason="needs a second user") for n in ("uid", "gid")]
    return document("vexfs", _sound_operations(**operations), checks, 0)


def before_fix() -> dict[str, Any]:
    """The historic file system: eight operations answer ENOSYS, and touch fails."""
    operations, checks, diagnoses = {}, [], []
    for op, (requests, handler, breaks) in NOT_IMPLEMENTED.items():
        operations[op] = operation("ENOSYS", requests, {"ENOSYS": requests}, handler=handler, breaks=breaks.split())
        command = _command(op, breaks)
        ids = [f"protocol.{op.lower()}.implemented", f"posix.{op.lower()}.works", f"shell.{command.replace(' ', '')}"]
        for id in ids[:2]:
            checks.append(check(
                id, "FAIL", op, title=f"{op} does what it is asked.", expected="success",
                observed="ENOSYS: Function not implemented", errno="ENOSYS",
                trace=[f"{op} node 2 (/work/test.txt) → ENOSYS, 28 µs"],
                reproduce=f"fsprobe run vexfs:before-fix --select {id}"))  # fmt: skip
        checks.append(check(
            ids[2], "FAIL", op, title=f"`{command}` does its work.", expected="exit status 0",
            observed=f"{breaks.split()[0]}: Function not implemented", errno="ENOSYS"))  # fmt: skip
        diagnoses.append({
            "cause": "not-implemented", "op": op, "confidence": "proven",
            "summary": f"{op} is not implemented: the daemon answers ENOSYS",
            "evidence": [f"{op} was answered ENOSYS {requests} of {requests} times"],
            "fix": f"def {handler.split()[0]}(self, path, …): …", "checks": ids, "ops": [op],
        })  # fmt: skip
    operations["GETXATTR"] = operation("unsupported", 6, {"EOPNOTSUPP": 6})
    for one in checks:
        if one["id"] == "shell.touch":
            one["observed"] = "touch: setting times of 'test.txt': Function not implemented"
    checks += [check(f"posix.op{n}.works", "PASS", "GETATTR") for n in range(61)]
    checks += [check("posix.xattr.round-trip", "UNSUPPORTED", "GETXATTR", level="OPTIONAL", observed="EOPNOTSUPP")]
    checks += [check(f"posix.times.{n}", "SKIP", "SETATTR", reason="SETATTR stood in the way", blocked_by="SETATTR")
               for n in ("atime", "mtime", "ctime")]
    checks += [check("posix.getattr.nlink", "WARN", "GETATTR", level="SHOULD", title="A directory counts its links.",
                     expected="2", observed="a new directory has 0 links")]
    made = document("vexfs:before-fix", _sound_operations(**operations), checks, 1, diagnoses=diagnoses)
    made["target"]["argv"] += ["--profile", "before-fix"]
    return made


def hang() -> dict[str, Any]:
    """One operation never gets its reply; the checks behind it did not run."""
    operations = {"SETATTR": operation("hang", 3, {"ok": 1, "none": 2}, wire="hang", mount="hang", shell=None,
                                       p99_us=None, max_us=None, handler=".setattr", breaks=["touch", "chmod"])}
    checks = [
        check("protocol.setattr.size", "HANG", "SETATTR", title="Setting the size is answered.",
              expected="a reply", observed="no reply; the daemon is idle in its read of the device",
              trace=["LOOKUP node 1 name=a → node 2, 30 µs", "SETATTR node 2 size=0 → no reply for 0.4 s"],
              reproduce="fsprobe run ./vexfs_fuse --select protocol.setattr.size"),
        check("posix.setattr.truncate", "HANG", "SETATTR", expected="a reply", observed="no reply"),
        check("shell.touch.new", "NOTRUN", "SETATTR", reason="SETATTR hung twice and is not asked again"),
        *(check(f"posix.op{n}.works", "PASS", "GETATTR") for n in range(40)),
    ]  # fmt: skip
    diagnoses = [{
        "cause": "lost-reply", "op": "SETATTR", "confidence": "proven",
        "summary": "SETATTR is taken and never answered: the reply is lost in the daemon",
        "evidence": ["every thread of pid 4711 waits in its read of the device, none in a lock",
                     "unique 14 has been open for 0.4 s"],
        "fix": "Make sure that every path through setattr calls reply.attr(…) or reply.error(…).\n"
               "fn setattr(&mut self, req: &Request, ino: u64, …, reply: ReplyAttr)",
        "checks": ["protocol.setattr.size", "posix.setattr.truncate", "shell.touch.new"], "ops": ["SETATTR"],
    }]  # fmt: skip
    made = document("./vexfs_fuse", _sound_operations(**operations), checks, 1, diagnoses=diagnoses)
    made["target"] |= {"argv": ["/srv/vexfs_fuse", "{mountpoint}", "-f"], "library": "fuse 0.3 (Rust)"}
    made["environment"]["degraded"] = ["the relay masked FUSE_PASSTHROUGH: it needs the real device"]
    exits = [{"start": 1, "pid": 4711, "status": 9, "how": "killed by SIGKILL"}]
    made["processes"] |= {"daemon_exits": exits, "restarts": 2}
    return made


def not_mounted() -> dict[str, Any]:
    """The daemon ran and never mounted anything: nothing can be said of any operation."""
    diagnoses = [{
        "cause": "never-mounted", "op": "", "confidence": "proven",
        "summary": "the daemon ran for 10 s and never mounted anything",
        "evidence": ["it did not open /dev/fuse", "its last words: vexfs: waiting for configuration"],
        "fix": "Start it by hand with the command above and see what it waits for.", "checks": [], "ops": [],
    }]  # fmt: skip
    made = document("vexfs:not-mounted", {}, [], 4, diagnoses=diagnoses)
    made["target"] |= {"fs_type": "", "mount": "", "library": ""}
    made["environment"] |= {"protocol": "", "init_flags": []}
    made["summary"]["seconds"] = 10.02
    return made


def hostile() -> dict[str, Any]:
    """Names and messages that try to own the terminal, markup included."""
    evil = "[bold red]a[/] \x1b[2J\x07 \u202etxt.exe\nPASS 999 \udcff [link=http://x]"
    made = good()
    made["checks"][0] |= {"verdict": "FAIL", "observed": evil, "title": evil, "trace": [evil], "id": f"posix.{evil}"}
    made["target"] |= {"name": evil, "argv": [evil], "mount": evil}
    made["diagnoses"] = [{"cause": "wrong-data", "op": evil, "confidence": "likely", "summary": evil,
                          "evidence": [evil], "fix": evil, "checks": [f"posix.{evil}"], "ops": []}]
    return made
