"""Who does the work: processes of this machine, or a cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from saxinfer.crew.base import Team
from saxinfer.crew.processes import cores, in_processes

__all__ = ["Crew"]


@dataclass(frozen=True)
class Crew:
    """Where the work is done; it moves no bit of the result.

    Attributes:
        workers: Number of processes on this machine; 0 for one a core.
        cluster: Address of a Dask scheduler or name of a SLURM file instead; "" for
            this machine.
    """

    workers: int = 0
    cluster: str = ""

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise ValueError(f"workers must not be negative, got {self.workers}.")

    @contextmanager
    def ready(self) -> Iterator[Team]:
        """Gets the crew ready, and lets it go afterwards.

        Yields:
            Function from work and jobs to the results as they are done.

        Raises:
            CrewError: If there is no such cluster, or it runs other software.
        """
        if not self.cluster:
            yield partial(in_processes, workers=self.workers or cores())
            return
        from saxinfer.crew.cluster import connected

        with connected(self.cluster) as team:
            yield team
