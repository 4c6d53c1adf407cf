"""Who works out a library: processes of this machine, or a cluster."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from saxinfer.library.block import Block
from saxinfer.library.local import cores, locally_computed
from saxinfer.library.recipe import Recipe

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
    def ready(
        self,
    ) -> Iterator[Callable[[Recipe, Iterable[int]], Generator[Block, None, None]]]:
        """Gets the crew ready, and lets it go afterwards.

        Yields:
            Function from a recipe and the numbers of blocks to the blocks as they are
            done.
        """
        if not self.cluster:
            yield partial(locally_computed, workers=self.workers or cores())
            return
        from saxinfer.library.cluster import connected

        with connected(self.cluster) as computed:
            yield computed
