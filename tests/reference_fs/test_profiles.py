"""The defects, each on a real mount: programs fail the way they did, and only that way."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_fs.profiles import FRONTS, MALFORMED, PROFILES, choose_front, find_profile
from tests.reference_fs.mounted import on_mount
from tests.reference_fs.test_fronts import pytestmark as needs_a_mount

NOT_IMPLEMENTED = "Function not implemented"

CASES: list[tuple[str, tuple[str, ...], str, list[str]]] = [
    (
        "missing-setattr", FRONTS, "touch f; echo x > g; mkdir d; mv g d; chmod 600 d/g; cat d/g",
        [f"touch: setting times of 'f': {NOT_IMPLEMENTED}",
         f"chmod: changing permissions of 'd/g': {NOT_IMPLEMENTED}", "x"],
    ),
    (
        "before-fix", ("raw",),
        "touch f; echo x > g; cat g; mkdir d; rm g; mv g h; ln g h; ln -s g h; mkfifo p; ls -I _vexfs;"
        "stat -f . >/dev/null",
        [f"touch: setting times of 'f': {NOT_IMPLEMENTED}", "x",
         f"mkdir: cannot create directory 'd': {NOT_IMPLEMENTED}",
         f"rm: cannot remove 'g': {NOT_IMPLEMENTED}", f"mv: cannot move 'g' to 'h': {NOT_IMPLEMENTED}",
         f"ln: failed to create symbolic link 'h': {NOT_IMPLEMENTED}",
         f"mkfifo: cannot create fifo 'p': {NOT_IMPLEMENTED}", "f", "g"],
    ),
    (
        "after-fix", FRONTS, "touch f; mkdir d; rmdir d; echo $?; rm f; touch g; mv g h; ln -s g h; ls -I _vexfs",
        ["0", f"mv: cannot move 'g' to 'h': {NOT_IMPLEMENTED}",
         f"ln: failed to create symbolic link 'h': {NOT_IMPLEMENTED}", "d", "g"],
    ),
    ("slash-dirent", ("raw",), "mkdir d; ls d; touch d/f; ls d; cat d/f; rm d/f; ls d; rmdir d",
     ["ls: reading directory 'd': Input/output error"]),
    ("crash-on-truncate", FRONTS, "truncate -s 1G f; stat -c %s f", ["1073741824"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("profile", "front", "work", "wanted"),
    [
        pytest.param(profile, front, work, wanted, id=f"{profile}-{front}", marks=needs_a_mount)
        for profile, fronts, work, wanted in CASES for front in fronts
    ],
)  # fmt: skip
def test_programs_fail_as_they_did(profile: str, front: str, work: str, wanted: list[str], tmp_path: Path) -> None:
    """What fsprobe has to find must be there to be found."""
    done = on_mount(tmp_path / "mnt", work, "--front", front, "--profile", profile)
    links = "ln: failed to create hard link"  # its errno depends on the kernel (checks of LINK)
    assert [line for line in done.lines if not line.startswith(links)] == wanted
    assert done.status == 0


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("mark", [pytest.param(None, marks=needs_a_mount)])
def test_a_crash_is_a_crash(mark: None, front: str, tmp_path: Path) -> None:
    """Killed by its own SIGABRT, as a failed allocation does it."""
    work = "truncate -s 2T f 2>/dev/null; ls 2>&1 | sed 's/.*: //'"
    done = on_mount(tmp_path / "mnt", work, "--front", front, "--profile", "crash-on-truncate")
    assert (done.lines[0], done.status) == ("Transport endpoint is not connected", 134)


@pytest.mark.parametrize(
    "profile", [pytest.param(name, marks=needs_a_mount) for name in ("lost-reply", *MALFORMED)]
)
def test_a_missing_reply_holds_its_caller_and_no_other(profile: str, tmp_path: Path) -> None:
    """The caller hangs until the connection is gone, the daemon sits in its read, everyone else is served."""
    work = (
        "touch f & for i in $(seq 500); do test -e f && grep -q request_wait /proc/$!/wchan && break; sleep 0.01; done;"
        "ls -I _vexfs; for i in $(seq 500); do grep fuse_dev_do_read /proc/$DAEMON/wchan && break; sleep 0.01; done;"
        "jobs -r | wc -l;"
        "kill -KILL $DAEMON; wait; stat . 2>&1 | sed 's/.*: //'"
    )
    done = on_mount(tmp_path / "mnt", work, "--profile", profile)
    lines = [line for line in done.lines if not line.startswith("vexfs-fuse:")]
    assert lines[0] == "f" and "fuse_dev_do_read" in lines[1] and lines[2] == "1"
    assert done.status == 137


def test_the_table_is_whole() -> None:
    """Each profile can be named, has a front that shows it, and says what it breaks."""
    for profile in PROFILES:
        assert find_profile(profile.name) is profile
        assert set(profile.fronts) <= set(FRONTS)
        assert choose_front(profile, None) == profile.fronts[0]
        assert profile.breaks
    assert find_profile("lost-reply=read").on == "READ"
    for wrong in ("nothing", "before-fix=READ"):
        with pytest.raises(ValueError, match="before-fix"):
            find_profile(wrong)
    with pytest.raises(ValueError, match="--front raw"):
        choose_front(find_profile("before-fix"), "fusepy")
