"""What is told of long work: its rate, the time that is left, and how often."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import typer

__all__ = ["Pace", "Twentieths", "shown"]


class Pace:
    """Rate and remaining time of this run; what was there before does not count.

    Nor do the first results: before them workers were getting ready.

    Args:
        per: Unit of the rate.
    """

    def __init__(self, per: Literal["second", "minute"] = "second") -> None:
        self._per, self._seconds = per, {"second": 1, "minute": 60}[per]
        self._marks: list[tuple[int, float]] = []

    def told(self, done: int, total: int) -> str:
        """A phrase such as "120 a second, 0:01:05 left"."""
        now = time.monotonic()
        self._marks = [*self._marks[:2], (done, now)]
        first = self._marks[min(1, len(self._marks) - 1)]
        made, passed = done - first[0], now - first[1]
        if not made or not passed:
            return "starting" if done < total else "done"
        rate, left = (
            self._seconds * made / passed,
            round((total - done) * passed / made),
        )
        told = f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
        clock = f"{left // 3600}:{left % 3600 // 60:02}:{left % 60:02}"
        return f"{told} a {self._per}, {clock} left"


class Twentieths:
    """Lets one line pass for each twentieth of the work, where there is no bar."""

    def __init__(self) -> None:
        self._said = -1

    def due(self, done: int, total: int) -> bool:
        """Whether another twentieth is done; a new stage starts from nothing."""
        part = 20 * done // total
        if part < self._said:
            self._said = -1
        if part == self._said:
            return False
        self._said = part
        return True


@contextmanager
def shown() -> Iterator[Callable[[int, int, str], None]]:
    """A bar on a terminal; elsewhere one line for each twentieth of the work."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _say_now_and_then()
        return
    columns = (
        *Progress.get_default_columns()[1:3],
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("")
        last = [0]

        def report(done: int, total: int, note: str) -> None:
            if done < last[0]:
                progress.reset(task)
            last[0] = done
            progress.update(task, completed=done, total=total)
            speed = progress.tasks[0].speed
            said = f"{note}, {speed:.3g} a second" if speed else note
            progress.update(task, description=said)

        yield report


def _say_now_and_then() -> Callable[[int, int, str], None]:
    lines = Twentieths()

    def say(done: int, total: int, note: str) -> None:
        if lines.due(done, total):
            typer.echo(f"{100 * done // total:3d} %  {note}", err=True)

    return say
