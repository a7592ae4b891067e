"""The shell layer: programs at a terminal, on the mounted file system.

Owns the context that a shell check talks to and the layer that hands it out; knows nothing of verdicts or
traces. What a check leaves behind is removed when the layer is closed, not after each check, so that the
requests of a check's trace are its own.
"""

from __future__ import annotations

import errno
import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pexpect

from fsprobe.checks.check import Blocked, Check, Finding, Level, Lost, Skip, Unsupported
from fsprobe.checks.shell import Shell as ShellContext
from fsprobe.checks.suite import load_suite
from fsprobe.posix.files import total_size
from fsprobe.runners.earlier import remove_earlier
from fsprobe.runners.setup import ANYTHING, Setup
from fsprobe.runners.shell_place import Place, find_place, find_sample, mount_line
from fsprobe.runners.shell_script import of_commands
from fsprobe.runners.shell_terminal import Asked, Flooded, Terminal
from fsprobe.runners.shell_words import DECLINED, UNKNOWN_OPTION, Command, one_line, safe

__all__ = ["Command", "Shell", "ShellLayer"]

LAST_COMMANDS = 12
"""How many commands a check that did not pass tells of in its notes."""
SAMPLE_LINES = 2000
"""Lines of the file that `sample` makes: 1 to 2000, 8893 bytes, more than two pages."""


