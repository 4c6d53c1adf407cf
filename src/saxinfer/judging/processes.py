"""Work done by processes of one thread, each result handed on as soon as it is there.

Processes end with their parent: at Ctrl-C at once, and also when it is killed and could
not say so.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from threading import Thread
from typing import TypeVar

import torch

from saxinfer.judging.error import CalibrationError

__all__ = ["in_processes"]

Job = TypeVar("Job")
Result = TypeVar("Result")


def in_processes(
    work: Callable[[Job], Result], jobs: Iterable[Job], workers: int
) -> Generator[Result, None, None]:
    """Results in the order in which they are done; no process has a queue of its own.

    Closing the iterator ends the processes at once.

    Args:
        work: A function of a module.
        jobs: What it is called with.
        workers: Number of processes.

    Raises:
        CalibrationError: If a process was killed.
    """
    waiting = iter(jobs)
    with _pool(workers) as pool:
        running = {_order(pool, work, job) for job in islice(waiting, workers)}
        while running:
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            more = islice(waiting, len(finished))
            running |= {_order(pool, work, job) for job in more}
            for future in finished:
                yield future.result()


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with this block, however it is left."""
    others = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, _begin)
    try:
        yield pool
    except BrokenProcessPool:
        raise CalibrationError(
            "a process that fitted a curve was killed, for want of memory perhaps. "
            "What was finished is kept; go on with --resume and fewer --workers."
        ) from None
    finally:
        # All that was asked for is done, or nobody waits for it any more.
        for process in set(multiprocessing.active_children()) - others:
            process.kill()
        pool.shutdown(cancel_futures=True)


def _order(
    pool: ProcessPoolExecutor, work: Callable[[Job], Result], job: Job
) -> Future[Result]:
    """Asks for a result; a process that is started now leaves Ctrl-C to its parent."""
    if not hasattr(signal, "pthread_sigmask"):
        return pool.submit(work, job)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(work, job)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """Prepares a process: one thread, and gone when the parent is."""
    torch.set_num_threads(1)
    Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
