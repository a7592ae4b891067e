"""What pytest loads of fsprobe, whether it is used or not: options, the marker, fixtures, and doors to the rest.

Owns when the rest is imported. It imports nothing but the table of settings, as a project that has nothing to do with
FUSE pays for whatever stands here.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from fsprobe.pytest_plugin import settings

if TYPE_CHECKING:
    from fsprobe.pytest_plugin.factory import MountFactory
    from fsprobe.pytest_plugin.guarded import FuseMount

_FIXTURES = ("fuse_mount", "fuse_mount_factory")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options and ini keys."""
    settings.register(parser)


def pytest_configure(config: pytest.Config) -> None:
    """The checks of a target become items where one is configured, and nobody asked for other tests only."""
    config.addinivalue_line("markers", settings.marker_line())
    target = settings.given(config, "target")
    if target is not None and settings.given(config, "no_checks") is None and _wants_checks(config, target):
        from fsprobe.pytest_plugin.conformance import Conformance

        config.pluginmanager.register(Conformance(config, target), "fsprobe-checks")


def _wants_checks(config: pytest.Config, target: settings.Value) -> bool:
    """A target of the configuration file is checked by a plain `pytest`, not by `pytest tests/test_one.py`."""
    if target.origin.startswith("option") or config.args_source is not config.ArgsSource.ARGS:
        return True
    return any(str(arg).startswith("fsprobe::") for arg in config.args)


# -- a mount for a project's own tests

def _mount_scope(fixture_name: str, config: pytest.Config) -> str:
    found = settings.given(config, "mount_scope")
    return str(found.value) if found is not None else "function"


@pytest.fixture(scope="session")
def fuse_mount_factory(pytestconfig: pytest.Config) -> Iterator[MountFactory]:
    """`fuse_mount_factory("./myfs", inject=…)`: mounts of any target, ended by `with`, `close()` or with the session.

    Without a target it is the one of --fsprobe or fsprobe_target.
    """
    from fsprobe.pytest_plugin.factory import MountFactory

    factory = MountFactory(pytestconfig)
    yield factory
    factory.close()


@pytest.fixture(scope=_mount_scope)  # type: ignore[arg-type]
def fuse_mount(request: pytest.FixtureRequest, fuse_mount_factory: MountFactory) -> Iterator[FuseMount]:
    """A target, mounted where this test sees it: path, source, daemon, trace, calls(op), inject(rule), output.

    The target is that of the marker fsprobe(target=…), of --fsprobe or of fsprobe_target.
    """
    mount = fuse_mount_factory.of(request)
    yield mount
    mount.close()


def _uses_mounts(item: pytest.Item) -> bool:
    """Whether a test has a mount, or may have one from a fixture that it asks for as it runs."""
    names = getattr(item, "fixturenames", None)
    if names is None:
        return False
    return any(name in names for name in _FIXTURES) or "fsprobe.pytest_plugin.factory" in sys.modules


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> bool | None:
    """The timer of a test with a mount is ours: what hangs there has to be freed from outside."""
    if not _uses_mounts(item):
        return None
    from fsprobe.pytest_plugin import watch

    return watch.set_timer(item, settings)


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_timeout_cancel_timer(item: pytest.Item) -> bool | None:
    """And so is its end."""
    if not _uses_mounts(item):
        return None
    from fsprobe.pytest_plugin import watch

    return watch.cancel_timer(item)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What passed before is not this test's."""
    if _uses_mounts(item):
        from fsprobe.pytest_plugin import watch

        watch.begin(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A hang fails its test, and a failing test shows what passed."""
    report = yield
    if _uses_mounts(item):
        from fsprobe.pytest_plugin import watch

        watch.amend(item, call, report)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """One line of a failure for the short summary, in the process that shows it, which may be another one."""
    line = getattr(report, "_fsprobe_line", None)
    if line is not None and isinstance(report.longrepr, str):
        from fsprobe.pytest_plugin.told import Crash, Told

        report.longrepr = Told(report.longrepr, Crash(line))  # type: ignore[assignment]