class Shell:
    """What one check works with: a bash in a directory of its own.

    `dir` is that directory (bash's working directory), `root` the mount point. `name("f")` is how a file of
    the check is called there: plain `f`, or with a prefix where the target has no directories. Nothing is
    touched before the first command.
    """

    def __init__(self, layer: ShellLayer, check: Check) -> None:
        self.notes: list[str] = []
        self.root = layer.setup.root
        self.is_root = layer.is_root
        self.writable = not layer.place.read_only
        self._layer = layer
        self._check = check
        self._dir = ""
        self._preparing = False
        self._history: list[str] = []
        self.ran: list[Command] = []
        self._private = ""

    # Names

    def name(self, base: str) -> str:
        """The name to use for a file of this check, quoted for the shell."""
        return shlex.quote(self._layer.place.prefix(self._check.id) + base)

    @property
    def dir(self) -> str:
        """The directory that commands run in: the check's own, or the root where none can be made."""
        if not self._dir:
            self._enter()
        return self._dir

    def sample(self) -> str:
        """A regular file to read, quoted for the shell: where the target can be written a new one, the numbers
        1 to 2000 on a line each, else one that was there before."""
        if not self.writable:
            if not self._layer.place.sample:
                raise Skip(self._layer.place.no_sample)
            return shlex.quote(os.path.relpath(self._layer.place.sample, self.dir))
        name = self.name("sample")
        with self.setup():
            self.must(f"seq {SAMPLE_LINES} > {name}")
        return name

    def private(self) -> str:
        """A directory outside the mount, quoted for the shell; removed after the check."""
        if not self._private:
            self._private = tempfile.mkdtemp(prefix="fsprobe-shell-")
        return shlex.quote(self._private)

    @property
    def uses_private(self) -> bool:
        """Whether it has worked outside the mount as well."""
        return bool(self._private)

    def mount_line(self) -> str:
        """The mount point's line of /proc/self/mountinfo, "" where the root is not one."""
        return safe(mount_line(self.root))

    # Running

    def run(self, command: str, timeout: float | None = None, *, anywhere: bool = False) -> Command:
        """Run a command line in `dir` and say how it ended, whatever its status.

        anywhere: the working directory does not matter, so that nothing has to be made. Raises Lost where it
        does not end within `timeout` seconds (the run's own limit where None), Finding where it waits for an
        answer at the terminal.
        """
        if not self._dir and not anywhere:
            self._enter()
        terminal = self._layer.terminal()
        try:
            done = terminal.run(command, self._layer.setup.timeout if timeout is None else timeout)
        except Asked as asked:
            self.notes += terminal.remarks
            raise self._failure(command, "it ends by itself", f"it waits for an answer: {asked}", 0) from None
        except Flooded as flooded:
            self.notes += terminal.remarks
            raise self._failure(command, f"an end of what `{one_line(command)}` prints", str(flooded), 0) from None
        except Lost as lost:
            self._history.append(f"$ {one_line(command)}  → {lost}")
            self.notes += terminal.remarks
            raise
        self._history.append(f"$ {one_line(command)}" + (f"  → {done.told()}" if done.status else ""))
        self.ran.append(done)
        return done

    def ok(self, command: str, *, optional: bool | None = None, timeout: float | None = None) -> Command:
        """Run a command that has to exit with 0.

        optional: whether a refusal that the kernel allows (not implemented, not supported, not permitted)
        means Unsupported; None takes it from the check's level. Raises Finding, Unsupported, Skip (the
        program is missing or does not know an option), in `setup` Blocked.
        """
        done = self.run(command, timeout)
        if done.status == 0:
            return done
        if done.status == 127 or UNKNOWN_OPTION.search(done.output):
            raise Skip(f"`{one_line(command)}`: {one_line(done.output)}")
        if optional is None:
            optional = self._check.level is Level.OPTIONAL
        if optional and not self._preparing and done.errno in DECLINED:
            if done.errno == errno.ENOSYS:
                self.notes.append("not implemented; programs understand `Operation not supported` better")
            raise Unsupported(done.told(), done.errno)
        raise self._failure(command, "exit 0", done.told(), done.errno)

    def must(self, command: str) -> Command:
        """Run a command that only prepares the question. Raises Blocked where it fails."""
        with self.setup():
            return self.ok(command)

    @contextmanager
    def setup(self) -> Iterator[None]:
        """Whatever fails inside only prepares the question: it raises Blocked, not Finding."""
        before, self._preparing = self._preparing, True
        try:
            yield
        finally:
            self._preparing = before

    def fails(self, command: str, *, matching: str = "", allowed: tuple[str, ...] = ()) -> Command:
        """Run a command that has to fail with `matching` in its output.

        allowed: other words that are legal but surprising. Raises Finding.
        """
        done = self.run(command)
        wanted = f"a failure with {matching!r}" if matching else "a failure"
        if done.status == 0:
            raise Finding(f"{wanted} from `{one_line(command)}`", "exit 0")
        if matching in done.output:
            return done
        if done.status == 127 or UNKNOWN_OPTION.search(done.output):
            raise Skip(f"`{one_line(command)}`: {one_line(done.output)}")
        raise Finding(wanted, done.told(), warn=any(word in done.output for word in allowed))

    # Judging

    def expect_equal(self, what: str, observed: object, expected: object) -> None:
        """Raises Finding (in `setup` Blocked) where the two differ; `what` names the thing in both halves."""
        if observed != expected:
            raise self._failure(what, f"{what}: {_show(expected)}", _show(observed), 0)

    def expect_output(self, command: str, expected: str) -> Command:
        """Run a command that has to exit with 0 and print exactly this (the last newline aside)."""
        done = self.ok(command)
        self.expect_equal(f"output of `{one_line(command)}`", done.output, expected)
        return done

    def expect_gone(self, name: str) -> None:
        """The name no longer exists. Raises Finding."""
        if self.run(f"[ -e {name} ] || [ -L {name} ]").status == 0:
            raise self._failure(name, f"{name} is gone", f"{name} is still there", 0)

    def warn(self, expected: str, observed: str) -> Finding:
        """A finding that is legal but surprising, to be raised."""
        return Finding(expected, observed, warn=True)

    def info(self, text: str) -> None:
        """Tell an observation that gates nothing."""
        self.notes.append(one_line(text))

    def _failure(self, call: str, expected: str, observed: str, number: int) -> Exception:
        if self._preparing:
            return Blocked(call, OSError(number, observed))
        return Finding(expected, observed)

    # The layer's side

    def _enter(self) -> None:
        """Make the check's directory and go there. Raises Blocked or Lost."""
        try:
            directory = self._layer.place.open_for(self._check.id)
        except OSError as error:
            raise Blocked("mkdir", error) from error
        done = self._layer.terminal().run(f"cd -- {shlex.quote(directory)}", self._layer.setup.timeout)
        if done.status:
            raise Blocked("cd", OSError(done.errno, done.told()))
        self._dir = directory

    def tell(self) -> None:
        """Put the commands so far into the notes, for whoever wants to repeat them."""
        self.notes += self._history[-LAST_COMMANDS:]

    def leave(self) -> None:
        """End what the check left running and remove what it left outside the mount."""
        if self._private:
            shutil.rmtree(self._private, ignore_errors=True)
        self._layer.tidy_terminal()


