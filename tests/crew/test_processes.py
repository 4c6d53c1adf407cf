"""Processes of this machine: their number moves no bit, and none stays behind."""

import multiprocessing
import operator
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from functools import partial

import pytest

from saxinfer.crew import CrewError, cores
from saxinfer.crew.processes import in_processes
from saxinfer.library import Recipe
from saxinfer.library.block import Block, computed

# A process that is started anew cannot import this file: what it is to do must be
# found elsewhere.


def same(one: Block, two: Block) -> bool:
    return (
        one.number == two.number
        and one.columns.tobytes() == two.columns.tobytes()
        and one.intensity.tobytes() == two.intensity.tobytes()
    )


def test_workers_compute_what_one_process_computes() -> None:
    q = tuple(0.05 * n for n in range(1, 31))
    recipe = Recipe("sphere", 600, seed=3, q=q)
    before = dict(os.environ)
    work = partial(computed, recipe)
    blocks = {block.number: block for block in in_processes(work, range(3), 2)}
    assert sorted(blocks) == [0, 1, 2]
    assert all(same(blocks[n], computed(recipe, n)) for n in range(3))
    assert multiprocessing.active_children() == []
    assert dict(os.environ) == before


def test_every_job_is_done_once() -> None:
    jobs = [f"folder/{n}" for n in range(7)]
    results = list(in_processes(os.path.basename, jobs, 2))
    assert sorted(results) == [f"{n}" for n in range(7)]


def test_closing_while_a_result_is_on_its_way_does_not_wait_for_it() -> None:
    # Far more than a pipe holds: a worker is in the midst of sending when it is killed.
    for _ in range(3):
        with closing(in_processes(bytes, [60_000_000] * 20, 2)) as results:
            next(results)
    assert multiprocessing.active_children() == []


def test_jobs_are_asked_for_only_when_workers_are_free() -> None:
    asked: list[int] = []

    def jobs() -> Iterator[int]:
        for number in range(100):
            asked.append(number)
            yield number

    with closing(in_processes(abs, jobs(), 1)) as results:
        next(results)
        assert len(asked) <= 4


def test_what_a_job_raises_is_raised_here() -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_processes(partial(operator.truediv, 1), [1, 0], 1))
    assert multiprocessing.active_children() == []


def test_a_killed_worker_is_said_and_takes_the_others_along() -> None:
    with closing(in_processes(abs, range(1000), 1)) as results:
        next(results)
        (worker,) = multiprocessing.active_children()
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        with pytest.raises(CrewError, match="A worker process was killed"):
            list(results)
    assert multiprocessing.active_children() == []


def test_closing_early_ends_the_processes() -> None:
    results = in_processes(abs, [-1, -2, -3], 1)
    assert next(results) == 1
    results.close()
    assert multiprocessing.active_children() == []


def test_there_is_a_core() -> None:
    assert cores() >= 1
