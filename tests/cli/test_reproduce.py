"""``saxinfer reproduce``: a page of the paper's experiment, however it was stopped."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from saxinfer.paper.data import Experiment, Split, paper_recipe

Run = Callable[..., Any]

FILES = (
    "examples.png",
    "index.html",
    "overview.png",
    "predictions.csv",
    "scatter_absolute.png",
    "scatter_unknown.png",
    "scores.csv",
)

Loaded = Callable[[Path], ModuleType]


@pytest.fixture(scope="module")
def paper(loaded: Loaded) -> ModuleType:
    return loaded(Path(__file__).parents[1] / "report" / "made_paper.py")


@pytest.fixture(scope="module")
def library(paper: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Curves that are there, beside a run that was stopped after its fits."""
    folder = tmp_path_factory.mktemp("reproduce")
    experiment = Experiment(paper_recipe(40, pixels=768, points=12), 4)
    curves = paper.write_library(folder / "own.zarr", experiment)
    paper.keep_fits(folder / "out", curves, Split.of(experiment).fitted)
    return folder / "own.zarr"


def test_a_stopped_run_goes_on_to_its_page(run: Run, library: Path) -> None:
    out = library.parent / "out"
    done = run(
        *("reproduce", "paper", "--library", library, "-o", out, "--resume"),
        *("--test-curves", "4", "--no-grid-search", "--json"),
    )
    assert done.code == 0, done.err
    assert all((out / name).exists() for name in FILES)
    assert "trees, unknown scale: 20 of 20, " in done.err
    assert "fits, unknown scale: 4 of 4, done" in done.err
    found = json.loads(done.out)
    assert found["schema"] == "saxinfer/paper/1"
    assert found["page"] == str(out / "index.html")
    assert len(found["findings"]) == 7
    assert len(found["scores"]) == 60
    assert found["grid_search"] is None


def test_a_folder_is_not_taken_twice(run: Run, library: Path, tmp_path: Path) -> None:
    (tmp_path / "fits").mkdir()
    first = ("reproduce", "paper", "--library", library, "-o", tmp_path)
    (tmp_path / "experiment.json").write_text('{"schema": "saxinfer/paper/1"}')
    done = run(*first, "--test-curves", "4")
    assert done.code == 2
    assert "holds another experiment" in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--pixels", "512"), "768 pixels of 0.125 nm are needed, got 512"),
        (("--curves", "100"), "of 100 curves 20 are held out for tests"),
        (
            ("--curves", "50", "--pixels", "768", "--points", "12"),
            "200 were asked for",
        ),
        (("--library", "nowhere.zarr"), "there is no such folder"),
        (
            ("--library", "x", "--pixels", "512"),
            "--pixels is about curves that are yet",
        ),
        (
            ("--points", "100000", "--pixels", "768"),
            "too few for 100000 rings",
        ),
    ],
)
def test_wrong_use_is_one_sentence_and_leaves_nothing(
    run: Run, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    done = run("reproduce", "paper", "-o", tmp_path / "new", *options)
    assert done.code == 2
    assert words in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_only_the_paper_can_be_reproduced(run: Run, tmp_path: Path) -> None:
    done = run("reproduce", "nature", "-o", tmp_path / "new")
    assert done.code == 2
    assert "'paper'" in done.err


def test_an_unwritable_output_is_refused_at_once(
    run: Run, library: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    done = run(
        *("reproduce", "paper", "--library", library, "--test-curves", "4"),
        *("-o", tmp_path / "file" / "out"),
    )
    assert done.code == 2
    assert "not a directory" in done.err


SMALL = ("--curves", "40", "--pixels", "768", "--points", "24", "--test-curves", "3")


def _wait_for(pattern: str, out: Path, process: "subprocess.Popen[str]") -> None:
    while not list(out.glob(pattern)):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


@pytest.mark.slow
def test_a_killed_run_is_completed_to_the_same_numbers(
    processes: ModuleType, tmp_path: Path
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"

    def started(out: Path, *more: str) -> "subprocess.Popen[str]":
        asked = ("reproduce", "paper", "-o", out, *SMALL, "--no-grid-search")
        process: subprocess.Popen[str] = processes.saxinfer(
            *asked, "--workers", 2, *more, cwd=tmp_path
        )
        return process

    told, errors = started(whole).communicate()
    assert told.splitlines()[-1] == f"Report: {whole / 'index.html'}", errors
    assert len([line for line in told.splitlines() if line[:8].strip()]) == 8
    for pattern, stop in (
        ("library.zarr/journal", signal.SIGKILL),
        ("fits/absolute/*.json", signal.SIGKILL),
        ("fits/unknown/*.json", signal.SIGINT),
    ):
        process = started(parts, "--resume")
        _wait_for(pattern, parts, process)
        process.send_signal(stop)
        _, errors = process.communicate()
        assert process.returncode == (130 if stop == signal.SIGINT else -stop), errors
        processes.ended(process.pid)
    told, errors = started(parts, "--resume").communicate()
    assert "Report:" in told, errors
    for name in ("scores.csv", "predictions.csv"):
        assert (parts / name).read_bytes() == (whole / name).read_bytes()
    for name in FILES:
        assert (parts / name).exists()
