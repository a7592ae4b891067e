"""Running the fsprobe command as a person would: in a process group of its own, and never for ever.

Owns the start, the end and what was printed; knows nothing of what the command does.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.leaks import TAG

NOBODY = 65534
# -P keeps the current directory out of the import path, as in the installed script.
LAUNCHER = (
    "-P",
    "-c",
    "import sys; sys.argv[0] = 'fsprobe'; from fsprobe.cli.start import entry; entry()",
)
# What a copy of the venv for another user can do without.
HEAVY = (
    "mypy*",
    "ruff*",
    "_hypothesis*",
    "hypothesis*",
    "pip*",
    "setuptools*",
    "__pycache__",
    "*fsprobe*",
    "playwright*",
)


@dataclass(frozen=True, slots=True)
class User:
    """Whom a command runs as. python: an interpreter this user can run, with fsprobe importable.

    device: whether the user may open /dev/fuse for reading and writing.
    """

    uid: int
    python: str
    device: bool

    def wrap(self, argv: list[str]) -> list[str]:
        """The argv that becomes this user first. Set-user-ID helpers keep working: no_new_privs stays off."""
        if self.uid == os.getuid():
            return argv
        return ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups", "--", *argv]


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended. document: the parsed result file, None where there is none."""

    argv: list[str]
    exit_code: int
    stdout: str
    stderr: str
    seconds: float
    document: dict[str, Any] | None

    def __str__(self) -> str:
        return (
            f"{' '.join(self.argv)}\nexit {self.exit_code} after {self.seconds:.1f} s\n"
            f"--- stdout\n{self.stdout[-6000:]}\n--- stderr\n{self.stderr[-3000:]}"
        )


class Running:
    """A command that has been started."""

    def __init__(
        self, argv: list[str], user: User, scratch: Path, env: Mapping[str, str], document: Path | None
    ) -> None:
        self.argv, self.scratch, self._document = argv, scratch, document
        self._began = time.monotonic()
        # Files, not pipes: a daemon that outlives the command cannot keep the test waiting at a pipe's end.
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `wait`
        self._err = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            user.wrap([user.python, *LAUNCHER, *argv]),
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
            env=dict(env),
            cwd=scratch,
            start_new_session=True,
        )

    def signal(self, number: int, *, group: bool = False) -> None:
        """Send a signal to the command, or to its whole group as a terminal's Ctrl-C does."""
        if group:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def stderr_now(self) -> str:
        """What it has written to standard error so far."""
        return os.pread(self._err.fileno(), 1 << 20, 0).decode(errors="replace")

    def wait(self, timeout: float = 60.0) -> Result:
        """The end. Where it does not come the group is killed: AssertionError with what was printed."""
        try:
            self.process.wait(timeout)
            late = False
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            late = True
        result = Result(
            ["fsprobe", *self.argv],
            self.process.returncode,
            _read(self._out),
            _read(self._err),
            time.monotonic() - self._began,
            _parse(self._document),
        )
        assert not late, f"no end within {timeout} s: {result}"
        return result


class Command:
    """`fsprobe(*args)`: run it to its end. `fsprobe.start(*args)`: run it and go on."""

    def __init__(self, scratch: Path, token: str) -> None:
        self.scratch = scratch
        self._token = token
        self._count = 0

    def start(
        self, *args: str, user: User | None = None, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> Running:
        """Start the command. A `run` writes its result file unless the arguments say where."""
        user = user or me()
        self._count += 1
        home = self.scratch / f"home-{user.uid}"
        home.mkdir(exist_ok=True)
        if os.getuid() == 0:
            os.chown(home, user.uid, user.uid)
        argv, document = list(args), None
        if args[:1] == ("run",) and "--json" not in args:
            document = home / f"result-{self._count}.json"
            argv[1:1] = ["--json", str(document)]
        return Running(argv, user, cwd or self.scratch, self._environment(home, env or {}), document)

    def __call__(
        self,
        *args: str,
        user: User | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 60.0,
        cwd: Path | None = None,
    ) -> Result:
        """Run the command to its end, at most `timeout` seconds. cwd: None is the test's own directory."""
        return self.start(*args, user=user, env=env, cwd=cwd).wait(timeout)

    def _environment(self, home: Path, extra: Mapping[str, str]) -> dict[str, str]:
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("FSPROBE_", "PYTEST_", "COV_"))
        }
        return {
            **kept,
            "HOME": str(home),
            "TMPDIR": str(self.scratch),
            "NO_COLOR": "1",
            TAG: self._token,
            **extra,
        }


def me() -> User:
    """The user that runs the tests."""
    return User(os.getuid(), sys.executable, os.access("/dev/fuse", os.R_OK | os.W_OK))


def nobody(shared: Path) -> User:
    """An ordinary user, and a Python for it: the venv's own, or a copy where its path is closed to others.

    Raises OSError with the reason where there can be none.
    """
    if os.getuid() != 0:
        return me()
    if shutil.which("setpriv") is None:
        raise OSError("setpriv is not installed")
    device = os.path.exists("/dev/fuse") and os.stat("/dev/fuse").st_mode & 0o006 == 0o006
    user = User(NOBODY, sys.executable, device)
    if not _works(user):
        user = User(NOBODY, str(_copied_python(shared)), device)
        if not _works(user):
            raise OSError(f"uid {NOBODY} can run neither {sys.executable} nor a copy of it")
    return user


def _works(user: User) -> bool:
    probe = user.wrap(
        [
            user.python,
            "-P",
            "-c",
            "import fsprobe.checks.suite as s, pexpect; next(s.suites_root().iterdir())",
        ]
    )
    return subprocess.run(probe, cwd="/", capture_output=True, timeout=30).returncode == 0


def _copied_python(shared: Path) -> Path:
    """A venv below `shared` with copies of fsprobe and of what it needs. No network."""
    place = shared / "python"
    base = os.path.realpath(sys.executable)
    subprocess.run(
        [base, "-m", "venv", "--without-pip", str(place)], check=True, capture_output=True, timeout=60
    )
    library = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    leave_out = shutil.ignore_patterns(*HEAVY)
    shutil.copytree(Path(sys.prefix) / library, place / library, ignore=leave_out, dirs_exist_ok=True)
    clone = Path(__file__).parent.parent
    for name in ("fsprobe", "reference_fs", "suites"):
        shutil.copytree(clone / name, place / library / name, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["chmod", "-R", "a+rX", str(place)], check=True, timeout=30)
    return place / "bin" / "python"


def _read(file: Any) -> str:
    file.seek(0)
    text = file.read().decode(errors="replace")
    file.close()
    return text


def _parse(path: Path | None) -> dict[str, Any] | None:
    if path is None or not path.is_file():
        return None
    document: dict[str, Any] = json.loads(path.read_text())
    return document
