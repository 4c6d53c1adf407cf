"""What a crew that is ready can be asked."""

from collections.abc import Callable, Generator, Iterable
from typing import Protocol, TypeVar, runtime_checkable

__all__ = ["Job", "Result", "Team"]

Job = TypeVar("Job")
Result = TypeVar("Result")


@runtime_checkable
class Team(Protocol):
    """Workers that are ready."""

    def __call__(
        self, work: Callable[[Job], Result], jobs: Iterable[Job]
    ) -> Generator[Result, None, None]:
        """Results as they are done, in any order; only a few are held at a time.

        Closing the iterator ends the work.

        Args:
            work: A function of a module, or a partial of one.
            jobs: What it is called with; asked for no sooner than workers are free.

        Raises:
            CrewError: If a worker was killed, or nobody is left.
        """
