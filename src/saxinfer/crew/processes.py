"""Work done by processes of this machine.

Every worker is a fresh process of one thread, also if there is only one: what numerical
libraries set up in the calling process, threads above all, then moves no bit. Processes
end with their parent: at Ctrl-C at once, and also when it is killed and could not say
so.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from itertools import islice

from saxinfer.crew.base import Job, Result
from saxinfer.crew.error import CrewError
from saxinfer.crew.memory import keep_memory

__all__ = ["cores", "in_processes"]

# Jobs ordered of each worker beforehand: one at work, one waiting.
AHEAD = 2

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def cores() -> int:
    """Number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_processes(
    work: Callable[[Job], Result], jobs: Iterable[Job], workers: int
) -> Generator[Result, None, None]:
    """Does jobs, and hands each result on when it is ready, in any order.

    Only a few are held at a time. Closing the iterator ends the workers at once.

    Args:
        work: A function of a module, or a partial of one.
        jobs: What it is called with.
        workers: Number of processes.

    Raises:
        CrewError: If a worker was killed.
        Exception: Whatever the work raises.
    """
    others = set(multiprocessing.active_children())
    with _single_threads():
        pool = ProcessPoolExecutor(
            workers, multiprocessing.get_context("spawn"), _begin
        )
        try:
            yield from _in_turn(pool, work, iter(jobs), AHEAD * workers)
        except BrokenProcessPool:
            raise CrewError(
                "A worker process was killed, perhaps because the memory was full."
            ) from None
        finally:
            for worker in set(multiprocessing.active_children()) - others:
                worker.kill()
                worker.join()
            _hang_up(pool)
            pool.shutdown(cancel_futures=True)


def _hang_up(pool: ProcessPoolExecutor) -> None:
    """Ends the wait for the rest of a result whose worker was killed as it sent it.

    The pool reads from a pipe that it could write to itself, so that it would never be
    told that nobody does any more (seen in Python 3.11).
    """
    writer = getattr(getattr(pool, "_result_queue", None), "_writer", None)
    if writer is not None:
        with suppress(OSError):
            writer.close()


def _in_turn(
    pool: ProcessPoolExecutor,
    work: Callable[[Job], Result],
    jobs: Iterator[Job],
    ahead: int,
) -> Iterator[Result]:
    """Orders a new job for each that is done."""
    numbered = enumerate(jobs)
    ordered = {_order(pool, work, job): n for n, job in islice(numbered, ahead)}
    while ordered:
        done, _ = wait(ordered, return_when=FIRST_COMPLETED)
        # Of two that fail at once the first is told, not either.
        ready = sorted(done, key=lambda future: ordered[future])
        for n, job in islice(numbered, len(ready)):
            ordered[_order(pool, work, job)] = n
        for future in ready:
            del ordered[future]
            yield future.result()


def _order(
    pool: ProcessPoolExecutor, work: Callable[[Job], Result], job: Job
) -> Future[Result]:
    """Asks for a result; a process that is started now does not hear Ctrl-C."""
    if not hasattr(signal, "pthread_sigmask"):
        return pool.submit(work, job)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(work, job)
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


def _begin() -> None:
    """Prepares a worker: it keeps its memory, and goes when its parent does."""
    keep_memory()
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