class ShellLayer:
    """One worker's shell layer: one place on the target, one bash at a time."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.place = Place(setup.root, setup.work)
        self.is_root = os.geteuid() == 0 and _all_users_mapped()
        self._terminal: Terminal | None = None
        self._shell: Shell | None = None

    def prepare(self) -> dict[str, str]:
        """Find out what can be done, starting bash. Only features that a loaded check needs are tried, for a
        probe may hang or crash the target."""
        try:
            self.terminal()
        except OSError as error:  # this machine's fault and not the target's, which the other layers have asked
            return {ANYTHING: f"the shell layer was left out: {error.strerror or error}"}
        needs = {
            need
            for name in self.setup.suites
            for check in load_suite(name)
            if check.layer == "shell"
            for need in check.needs
        }
        self.place = find_place(self.setup.root, self.setup.work, self.setup.read_only, self.setup.avoid)
        if self.place.read_only and "regular-file" in needs:
            hurt = sorted({"OPENDIR", "READDIR", "OPEN", "READ"} & set(self.setup.avoid))
            if hurt:
                self.place.no_sample = f"no file was looked for, as {hurt[0]} hung or crashed the target before"
            else:
                find_sample(self.place)
        features = {
            "write": self.place.no_write,
            "mkdir": self.place.no_mkdir,
            "read-only": self.place.not_read_only,
            "regular-file": self.place.no_sample,
            "root": "" if self.is_root else "this needs root with all users mapped",
            "mount-point": "" if mount_line(self.setup.root) else "a directory, not a mount point",
        }
        for need, (op, probe) in PROBES.items():
            if need in needs and op in self.setup.avoid:
                features[need] = f"{op} hung or crashed the target before"
            elif need in needs:
                features[need] = self.place.no_write or _refusal(need, probe, self.place)
        for need in needs:
            kind, _, program = need.partition(":")
            if kind == "program":
                features[need] = "" if shutil.which(program) else f"no program {program!r} in PATH"
        return features

    @contextmanager
    def context(self, check: Check) -> Iterator[ShellContext]:
        """A fresh directory and a living bash for one check."""
        self._shell = shell = Shell(self, check)
        try:
            yield shell
        except (Finding, Unsupported, Blocked, Skip, Lost):
            shell.tell()
            raise
        finally:
            shell.leave()

    def script(self, about: Sequence[str]) -> str:
        """A script that shows what the last check found, "" where its commands do not show it."""
        shell = self._shell
        if shell is None or self.place.read_only or not shell.ran or shell.uses_private:
            return ""
        return of_commands(shell.ran, shell.dir, about, os.environ.get("TMPDIR", "/tmp"))

    def terminal(self) -> Terminal:
        """The bash in use, a new one where the last was lost. Raises OSError where none can be started."""
        if self._terminal is None or not self._terminal.alive:
            try:
                self._terminal = Terminal()
            except (pexpect.ExceptionPexpect, FileNotFoundError) as error:
                raise OSError(errno.ENOENT, "it needs bash, which is not in PATH") from error
            except OSError as error:  # of openpty, or of Python's own, which has no number
                told = error.strerror or str(error)
                raise OSError(errno.ENOSPC, f"no terminal can be had ({told}): devpts has to be mounted on /dev/pts "
                              "with some to spare (its option max=, /proc/sys/kernel/pty)") from error  # fmt: skip
        return self._terminal

    def tidy_terminal(self) -> None:
        """Stop a bash that has children left: their output would end up in the next check."""
        if self._terminal is not None and self._terminal.background():
            self._terminal.stop()

    def size(self) -> int:
        """By statfs; 0 where that hung before."""
        return 0 if "STATFS" in self.setup.avoid else total_size(self.setup.root)

    def close(self) -> list[str]:
        """End bash, then remove what was made. Returns what could not be removed."""
        if self._terminal is not None:
            self._terminal.stop()
        return [*self.place.remove(), *remove_earlier(self.setup.root, self.setup.earlier)]


def _probe_symlink(path: str) -> None:
    os.symlink("target", path)


def _probe_hardlink(path: str) -> None:
    _touch(path)
    os.link(path, path + "2")


def _probe_xattr(path: str) -> None:
    _touch(path)
    os.setxattr(path, "user.fsprobe", b"1")


def _touch(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))


PROBES: dict[str, tuple[str, Callable[[str], None]]] = {
    "symlink": ("SYMLINK", _probe_symlink),
    "hardlink": ("LINK", _probe_hardlink),
    "xattr": ("SETXATTR", _probe_xattr),
}
"""Features that are found out by trying, each in a file of its own, and the operation that this asks for."""


def _refusal(feature: str, probe: Callable[[str], None], place: Place) -> str:
    name = f"probe-{feature}-{os.getpid()}"
    path = os.path.join(place.home, f"{place.work}-{name}" if place.no_mkdir else name)
    try:
        probe(path)
    except OSError as error:
        return f"{feature}: {error.strerror}"
    return ""


def _all_users_mapped() -> bool:
    """Whether this process may name any user: not so as the root of an unprivileged user namespace."""
    try:
        with open("/proc/self/uid_map", encoding="ascii") as file:
            return sum(int(line.split()[2]) for line in file) > 65536
    except OSError:
        return True


def _show(value: object) -> str:
    return one_line(value) or "nothing" if isinstance(value, str) else one_line(str(value))
