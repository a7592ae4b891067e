"""Whatever ends a run, nothing of it stays, and nothing that it did not make is changed."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import Command, Running
from tests.leaks import LeakWatch
from tests.reading import document_of, leaked, with_verdict
from tests.tree import OURS, difference, make_content, picture

pytestmark = pytest.mark.mount

# From the first moment to well into the shell layer on an idle machine.
LONGEST = 2.5
END_WITHIN = 12.0
TARGETS = ("bindfs", "vexfs:raw", "vexfs:lost-reply=READ")
# Each signal to each target, and both to fsprobe alone and to its whole process group.
ENDINGS = [
    (target, name, (row + column) % 2 == 1)
    for row, name in enumerate(("INT", "TERM", "KILL"))
    for column, target in enumerate(TARGETS)
]


def wait_for_handlers(running: Running, limit: float = 20.0) -> None:
    """Until fsprobe itself catches SIGTERM: before that, Python's own start ends as Python pleases."""
    mask = 1 << (signal.SIGTERM - 1)
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline and running.process.poll() is None:
        status = Path(f"/proc/{running.process.pid}/status").read_text()
        caught = next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")), "0")
        if int(caught, 16) & mask:
            return
        time.sleep(0.005)
    raise AssertionError(f"fsprobe never caught SIGTERM: {running.wait(1)}")


def unix_sockets(place: Path) -> list[str]:
    """Names of unix sockets that could be a run's."""
    lines = Path("/proc/net/unix").read_text().splitlines()[1:]
    names = [line.split(None, 7)[7] for line in lines if len(line.split(None, 7)) == 8]
    return [name for name in names if str(place) in name or "fsprobe" in name.removeprefix("@")[:16]]


@pytest.mark.parametrize(("target", "name", "group"), ENDINGS)
def test_ended_at_any_moment(
    target: str, name: str, group: bool,
    target_command: Callable[..., str], fsprobe: Command, leaks: LeakWatch, scratch: Path,
) -> None:  # fmt: skip
    """Ctrl-C, kill and kill -9 leave no mount, process, socket or file; the first two leave a partial result."""
    number = signal.Signals[f"SIG{name}"]
    moment = random.Random(f"{target} {name} {group}").uniform(0, LONGEST)
    command = target_command(target) if target == "bindfs" else target
    before = unix_sockets(scratch)
    running = fsprobe.start("run", command)
    if number != signal.SIGKILL:
        wait_for_handlers(running)
    time.sleep(moment)
    assert running.process.poll() is None, f"over before {moment:.2f} s: {running.wait(1)}"
    running.signal(number, group=group)
    sent = time.monotonic()
    result = running.wait(END_WITHIN)
    assert time.monotonic() - sent < END_WITHIN
    assert leaks(5.0) == [], f"after {name} at {moment:.2f} s"
    assert [item for item in unix_sockets(scratch) if item not in before] == []
    if number == signal.SIGKILL:
        assert result.exit_code == -signal.SIGKILL
        return
    assert result.exit_code == 130, str(result)
    document_of(result)
    assert "Traceback" not in result.stderr, str(result)


def test_second_interrupt_is_no_worse(bindfs: str, fsprobe: Command, leaks: LeakWatch) -> None:
    """An impatient second Ctrl-C costs neither the result nor the cleaning up."""
    running = fsprobe.start("run", bindfs)
    wait_for_handlers(running)
    time.sleep(1.0)
    for _ in range(3):
        running.signal(signal.SIGINT, group=True)
        time.sleep(0.02)
    result = running.wait(END_WITHIN)
    assert leaks(5.0) == []
    assert result.exit_code == 130, str(result)
    document_of(result)


@pytest.mark.parametrize("options", [(), ("--quick",), ("--no-relay", "--quick")], ids=["whole", "quick", "no-relay"])
def test_content_of_the_target_is_untouched(
    options: tuple[str, ...], fsprobe: Command, leaks: LeakWatch, bindfs: str, scratch: Path
) -> None:
    """Someone points it at a live tree: not a byte, a time or a mode of it is another afterwards."""
    tree = scratch / "tree"
    tree.mkdir()
    make_content(tree)
    before = picture(tree)
    result = fsprobe("run", bindfs.replace("{source}", str(tree)), *options)
    document = document_of(result)
    assert result.exit_code in (0, 1), str(result)
    assert difference(before, picture(tree)) == []
    assert leaked(document) == []
    assert leaks() == []


@pytest.mark.parametrize("name", ["INT", "TERM", "KILL"])
def test_content_is_untouched_by_an_interrupted_run(
    name: str, fsprobe: Command, leaks: LeakWatch, bindfs: str, scratch: Path
) -> None:
    """Also when the run is ended in the middle: what it made is removed, or named where it was killed."""
    tree = scratch / "tree"
    tree.mkdir()
    make_content(tree)
    before = picture(tree)
    running = fsprobe.start("run", bindfs.replace("{source}", str(tree)))
    wait_for_handlers(running)
    time.sleep(random.Random(name).uniform(0.5, LONGEST))
    running.signal(signal.Signals[f"SIG{name}"])
    result = running.wait(END_WITHIN)
    assert leaks(5.0) == []
    killed = name == "KILL"
    assert difference(before, picture(tree, but_ours=killed)) == []
    if not killed:
        assert result.exit_code == 130, str(result)
        assert leaked(document_of(result)) == []


@pytest.mark.parametrize("how", ["whole", "quick", "interrupted"])
def test_native_directory_is_untouched(how: str, fsprobe: Command, leaks: LeakWatch, scratch: Path) -> None:
    """`--native` works in the user's own directory: beside its content, never on it."""
    tree = scratch / "tree"
    tree.mkdir()
    make_content(tree)
    before = picture(tree)
    running = fsprobe.start("run", "--native", str(tree), *(("--quick",) if how == "quick" else ()))
    if how == "interrupted":
        wait_for_handlers(running)
        deadline = time.monotonic() + 10
        while not list(tree.glob(f"{OURS}*")) and time.monotonic() < deadline:
            time.sleep(0.01)
        running.signal(signal.SIGINT)
    result = running.wait(60)
    document = document_of(result)
    assert result.exit_code == (130 if how == "interrupted" else 0), str(result)
    assert difference(before, picture(tree)) == []
    assert leaked(document) == []
    assert leaks() == []


def test_read_only_content_is_listed_and_not_tried(fsprobe: Command, bindfs: str, scratch: Path) -> None:
    """On a tree where nothing may be made, nothing is made, changed or removed either."""
    tree = scratch / "tree"
    tree.mkdir()
    make_content(tree)
    before = picture(tree)
    command = bindfs.replace("{source}", str(tree)).replace("bindfs ", "bindfs -o ro ")
    result = fsprobe("run", command, "--quick")
    document = document_of(result)
    assert document["environment"].get("read_only") is True, str(result)
    assert difference(before, picture(tree)) == []
    assert os.listdir(tree)


def test_what_lost_workers_made_is_removed_before_the_connection_is_destroyed(
    fsprobe: Command, bindfs: str, scratch: Path
) -> None:
    """A target that keeps its files would keep the directories of workers that a hang cost, and nobody be told."""
    tree = scratch / "kept"
    tree.mkdir()
    result = fsprobe("run", bindfs.replace("{source}", str(tree)), "--no-mount", "--inject", "SETATTR:drop")
    assert with_verdict(document_of(result), "HANG")
    assert os.listdir(tree) == [] and leaked(document_of(result)) == []
