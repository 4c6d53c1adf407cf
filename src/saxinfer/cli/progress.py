"""What is told of long work: its rate, the time that is left, and how often."""

import time
from typing import Literal

__all__ = ["Pace", "Twentieths"]


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
