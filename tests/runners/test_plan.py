"""Which checks a run makes: a filter that matches nothing must not look like a run in which all was well."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsprobe.config.target import Target
from fsprobe.errors import NothingChecked, UsageError
from fsprobe.runners.options import RunOptions
from fsprobe.runners.plan import Plan, make

SUITE = '''
from fsprobe.checks import mount_check, shell_check, wire_check


@shell_check("mine.shell.ls", op="READDIR", source="s")
def shell(x):
    """A shell check."""


@mount_check("mine.mount.mkdir", op="MKDIR", source="s", also=("LOOKUP",), quick=True)
def mount(x):
    """A mount check."""


@wire_check("mine.wire.mkdir", op="MKDIR", source="s", quick=True)
def wire(x):
    """A wire check."""


@wire_check("mine.wire.read", op="READ", source="s")
def read(x):
    """Another."""
'''


@pytest.fixture
def suite(tmp_path: Path) -> str:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "checks.py").write_text(SUITE)
    return str(tmp_path / "mine")


def ids(plan: Plan) -> dict[str, list[str]]:
    return {layer: [check.id for check in checks] for layer, checks in plan.layers.items()}


def test_layers_come_in_their_order(suite: str) -> None:
    """The mount's kernel remembers an ENOSYS for ever: the wire layer asks first."""
    plan = make(RunOptions(suites=(suite,)))
    assert list(plan.layers) == ["wire", "mount", "shell"] and plan.total == 4 and plan.suites["wire"] == (suite,)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"select": ("mine.*.mkdir",)}, {"wire": ["mine.wire.mkdir"], "mount": ["mine.mount.mkdir"]}),
        ({"select": ("mine.wire.read", "mine.shell.*")}, {"wire": ["mine.wire.read"], "shell": ["mine.shell.ls"]}),
        ({"ops": ("LOOKUP",)}, {"mount": ["mine.mount.mkdir"]}),
        ({"ops": ("MKDIR",), "select": ("mine.wire.*",)}, {"wire": ["mine.wire.mkdir"]}),
        ({"quick": True}, {"wire": ["mine.wire.mkdir"], "mount": ["mine.mount.mkdir"]}),
        ({"no_mount": True}, {"wire": ["mine.wire.mkdir", "mine.wire.read"]}),
        ({"native": "/tmp"}, {"mount": ["mine.mount.mkdir"], "shell": ["mine.shell.ls"]}),
    ],
)
def test_filters(suite: str, options: dict[str, object], expected: dict[str, list[str]]) -> None:
    """A check that slips through a filter runs on somebody's bucket."""
    assert ids(make(RunOptions(suites=(suite,), **options))) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "word", "hint"),
    [
        ({"select": ("mine.wire.raed",)}, "mine.wire.raed", "mine.wire.read"),
        ({"select": ("mine.wire.read", "nothing.*")}, "nothing.*", ""),
        ({"ops": ("MKDIRR",)}, "MKDIRR", "MKDIR"),
    ],
)
def test_what_matches_nothing_is_told(suite: str, options: dict[str, object], word: str, hint: str) -> None:
    """A slip of the pen in CI would pass for ever."""
    with pytest.raises(UsageError) as error:
        make(RunOptions(suites=(suite,), **options))  # type: ignore[arg-type]
    assert word in str(error.value) and hint in " ".join(error.value.causes)


def test_no_check_left_is_an_error(suite: str) -> None:
    """Options that exclude each other must not end with exit 0."""
    with pytest.raises(NothingChecked):
        make(RunOptions(suites=(suite,), select=("mine.shell.ls",), no_mount=True))


def test_a_target_brings_its_own_suites(suite: str) -> None:
    """They are added to the built-in ones, and a suite that is named replaces both."""
    target = Target("x", ("x",), suites=(suite,))
    assert "mine.wire.read" in ids(make(RunOptions(target=target)))["wire"]
    assert make(RunOptions(target=target)).total > 100
    assert make(RunOptions(target=target, suites=(suite,))).total == 4


def test_one_option_holds_several(suite: str) -> None:
    """A list with commas is what everybody types first."""
    plan = make(RunOptions(suites=(suite,), select=("mine.wire.read,mine.shell.*",)))
    assert ids(plan) == {"wire": ["mine.wire.read"], "shell": ["mine.shell.ls"]}
    plan = make(RunOptions(suites=(suite,), ops=("READ, READDIR",)))
    assert ids(plan) == {"wire": ["mine.wire.read"], "shell": ["mine.shell.ls"]}
    with pytest.raises(UsageError, match=r"'nothing\.here' matches no check"):
        make(RunOptions(suites=(suite,), select=("mine.wire.read,nothing.here",)))


def test_what_may_choke_the_daemon_is_asked_last(suite: str) -> None:
    """A hang at a file of 2^63 bytes in the middle of a layer would cost the checks after it their daemon."""
    text = SUITE.replace('op="MKDIR", source="s", quick=True', 'op="MKDIR", source="s", extreme=True')
    text += '\n\n@wire_check("mine.wire.end", op="DESTROY", source="s")\ndef end(x):\n    """The end."""\n'
    Path(suite, "checks.py").write_text(text)
    made = make(RunOptions(suites=(suite,)))
    assert ids(made)["wire"] == ["mine.wire.read", "mine.wire.mkdir", "mine.wire.end"]
