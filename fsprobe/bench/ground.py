"""The directory on the kernel's own file system: the native column works there, and every `{source}` lies there.

Owns its keeper's start, what it is told and its end; knows nothing of the work. The session itself never touches that
file system, which may hang like any other.
"""

from __future__ import annotations

import os
import select
import subprocess
import tempfile
import uuid
from dataclasses import dataclass, replace

from fsprobe.config.target import SOURCE, Target
from fsprobe.errors import MachineError, UsageError
from fsprobe.relay.opening import end
from fsprobe.runners.native import mount_of
from fsprobe.sandbox import process

_PATIENCE = 10.0
_REMOVAL = 60.0


_MEMORY = "/dev/shm"
_ROOM = 1 << 30


def _in_memory() -> str:
    """A tmpfs with room for it, on which no disk has a say in the figures; "" where there is none."""
    mount = mount_of(_MEMORY)
    if mount is None or mount.fs_type != "tmpfs" or not os.access(_MEMORY, os.W_OK | os.X_OK):
        return ""
    space = os.statvfs(_MEMORY)
    return _MEMORY if space.f_bavail * space.f_frsize >= _ROOM else ""


@dataclass(slots=True)
class Ground:
    """path: the fresh directory. fs_type: of what it lies on."""

    path: str
    fs_type: str
    keeper: subprocess.Popen[str]
    sources: int = 0

    @classmethod
    def open(cls, directory: str) -> Ground:
        """Below that directory, or below the place for temporary files where it is "". Raises UsageError where there
        is none or nothing can be made there.
        """
        name = uuid.uuid4().hex[:12]
        base = os.path.abspath(directory) if directory else _in_memory() or os.path.realpath(tempfile.gettempdir())
        path = os.path.join(base, f".fsprobe-{name}" if directory else f"fsprobe-{name}")
        mount = mount_of(base)
        env = {key: value for key, value in os.environ.items() if key != process.RUN_TAG}
        keeper = subprocess.Popen(
            [*process.python_command("fsprobe.bench.keeper"), path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, start_new_session=True, env=env, cwd="/", text=True, bufsize=1,
        )  # fmt: skip
        ground = cls(path, mount.fs_type if mount else "unknown", keeper)
        try:
            said = ground.hear(_PATIENCE)
        except BaseException:
            ground.close()
            raise
        if said != "ready":
            ground.close()
            option = f"--native {directory}" if directory else base
            raise UsageError(f"{option}: no directory can be made there: {said.removeprefix('failed ')}")
        return ground

    def tell(self, line: str, patience: float = _PATIENCE) -> str:
        """Say a line and hear the answer. Raises MachineError where there is none."""
        assert self.keeper.stdin is not None
        try:
            self.keeper.stdin.write(f"{line}\n")
        except OSError as error:
            raise MachineError(f"{self.path}: its keeper is gone") from error
        return self.hear(patience)

    def hear(self, patience: float) -> str:
        """The next line of the keeper. Raises MachineError."""
        assert self.keeper.stdout is not None
        if not select.select([self.keeper.stdout], [], [], patience)[0]:
            raise MachineError(f"{self.path}: its file system does not answer within {patience:g} s")
        return self.keeper.stdout.readline().strip()

    def sourced(self, target: Target) -> tuple[Target, str]:
        """The target with a fresh `{source}` on this file system, and its name; "" where it wants none."""
        if not target.wants_source:
            return target, ""
        self.sources += 1
        name = f"source-{self.sources}"
        said = self.tell(f"source {name}")
        if said != "done":
            raise MachineError(f"{self.path}/{name} cannot be made: {said.removeprefix('failed ')}")
        argv = tuple(word.replace(SOURCE, f"{self.path}/{name}") for word in target.argv)
        return replace(target, argv=argv), name

    def remove(self, name: str) -> None:
        """A source that is used no more."""
        if name:
            self.tell(f"remove {name}", _REMOVAL)

    def close(self) -> bool:
        """Remove it all; whether that was done in time, and the keeper is gone."""
        for pipe in (self.keeper.stdin, self.keeper.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue
        try:
            self.keeper.wait(_REMOVAL)
        except subprocess.TimeoutExpired:
            end(self.keeper, 0.0)  # type: ignore[arg-type]
            return False
        return True
