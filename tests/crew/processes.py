"""Processes that a test starts, and must not leave behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Longest that anything here takes on a busy machine [s].
PATIENCE = 120.0


def saxinfer(*arguments: object, cwd: Path) -> "subprocess.Popen[str]":
    """The command line in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "saxinfer", *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A parent in the background hands on that Ctrl-C is to be ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


@contextmanager
def running(*command: str, cwd: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process with all that it starts, until the end of the block."""
    with (cwd / f"{Path(command[-1]).name or 'process'}.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=cwd, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process
    finally:
        kill_group(process.pid)
        process.wait(PATIENCE)


def kill_group(group: int) -> None:
    """SIGKILL to every process of a group."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def waited_for(condition: Callable[[], bool]) -> None:
    """Returns as soon as it is true; fails if it never is."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < PATIENCE, "it never came true"
        time.sleep(0.02)


def finished_blocks(folder: Path) -> int:
    """Blocks in the journal of a library that is being made."""
    try:
        return (folder / "journal").read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def group_members(group: int) -> list[int]:
    """Processes of a group that are alive (Linux)."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[2]) == group and fields[0] != "Z":
                    found.append(int(entry.name))
    return found


def ended(group: int) -> None:
    """Waits until no process of a group is left: no worker outlives its parent."""
    waited_for(lambda: not group_members(group))


@dataclass
class Machines:
    """A Dask scheduler with workers, each in a process group of its own."""

    folder: Path
    stack: ExitStack
    workers: list[Any] = field(default_factory=list)

    @property
    def _file(self) -> Path:
        return self.folder / "scheduler.json"

    def start_scheduler(self) -> Any:
        options = ("--host", "127.0.0.1", "--port", "0", "--dashboard-address", ":0")
        scheduler = self._start("scheduler", *options)
        waited_for(self._file.exists)
        return scheduler

    def start_worker(self) -> None:
        options = ("--nthreads", "1", "--no-dashboard", "--death-timeout", "100")
        self.workers.append(self._start("worker", *options))

    @property
    def address(self) -> str:
        return str(json.loads(self._file.read_text())["address"])

    def _start(self, role: str, *options: str) -> Any:
        command = (sys.executable, "-m", "dask", role, *options, "--scheduler-file")
        return self.stack.enter_context(
            running(*command, str(self._file), cwd=self.folder)
        )
