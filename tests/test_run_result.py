"""What a run can be told, and the document that comes of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import Command
from tests.leaks import LeakWatch
from tests.reading import answered, asked, diagnosis, document_of, operations, verdicts, with_verdict
from tests.targets import TARGETS

pytestmark = pytest.mark.mount

OWN_SUITE = '''
"""A suite of the user's own."""

from fsprobe.checks import Finding, mount_check
from fsprobe.checks.mount import Mount


@mount_check("mine.keeps-text", op="WRITE", source="our own rules")
def keeps_text(m: Mount) -> None:
    """A text that was written is read back."""
    path = m.file("ours", b"ours")
    m.expect_equal(b"ours", m.read(path), "the text")


@mount_check("mine.never", op="READ", source="our own rules")
def never(m: Mount) -> None:
    """Nothing is ever right."""
    raise Finding("a miracle", "none")
'''


@pytest.mark.parametrize("name", ["bindfs", "hello", "squashfuse"])
def test_quick_touches_all_that_the_target_can_do(
    name: str, target_command: Callable[..., str], fsprobe: Command, leaks: LeakWatch
) -> None:
    """`--quick` is no sample: at least 60 questions, and every operation that the whole run finds working."""
    command = target_command(name)
    quick = document_of(fsprobe("run", command, "--quick"))
    whole = document_of(fsprobe("run", command))
    assert len(asked(quick)) >= 60
    untouched = [op for op in sorted(answered(whole)) if not quick["operations"][op]["requests"]]
    assert untouched == []
    can = {op for op, verdict in operations(whole).items() if verdict in ("ok", "partial")}
    assert {op for op in can if operations(quick)[op] == "untested"} == set()
    assert set(verdicts(quick)) < set(verdicts(whole))
    assert bool(quick["environment"].get("read_only")) is TARGETS[name].read_only
    assert leaks() == []


def test_document_says_what_was_tested(bindfs: str, fsprobe: Command) -> None:
    """Whoever reads the result a month later sees the command, the binary, the protocol and the machine."""
    document = document_of(fsprobe("run", bindfs, "--quick"))
    target, environment = document["target"], document["environment"]
    assert target["name"] == bindfs and target["fs_type"].startswith("fuse")
    assert len(target["binary_sha256"]) == 64 and target["pid"] and "libfuse" in target["library"]
    assert environment["protocol"].startswith("7.") and environment["init_flags"]
    assert environment["fsprobe"] and environment["kernel"]
    write = document["operations"]["WRITE"]
    assert sum(write["replies"].values()) <= write["requests"] and write["replies"]["ok"] > 0
    assert 0 < write["p50_us"] <= write["p99_us"] <= write["max_us"]
    assert {write[layer] for layer in ("wire", "mount", "shell")} == {"ok"}
    counted = sum(document["summary"]["counts"].values())
    assert counted == len(document["checks"]) == len(verdicts(document))


def test_json_on_standard_output(bindfs: str, fsprobe: Command) -> None:
    """`fsprobe run --json - | jq` works: nothing but the document is on standard output, the report is not lost."""
    result = fsprobe("run", bindfs, "--quick", "--json", "-")
    document = json.loads(result.stdout)
    assert document["schema"] == "fsprobe.result/1"
    assert document["summary"]["exit_code"] == result.exit_code
    assert "checks in" in result.stderr


def test_failed_start_on_standard_output(fsprobe: Command, target_command: Callable[..., str]) -> None:
    """A program that reads the JSON gets one also where the target did not start."""
    result = fsprobe("run", target_command("exits-at-once"), "--json", "-")
    assert json.loads(result.stdout)["summary"]["exit_code"] == result.exit_code == 4
    assert "no such volume" in result.stderr


def test_select_and_op(bindfs: str, fsprobe: Command) -> None:
    """One question can be asked again by itself, as every finding's `again` line promises."""
    one = document_of(fsprobe("run", bindfs, "--select", "posix.rename.moves"))
    assert verdicts(one) == {"posix.rename.moves": "PASS"}
    some = document_of(fsprobe("run", bindfs, "--op", "setattr", "--select", "shell.*"))
    assert "shell.historic.touch" in verdicts(some)
    assert all(check["layer"] == "shell" and "SETATTR" in check["ops"] for check in some["checks"])


def test_strict(bindfs: str, fsprobe: Command) -> None:
    """With --strict what is merely not offered is unexpected too."""
    only = ("--select", "protocol.[!s]*", "--quick")  # its SETATTR loses a time that is set alone
    assert fsprobe("run", bindfs, *only).exit_code == 0
    strict = fsprobe("run", bindfs, *only, "--strict")
    assert with_verdict(document_of(strict), "UNSUPPORTED") and strict.exit_code == 1


def test_injected_fault_is_blamed(bindfs: str, fsprobe: Command) -> None:
    """A fault put into a sound daemon's traffic is found and charged to its operation."""
    result = fsprobe("run", bindfs, "--quick", "--inject", "SETATTR:errno=ENOSYS")
    document = document_of(result)
    assert result.exit_code == 1
    assert operations(document)["SETATTR"] == "ENOSYS"
    cause = diagnosis(document, "SETATTR")
    assert cause["cause"] == "not-implemented"
    again = next(check["reproduce"] for check in document["checks"] if check["id"] == "shell.historic.touch")
    assert "SETATTR:errno=ENOSYS" in again and "--seed" in again


def test_seed_repeats_a_run(bindfs: str, fsprobe: Command) -> None:
    """What chance found can be found again: the same seed makes the same requests, another one other data."""
    only = ("--select", "posix.read.*", "--select", "posix.write.*")
    first, again, other = (
        document_of(fsprobe("run", bindfs, *only, "--seed", seed)) for seed in ("7", "7", "8")
    )
    assert [d["environment"]["seed"] for d in (first, again, other)] == [7, 7, 8]
    assert verdicts(first) == verdicts(again) == verdicts(other)

    def counts(document: dict[str, object]) -> dict[str, int]:
        rows = document["operations"]
        assert isinstance(rows, dict)
        return {op: rows[op]["requests"] for op in ("CREATE", "READ", "WRITE", "MKDIR", "UNLINK")}

    assert counts(first) == counts(again)
    drawn = document_of(fsprobe("run", bindfs, "--select", "posix.mkdir.creates"))
    assert f"--seed {drawn['environment']['seed']}" in drawn["checks"][0]["reproduce"]


def test_own_suite(bindfs: str, fsprobe: Command, scratch: Path) -> None:
    """A user's own checks are asked like ours, with the same verdicts, blame and report."""
    suite = scratch / "mine"
    suite.mkdir()
    (suite / "text.py").write_text(OWN_SUITE)
    result = fsprobe("run", bindfs, "--suite", str(suite))
    document = document_of(result)
    assert verdicts(document) == {"mine.keeps-text": "PASS", "mine.never": "FAIL"}
    failed = document["checks"][1]
    assert (failed["op"], failed["expected"], failed["observed"]) == ("READ", "a miracle", "none")
    assert result.exit_code == 1 and "mine.never" in result.stdout
    both = document_of(fsprobe("run", bindfs, "--suite", str(suite / "text.py"), "--suite", "posix", "--op", "WRITE"))
    assert "mine.keeps-text" in verdicts(both) and "posix.write.stores" in verdicts(both)


def test_timeout_bounds_a_hang(bindfs: str, fsprobe: Command, leaks: LeakWatch) -> None:
    """`--timeout 1` waits one second for a request that is never answered, and not the usual ten."""
    result = fsprobe("run", bindfs, "--op", "STATFS", "--inject", "STATFS:drop", "--timeout", "1")
    document = document_of(result)
    assert result.exit_code == 1
    assert operations(document)["STATFS"] == "hang"
    hung = [check for check in document["checks"] if check["verdict"] == "HANG"]
    assert hung and all(check["seconds"] < 6 for check in hung)
    assert result.seconds < 25, str(result)
    assert leaks() == []


def test_keep(bindfs: str, fsprobe: Command, scratch: Path) -> None:
    """`--keep` copies the run directory out and names it, and nothing else stays."""
    result = fsprobe("run", bindfs, "--select", "posix.mkdir.*", "--keep")
    kept = Path(document_of(result)["environment"]["kept"])
    assert kept.parent == scratch and (kept / "worker.log").is_file()
    assert str(kept) in result.stdout
    shutil.rmtree(kept)


def test_quiet(bindfs: str, fsprobe: Command) -> None:
    """A script that wants the report alone gets it alone: no progress on standard error."""
    result = fsprobe("run", bindfs, "--select", "posix.mkdir.*", "-q")
    assert result.exit_code == 0 and result.stderr == "", str(result)
    assert "MKDIR" in result.stdout


def test_nothing_left_to_check(bindfs: str, fsprobe: Command, leaks: LeakWatch) -> None:
    """Options that leave no check are no success: exit 5."""
    result = fsprobe("run", bindfs, "--select", "shell.*", "--no-mount")
    assert document_of(result)["checks"] == []
    assert result.exit_code == 5, str(result)
    assert leaks() == []
