"""Targets that do not come to serve: exit 4 as soon as that is known, with their last words and a result file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import Command, Result
from tests.leaks import LeakWatch
from tests.reading import document_of

# What it takes on an idle machine is 0.2 to 1 s; the contract is 5.
AT_ONCE = 5.0
WAITED = 2.0
SAYS_NOTHING = ""

# target, cause of the first diagnosis ("" for none: it was never started), its last words
UNSTARTED = {
    "does-not-exist": "does not exist",
    "not-executable": "is not executable",
    "no-interpreter": "the kernel cannot start it",
}
ENDS = {
    "exits-at-once": "cannot open /var/lib/volume: no such volume",
    "prints-usage": "usage: prints_usage",
    "floods-output": "floods_output: giving up",
    "dies-before-init": "dies_before_init: out of memory",
    "dies-at-first-request": "dies_at_first_request: cannot handle opcode",
    "segfaults-at-first-request": "dies_at_first_request: cannot handle opcode",
    "refuses-init": SAYS_NOTHING,
}
STAYS = {
    "never-mounts": "never_mounts: connecting to the server",
    "never-answers-init": "never_answers_init: waiting",
}


def check_failed_start(result: Result, words: str) -> None:
    """Exit 4, a whole document in which nothing was checked, and the daemon's last words on the screen."""
    document = document_of(result)
    assert result.exit_code == 4, str(result)
    assert document["checks"] == [] and document["summary"]["counts"] == {}
    assert words in result.stdout + result.stderr, str(result)
    assert "Traceback" not in result.stderr, str(result)


@pytest.mark.parametrize("name", UNSTARTED)
def test_what_cannot_be_started(
    name: str, target_command: Callable[..., str], fsprobe: Command, leaks: LeakWatch
) -> None:
    """A wrong path is told as a wrong path, with the command that mends it, and not as a broken file system."""
    result = fsprobe("run", target_command(name))
    check_failed_start(result, UNSTARTED[name])
    assert UNSTARTED[name] in result.stderr
    assert result.seconds < AT_ONCE
    assert leaks() == []


@pytest.mark.mount
@pytest.mark.parametrize("name", ENDS)
def test_daemon_that_ends(
    name: str, target_command: Callable[..., str], fsprobe: Command, leaks: LeakWatch
) -> None:
    """A daemon that dies before it serves is reported at once, in its own words, and not after a time-out."""
    result = fsprobe("run", target_command(name))
    check_failed_start(result, ENDS[name])
    assert result.seconds < AT_ONCE, str(result)
    assert result.document is not None
    first = result.document["diagnoses"][0]
    assert (first["cause"], first["confidence"]) == ("never-mounted", "proven")
    assert first["summary"] in " ".join(result.stdout.split()), str(result)
    assert leaks() == []


@pytest.mark.mount
@pytest.mark.parametrize("options", [(), ("--no-relay",), ("--select", "shell.*")], ids=["all", "no-relay", "shell"])
@pytest.mark.parametrize("name", ["dies-at-first-request", "refuses-init"])
def test_daemon_that_ends_whatever_was_asked(
    name: str, options: tuple[str, ...], target_command: Callable[..., str], fsprobe: Command, leaks: LeakWatch
) -> None:
    """The same answer whichever layer comes first, with and without the relay."""
    result = fsprobe("run", target_command(name), "--quick", *options)
    check_failed_start(result, ENDS[name])
    assert result.seconds < AT_ONCE, str(result)
    assert leaks() == []


@pytest.mark.mount
@pytest.mark.parametrize("options", [(), ("--select", "posix.*")], ids=["all", "mount"])
@pytest.mark.parametrize("name", STAYS)
def test_daemon_that_stays_and_does_not_serve(
    name: str, options: tuple[str, ...], target_command: Callable[..., str], fsprobe: Command, leaks: LeakWatch
) -> None:
    """A daemon that waits for ever costs --start-timeout, no more, and is gone afterwards."""
    result = fsprobe("run", target_command(name), "--start-timeout", f"{WAITED:g}", *options)
    check_failed_start(result, STAYS[name])
    assert WAITED <= result.seconds < WAITED + AT_ONCE, str(result)
    assert f"{WAITED:g} s" in result.stdout, str(result)
    assert leaks() == []


@pytest.mark.mount
def test_slow_start_is_waited_for(
    scratch: Path, target_command: Callable[..., str], fsprobe: Command, leaks: LeakWatch
) -> None:
    """A daemon that needs a while is no broken one: it is ready when INIT is answered, not when a clock says so."""
    script = scratch / "slow"
    daemon = target_command("empty-directory").replace("{mountpoint}", '"$1"')
    script.write_text(f"#!/bin/sh\nsleep 1\nexec {daemon}\n")
    script.chmod(0o755)
    result = fsprobe("run", str(script), "--quick", "--select", "*readdir*", "--start-timeout", "20")
    document = document_of(result)
    assert result.exit_code in (0, 1), str(result)
    assert document["target"]["pid"]
    assert leaks() == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--no-such-option",), "--no-such-option"),
        (("vexfs:befor-fix",), "before-fix"),
        (("vexfs", "--select", "no.such.check.*"), "no.such.check"),
        (("vexfs", "--op", "NOSUCH"), "NOSUCH"),
        (("vexfs", "--suite", "/no/such/suite"), "/no/such/suite"),
        (("vexfs", "--inject", "SETATTR:no-such-kind"), "no-such-kind"),
        (("ls -l",), "{mountpoint}"),
        (("--native", "/no/such/directory"), "/no/such/directory"),
        (("vexfs", "--timeout", "0"), "timeout"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_usage_error(arguments: tuple[str, ...], told: str, fsprobe: Command, leaks: LeakWatch) -> None:
    """A slip of the fingers is exit 2 with the word that is wrong, before anything is started."""
    result = fsprobe("run", *arguments)
    assert result.exit_code == 2, str(result)
    assert told in result.stderr, str(result)
    assert "Traceback" not in result.stderr, str(result)
    assert result.seconds < AT_ONCE
    assert leaks() == []


def test_result_path_that_cannot_be_written(fsprobe: Command, scratch: Path) -> None:
    """Better told before the run than after it."""
    result = fsprobe("run", "vexfs", "--json", str(scratch / "no" / "such" / "result.json"))
    assert result.exit_code == 2 and "there is no directory" in result.stderr, str(result)
