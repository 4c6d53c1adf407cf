"""``saxinfer calibrate``: a page of verdicts on a method, however it was stopped."""

import importlib.util
import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from saxinfer.judging import JudgedCurve
from saxinfer.judging.study import Study, begin
from saxinfer.judging.subject import Subject

Run = Callable[..., Any]

FILES = (
    "conditions.png",
    "coverage.png",
    "experiment.json",
    "fits",
    "index.html",
    "joint.png",
    "ranks.csv",
    "ranks.png",
    "scores.csv",
)


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """A run that was stopped after its fits."""
    path = Path(__file__).parents[1] / "report" / "made_calibration.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    out = tmp_path / "out"
    begin(out, Study(Subject.named("sphere"), curves=24, seed=1), resume=False)
    (out / "fits").mkdir()
    for curve in made.made_calibration("sphere", 24).curves:
        (out / "fits" / f"{curve.row:06d}.json").write_text(curve.as_json())
    return out


def test_a_stopped_run_goes_on_to_its_page(run: Run, stopped: Path) -> None:
    asked = ("calibrate", "sphere", "--curves", "24", "--seed", "1", "-o", stopped)
    assert run(*asked).code == 2
    done = run(*asked, "--resume", "--json")
    assert done.code == 0, done.err
    assert sorted(path.name for path in stopped.iterdir()) == sorted(FILES)
    assert "fits: 24 of 24, done" in done.err
    found = json.loads(done.out)
    assert found["schema"] == "saxinfer/calibration/1"
    assert found["page"] == str(stopped / "index.html")
    assert (found["model"], found["curves"], found["fitted"]) == ("sphere", 24, 22)
    told = run(*asked, "--resume").out.splitlines()
    assert told[-1] == f"Report: {stopped / 'index.html'}"
    assert len(told) == 2 * len(found["findings"]) + 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cube",), "'cube' is neither a model"),
        (("sphere", "--curves", "5"), "tests of fewer than 20 curves"),
        (("sphere", "--method", "xgboost"), "comes with the package"),
        (("sasmodels:sphere",), "no trained estimator for 'sasmodels:sphere'"),
    ],
)
def test_wrong_use_is_one_sentence_and_leaves_nothing(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = run("calibrate", *arguments, "-o", tmp_path / "new")
    assert done.code == 2
    assert words in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_an_unwritable_output_is_refused_at_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("calibrate", "sphere", "-o", tmp_path / "file" / "out")
    assert done.code == 2
    assert "not a directory" in done.err


@pytest.mark.slow
def test_a_killed_run_is_completed_to_the_same_ranks(
    processes: ModuleType, tmp_path: Path
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"

    def started(out: Path, *more: str) -> "subprocess.Popen[str]":
        asked = ("calibrate", "sphere", "-o", out, "--curves", 20, "--workers", 2)
        process: subprocess.Popen[str] = processes.saxinfer(*asked, *more, cwd=tmp_path)
        return process

    told, errors = started(whole).communicate()
    assert "Report:" in told, errors
    for number, stop in ((2, signal.SIGKILL), (5, signal.SIGINT)):
        process = started(parts, "--resume")
        while len(list(parts.glob("fits/*.json"))) < number:
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        process.send_signal(stop)
        _, errors = process.communicate()
        assert process.returncode == (130 if stop == signal.SIGINT else -stop), errors
        processes.ended(process.pid)
    told, errors = started(parts, "--resume").communicate()
    assert "Report:" in told, errors
    for row in range(20):
        first, again = (
            JudgedCurve.from_json((out / "fits" / f"{row:06d}.json").read_text())
            for out in (whole, parts)
        )
        assert (first.ranks, first.joint, first.mean) == (
            again.ranks,
            again.joint,
            again.mean,
        )
