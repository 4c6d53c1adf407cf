"""Work is done elsewhere, and nothing is left behind, however it ends."""

import multiprocessing
import os
from contextlib import closing

import pytest

from saxinfer.judging import CalibrationError
from saxinfer.judging.processes import in_processes


def test_every_job_is_done_once() -> None:
    # A process that is started anew cannot import this file: os.path can be.
    with closing(in_processes(os.path.basename, ["a/b", "c/d", "e/f"], 1)) as results:
        assert sorted(results) == ["b", "d", "f"]
    assert multiprocessing.active_children() == []


def test_a_killed_process_is_told_in_one_sentence() -> None:
    with pytest.raises(CalibrationError, match="go on with --resume"):
        list(in_processes(os._exit, [9], 1))
    assert multiprocessing.active_children() == []


def test_closing_early_ends_the_processes() -> None:
    results = in_processes(abs, [-1, -2, -3], 1)
    assert next(results) == 1
    results.close()
    assert multiprocessing.active_children() == []
