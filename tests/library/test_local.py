"""Processes of this machine: their number moves no bit, and none stays behind."""

import multiprocessing
import os
import signal
from contextlib import closing

import pytest

from saxinfer.library import LibraryError, Recipe
from saxinfer.library.block import Block, computed
from saxinfer.library.local import cores, locally_computed


def same(one: Block, two: Block) -> bool:
    return (
        one.number == two.number
        and one.columns.tobytes() == two.columns.tobytes()
        and one.intensity.tobytes() == two.intensity.tobytes()
    )


def test_workers_compute_what_one_process_computes(recipe: Recipe) -> None:
    before = dict(os.environ)
    blocks = {block.number: block for block in locally_computed(recipe, range(3), 2)}
    assert sorted(blocks) == [0, 1, 2]
    assert all(same(blocks[n], computed(recipe, n)) for n in range(3))
    assert multiprocessing.active_children() == []
    assert dict(os.environ) == before


def test_a_killed_worker_is_said_and_takes_the_others_along(recipe: Recipe) -> None:
    with closing(locally_computed(recipe, range(3), 1)) as blocks:
        next(blocks)
        (worker,) = multiprocessing.active_children()
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        with pytest.raises(LibraryError, match="A worker process was killed"):
            list(blocks)
    assert multiprocessing.active_children() == []


def test_there_is_a_core() -> None:
    assert cores() >= 1
