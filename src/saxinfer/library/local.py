"""Blocks worked out by processes of this machine.

Every worker is a fresh process of one thread, also if there is only one: what numerical
libraries set up in the calling process, threads above all, then moves no bit.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice

from saxinfer.library.block import Block, computed
from saxinfer.library.error import LibraryError
from saxinfer.library.recipe import Recipe

__all__ = ["cores", "locally_computed"]

# Blocks ordered of each worker beforehand: one at work, one waiting.
AHEAD = 2

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def cores() -> int:
    """Number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def locally_computed(
    recipe: Recipe, numbers: Iterable[int], workers: int
) -> Generator[Block, None, None]:
    """Works blocks out, and hands each on when it is ready, in any order.

    Only a few are held at a time. Closing the iterator ends the workers at once.

    Args:
        recipe: What is made.
        numbers: Which blocks.
        workers: Number of processes.

    Raises:
        LibraryError: If a structure cannot be drawn, or a worker was killed.
    """
    others = set(multiprocessing.active_children())
    with _single_threads():
        pool = ProcessPoolExecutor(
            workers, multiprocessing.get_context("spawn"), _begin, (recipe,)
        )
        try:
            yield from _in_turn(pool, iter(numbers), AHEAD * workers)
        except BrokenProcessPool:
            raise LibraryError(
                "A worker process was killed, perhaps because the memory was full."
            ) from None
        finally:
            for worker in set(multiprocessing.active_children()) - others:
                worker.kill()
            pool.shutdown(cancel_futures=True)


def _in_turn(
    pool: ProcessPoolExecutor, numbers: Iterator[int], ahead: int
) -> Iterator[Block]:
    """Orders a new block for each that is done."""
    ordered = {_order(pool, number): number for number in islice(numbers, ahead)}
    while ordered:
        done, _ = wait(ordered, return_when=FIRST_COMPLETED)
        # Of two that fail at once the first is told, not either.
        ready = sorted(done, key=lambda future: ordered[future])
        for number in islice(numbers, len(ready)):
            ordered[_order(pool, number)] = number
        for future in ready:
            del ordered[future]
            yield future.result()


def _order(pool: ProcessPoolExecutor, number: int) -> Future[Block]:
    """Asks for a block; a process that is started now does not hear Ctrl-C."""
    if not hasattr(signal, "pthread_sigmask"):
        return pool.submit(_work, number)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(_work, number)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _single_threads() -> Iterator[None]:
    """Lets processes that are started meanwhile use one thread each."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            del os.environ[name]
            if value is not None:
                os.environ[name] = value


_RECIPES: list[Recipe] = []


def _begin(recipe: Recipe) -> None:
    """Prepares a worker: it works on one recipe, and goes when its parent does."""
    _RECIPES[:] = [recipe]
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(number: int) -> Block:
    return computed(_RECIPES[0], number)
