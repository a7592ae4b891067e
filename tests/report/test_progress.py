"""What is seen while a run goes on."""

from __future__ import annotations

import io
from types import SimpleNamespace

from fsprobe.report.progress import Progress
from fsprobe.runners.events import CheckFinished, CheckStarted, LayerStarted, Notice, RunFinished, RunStarted
from fsprobe.runners.options import RunOptions


class Clock:
    """Time that goes on by a tenth of a second each look."""

    now = 0.0

    def __call__(self):
        self.now += 0.1
        return self.now


def play(progress):
    progress(RunStarted(RunOptions(), "vexfs"))
    progress(LayerStarted("wire", 2, {}))
    for number, verdict in ((1, "PASS"), (2, "FAIL")):
        progress(CheckStarted(f"protocol.\x1b[2Jnumber{number}", "", "wire", number, 2))
        result = SimpleNamespace(verdict=verdict, id=f"protocol.number{number}")
        progress(CheckFinished(result))
    progress(Notice("degraded: \x1b[31m"))
    progress(RunFinished({}))


def test_without_a_terminal_each_layer_is_one_line():
    """A log of CI would be full of cursor movements and half lines."""
    stream = io.StringIO()
    play(Progress(stream, live=False, clock=Clock()))
    text = stream.getvalue()
    assert "\x1b" not in text and "\r" not in text
    assert text.splitlines()[0] == "fsprobe: vexfs"
    assert text.splitlines()[-1].startswith("wire  2 checks in ") and text.endswith("FAIL 1 · PASS 1\n")


def test_on_a_terminal_the_check_is_named_and_the_line_is_cleared():
    """A run that hangs must show in which check; afterwards the report starts on an empty line."""
    stream = io.StringIO()
    progress = Progress(stream, live=True, clock=Clock())
    play(progress)
    progress.close()
    text = stream.getvalue()
    assert "1/2 " in text and "protocol.\\x1b[2Jnumber1" in text
    assert "FAIL 1" in text
    assert text.rsplit("\r\x1b[K", 1)[-1].startswith("degraded")


def test_progress_whose_reader_is_gone_does_not_end_the_run():
    """Closing the other end of standard error would lose the result."""

    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    play(Progress(Gone(), live=True, clock=Clock()))
