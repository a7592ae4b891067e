"""The same calls in one process or in several at once, each phase begun by all of them together.

Owns the processes, their gates and what they answer; knows nothing of the calls. They end with their parent, whatever
ends that. One is the process that asks.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Callable, Sequence

from fsprobe.bench.calls import Clock

_ANSWER = struct.Struct("=dii")  # seconds, calls, errno
Phase = Callable[[int], tuple[float, int]]


class Together:
    """Processes that wait to be told the next phase. `phases`: by number, each given the number of its process."""

    def __init__(self, processes: int, phases: Sequence[Phase], clock: Clock) -> None:
        self.phases, self.clock = phases, clock
        self.gates: list[socket.socket] = []
        self.children: list[int] = []
        for number in range(processes if processes > 1 else 0):
            ours, theirs = socket.socketpair()
            child = os.fork()
            if child == 0:
                for gate in (*self.gates, ours):
                    gate.close()  # or a sibling would keep it open, and nobody would see the parent's end
                _serve(number, theirs, phases)
            theirs.close()
            self.gates.append(ours)
            self.children.append(child)

    def __enter__(self) -> Together:
        return self

    def __exit__(self, *_: object) -> None:
        for gate in self.gates:
            gate.close()
        for child in self.children:
            os.waitpid(child, 0)

    def run(self, number: int, name: str) -> list[tuple[float, int]]:
        """One phase in all of them: seconds and calls of each. Raises an error of any, when all are at its end."""
        self.clock.phase(name)
        if not self.gates:
            return [self.phases[number](0)]
        for gate in self.gates:
            gate.send(bytes([number]))
        answers = [gate.recv(_ANSWER.size) for gate in self.gates]
        found = []
        for answer in answers:
            if len(answer) < _ANSWER.size:
                raise OSError(errno.EIO, "a process of the work was killed")
            seconds, calls, failed = _ANSWER.unpack(answer)
            if failed:
                raise OSError(failed, os.strerror(failed))
            found.append((seconds, calls))
        return found


def _serve(number: int, gate: socket.socket, phases: Sequence[Phase]) -> None:
    try:
        while told := gate.recv(1):
            try:
                seconds, calls = phases[told[0]](number)
                answer = _ANSWER.pack(seconds, calls, 0)
            except OSError as error:
                answer = _ANSWER.pack(0.0, 0, error.errno or errno.EIO)
            gate.send(answer)
    finally:
        os._exit(0)
