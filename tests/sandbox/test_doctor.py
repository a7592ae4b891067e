"""What the machine offers, and what mends it."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace

import pytest

from fsprobe.sandbox import doctor, machine
from fsprobe.sandbox.machine import Facts

WELL = Facts(
    uid=1000, admin=False, machine="x86_64", kernel="6.8", known_machine=True, device="",
    hand_over=dict.fromkeys(("notify", "memory", "pidfd_getfd", "addfd", "addfd_send"), ""),
    private_mounts=dict.fromkeys(("userns", "mountns", "fuse"), ""),
    helper="/usr/bin/fusermount3", helper_setuid=True,
    sysctls={"userns_max": 1000, "userns_clone": None, "apparmor_userns": None, "yama": 1, "wmem_max": 212992},
    missing_programs=(), python={"fuse": True, "libfuse.so.2": True}, cgroup="",
)  # fmt: skip
REFUSED = "Operation not permitted"


def best(facts):
    found = doctor.Diagnosis(tuple(doctor.examine(facts)), tuple(doctor.ways(facts)), facts)
    return (found.best.name if found.best else None), found.exit_code


@pytest.mark.parametrize(("change", "way", "code"), [
    ({}, "fusermount3", 0),
    ({"uid": 0, "admin": True, "private_mounts": {"mountns": "", "fuse": ""}}, "full", 0),
    ({"helper_setuid": False}, "userns", 0),
    ({"powerless": "no_new_privs is set"}, "userns", 0),
    ({"powerless": "no_new_privs is set", "private_mounts": {"mountns": "", "proc": REFUSED}}, "wire only", 6),
    ({"helper_setuid": False, "private_mounts": {"userns": REFUSED}}, "wire only", 6),
    ({"device": "No such file or directory"}, "wire only", 6),
    ({"hand_over": {"notify": "Function not implemented"}}, None, 6),
    ({"known_machine": False, "machine": "riscv64"}, None, 6),
])  # fmt: skip
def test_best_way_of_each_machine(change, way, code):
    """A wrong promise here is a run that fails, a missing one a user who gives up."""
    assert best(replace(WELL, **change)) == (way, code)


@pytest.mark.parametrize(("change", "name", "mend"), [
    ({"device": "Permission denied"}, "/dev/fuse", "sudo chmod 666 /dev/fuse"),
    ({"device": "No such file or directory"}, "/dev/fuse", "sudo modprobe fuse"),
    ({"device": REFUSED, "container": "Docker"}, "/dev/fuse", "--device /dev/fuse"),
    ({"helper": "", "helper_setuid": False}, "fusermount3", "apt-get install fuse3"),
    ({"missing_programs": ("setfattr", "flock")}, "shell programs", "sudo apt-get install attr util-linux"),
    ({"python": {"fuse": True, "libfuse.so.2": False}}, "reference file system", "libfuse2"),
    ({"private_mounts": {"userns": REFUSED}, "sysctls": {"apparmor_userns": 1}}, "user namespaces",
     "kernel.apparmor_restrict_unprivileged_userns=0"),
    ({"private_mounts": {"userns": REFUSED}, "sysctls": {"userns_clone": 0}}, "user namespaces",
     "kernel.unprivileged_userns_clone=1"),
    ({"sysctls": {"yama": 2}}, "Yama", "ptrace_scope=1"),
    ({"hand_over": {"notify": REFUSED}}, "seccomp notification", "seccomp=unconfined"),
    ({"powerless": "no_new_privs is set"}, "fusermount3", "--cap-add SYS_ADMIN"),
    ({"missing_programs": ("flock",), "family": "Alpine"}, "shell programs", "sudo apk add flock"),
    ({"missing_apps": ("vim",), "family": "Fedora"}, "programs of recipes", "sudo dnf install vim-enhanced"),
    ({"missing_apps": ("git",), "family": ""}, "programs of recipes", "what Debian calls git"),
    ({"stack_tools": ()}, "stacks of Python", "pip install py-spy"),
    ({"stack_tools": ("py-spy",), "family": "Arch"}, "stacks of C, Rust, Go", "sudo pacman -S elfutils"),
    ({"private_mounts": {"mountns": "", "proc": REFUSED}}, "a /proc of its own", "systempaths=unconfined"),
    ({"allow_other": False}, "user_allow_other", "/etc/fuse.conf"),
    ({"fio": False, "family": "Arch"}, "fio", "sudo pacman -S fio"),
    ({"plugin": "not installed"}, "pytest plugin", "pip install"),
])  # fmt: skip
def test_each_lack_has_the_command_that_mends_it(change, name, mend):
    """'Permission denied' alone sends the user to a search engine."""
    [item] = [item for item in doctor.examine(replace(WELL, **change)) if item.name == name]
    assert not item.ok and mend in item.mend


def test_what_is_well_needs_no_mending():
    """Advice beside a green item is followed too."""
    assert all(item.ok and not item.mend for item in doctor.examine(replace(WELL, sysctls={"wmem_max": 1 << 20})))


def test_this_machine_is_looked_at_for_real():
    """The probes themselves (trap, injection, private mounts) must work where they can."""
    facts = machine.gather()
    assert set(facts.hand_over) >= {"notify"} and facts.private_mounts
    if not facts.hand_over["notify"]:
        assert set(facts.hand_over) == {"notify", "memory", "pidfd_getfd", "addfd", "addfd_send"}


def test_probe_that_dies_is_a_reason_and_no_traceback(monkeypatch):
    """A probe killed by a security module would take the doctor down with it."""
    monkeypatch.setattr(machine, "_PROBE", "import os, signal; os.kill(os.getpid(), signal.SIGSYS) # {}")
    assert "status -31" in machine._probe("hand-over")["notify"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can cover a part of /proc")
def test_a_proc_with_covered_parts_is_found(unprivileged):
    """Docker covers parts of /proc, and the kernel then grants no user namespace another one: a run would not start."""
    covered = 'mount -t tmpfs none /proc/fs && exec "$@"'
    probe = [unprivileged.python, "-c", "from fsprobe.sandbox.doctor_probe import main; main('private-mounts')"]
    found = []
    for before in ([], ["unshare", "--mount", "--", "sh", "-c", covered, "sh"]):
        done = subprocess.run([*before, *unprivileged.wrap(probe)], capture_output=True, text=True, timeout=30, cwd="/")
        steps = json.loads(done.stdout)
        if steps["userns"]:
            pytest.skip(f"no user namespaces here: {steps['userns']}")
        found.append(steps["proc"])
    assert found == ["", REFUSED]
