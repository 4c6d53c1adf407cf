"""``saxinfer train``: options go on, progress is told, wrong use is refused."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from saxinfer.inference import card, training
from saxinfer.inference.trees import training as tree_training
from saxinfer.inference.trees.boosting import Boosting

Run = Callable[..., Any]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def train(model: str, out: Path, **options: Any) -> None:
        found.append({"model": model, "out": out, **options})
        for step in range(0, 101, 5):
            options["progress"](step, 100, f"loss {step}")

    monkeypatch.setattr(training, "train", train)
    return found


def test_options_reach_the_training(
    run: Run, calls: list[dict[str, Any]], tmp_path: Path
) -> None:
    done = run(
        *("train", "sphere", "-o", tmp_path / "new", "--steps", "7"),
        *("--seed", "3", "--resume", "--every", "20", "--patience", "4"),
        *("--devices", "2", "--accelerator", "cpu"),
    )
    assert done.code == 0
    (call,) = calls
    assert call["model"] == "sphere"
    assert call["out"] == tmp_path / "new"
    assert (call["recipe"].steps, call["recipe"].seed) == (7, 3)
    assert call["resume"]
    assert call["course"] == training.Course(20, 4, 2, "cpu")
    assert "100 %  loss 100" in done.err
    assert done.err.count("\n") <= 21


def test_the_recipe_of_the_shipped_estimators_is_the_default(
    run: Run, calls: list[dict[str, Any]], tmp_path: Path
) -> None:
    run("train", "sphere", "-o", tmp_path)
    assert calls[0]["recipe"] == training.Recipe()
    assert calls[0]["course"] == training.Course()
    assert not calls[0]["resume"]


def test_a_trained_network_is_surveyed_without_training(
    run: Run,
    calls: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    surveyed: list[tuple[str, Path]] = []

    def survey(
        model: str, folder: Path, progress: Callable[[int, int, str], None]
    ) -> None:
        surveyed.append((model, folder))
        progress(9, 9, "curves")

    monkeypatch.setattr(card, "survey_estimator", survey)
    done = run("train", "sphere", "-o", tmp_path, "--domain-only")
    assert done.code == 0
    assert done.err == "100 %  curves\n"
    assert surveyed == [("sphere", tmp_path)]
    assert calls == []


def test_what_was_not_trained_cannot_be_surveyed(run: Run, tmp_path: Path) -> None:
    done = run("train", "sphere", "-o", tmp_path, "--domain-only")
    assert done.code == 2
    assert done.err.startswith("No trained estimator for 'sphere'")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_model_is_refused(run: Run, tmp_path: Path) -> None:
    done = run("train", "sphear", "-o", tmp_path / "new")
    assert done.code == 2
    assert "Unknown model 'sphear'" in done.err
    assert not (tmp_path / "new").exists()


def test_an_unwritable_output_is_refused_before_the_training(
    run: Run, calls: list[dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    done = run("train", "sphere", "-o", tmp_path / "file")
    assert done.code == 2
    assert "Cannot write to" in done.err
    assert calls == []


@pytest.fixture
def tree_calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def train_trees(model: str, out: Path, **options: Any) -> None:
        found.append({"model": model, "out": out, **options})
        for note, total in (("curves", 200), ("models", 6)):
            for done in range(total + 1):
                options["progress"](done, total, note)

    monkeypatch.setattr(tree_training, "train_trees", train_trees)
    return found


def test_options_reach_the_trees(
    run: Run, tree_calls: list[dict[str, Any]], tmp_path: Path
) -> None:
    done = run(
        *("train", "sphere", "--method", "xgboost", "-o", tmp_path, "--curves", "70"),
        *("--library", "x.zarr", "--seed", "5", "--grid-search"),
    )
    assert done.code == 0
    (call,) = tree_calls
    assert call["model"] == "sphere"
    assert call["curves"] == 70
    assert call["library"] == Path("x.zarr")
    assert call["boosting"] == Boosting(seed=5, grid_search=True)
    # Both stages are told from beginning to end.
    for line in ("  0 %  curves", "100 %  curves", "  0 %  models", "100 %  models"):
        assert line in done.err


def test_the_papers_trees_are_the_default(
    run: Run, tree_calls: list[dict[str, Any]], tmp_path: Path
) -> None:
    run("train", "sphere", "--method", "xgboost", "-o", tmp_path)
    assert tree_calls[0]["boosting"] == Boosting()
    assert tree_calls[0]["curves"] is None
    assert tree_calls[0]["library"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--method", "forest"], ["'forest'", "npe, xgboost"]),
        (["--curves", "9"], ["--curves belongs to --method xgboost", "'npe'"]),
        (["--library", "x.zarr"], ["--library belongs to --method xgboost"]),
        (["--grid-search"], ["--grid-search belongs to --method xgboost"]),
        (["--method", "xgboost", "--steps", "9"], ["--steps belongs to --method npe"]),
        (["--method", "xgboost", "--resume"], ["--resume belongs to --method npe"]),
        (["--method", "xgboost", "--every", "9"], ["--every belongs to --method npe"]),
        (["--method", "xgboost", "--patience", "9"], ["--patience belongs to"]),
        (["--method", "xgboost", "--devices", "1"], ["--devices belongs to"]),
        (["--method", "xgboost", "--accelerator", "cpu"], ["--accelerator belongs"]),
        (["--method", "xgboost", "--domain-only"], ["--domain-only belongs to"]),
        (["--domain-only", "--steps", "9"], ["trains nothing", "--steps"]),
        (["--domain-only", "--seed", "9"], ["trains nothing", "--seed"]),
        (["--accelerator", "abacus"], ["'abacus'", "auto, cpu, gpu"]),
        (["--seed", "-1"], ["seed must not be negative", "-1"]),
        (["--method", "xgboost", "--seed", "-1"], ["seed must not be negative"]),
        (["--method", "xgboost", "--curves", "3"], ["20 curves", "got 3"]),
        (["--method", "xgboost", "--library", "none.zarr"], ["none.zarr", "no such"]),
    ],
)
def test_wrong_use_is_one_plain_sentence(
    run: Run,
    calls: list[dict[str, Any]],
    tmp_path: Path,
    arguments: list[str],
    words: list[str],
) -> None:
    done = run("train", "sphere", "-o", tmp_path / "new", *arguments)
    assert done.code == 2
    lines = [line for line in done.err.splitlines() if not line.endswith("curves")]
    assert len(lines) == 1
    for word in words:
        assert word in lines[0]
    assert not (tmp_path / "new").exists()
    assert calls == []


def test_an_unwritable_output_of_trees_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "below"
    done = run("train", "sphere", "--method", "xgboost", "-o", out)
    assert done.code == 2
    assert "Cannot write to" in done.err


@pytest.mark.parametrize(
    ("method", "library", "extra"),
    [("xgboost", "xgboost", "baseline"), ("npe", "lightning.fabric", "train")],
)
def test_without_the_extra_it_is_said_how_to_get_it(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    library: str,
    extra: str,
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, "saxinfer.inference.descent", raising=False)
    done = run("train", "sphere", "--method", method, "-o", tmp_path / "new")
    assert done.code == 2
    assert f"pip install 'saxinfer[{extra}]'" in done.err
    assert done.err.count("\n") == 1


def saxinfer(*arguments: object) -> "subprocess.Popen[str]":
    """The command line in a process of its own, nothing replaced."""
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from saxinfer.cli import main; main()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        # A group of its own, to which Ctrl-C goes as on a terminal.
        start_new_session=True,
    )


def test_ctrl_c_leaves_no_half_written_trees(tmp_path: Path) -> None:
    process = saxinfer("train", "sphere", "--method", "xgboost", "-o", tmp_path / "new")
    assert process.stderr is not None
    assert process.stderr.readline().endswith("curves\n")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def trained_and_fitted(folder: Path, curve: Path, curves: int) -> dict[str, Any]:
    """Trains trees and fits a curve with them, each in a process of its own."""
    out = folder / "trees"
    train = saxinfer(
        *("train", "sphere", "--method", "xgboost", "-o", out, "--curves", curves)
    )
    said, err = train.communicate(timeout=300)
    assert train.returncode == 0, err
    assert said == f"Estimator: {out}\n"
    fit = saxinfer(
        *("fit", curve, "-m", "sphere", "--method", "xgboost", "--estimator", out),
        *("--json", "-o", folder / "report"),
    )
    said, err = fit.communicate(timeout=300)
    assert fit.returncode == 0, err
    assert (folder / "report" / "report.html").exists()
    (found,) = json.loads(said)
    assert isinstance(found, dict)
    return found


def check_fit(found: dict[str, Any]) -> None:
    assert found["method"] == "xgboost"
    assert found["evidence"] == {"log": None, "sd": None}
    assert "on average over the prior" in found["quality"]["reasons"][-1]
    for values in (*found["parameters"].values(), *found["derived"].values()):
        low, high = values["prior_low"], values["prior_high"]
        assert low <= values["q05"] <= values["median"] <= values["q95"] <= high
    assert set(found["parameters"]) == {"radius_mean", "radius_std"}
    assert set(found["derived"]) == {"diameter"}


def test_trees_are_trained_and_fit_a_file(tmp_path: Path, curve_file: Path) -> None:
    check_fit(trained_and_fitted(tmp_path, curve_file, 25))


@pytest.mark.slow
def test_trees_of_a_few_hundred_curves_find_a_sphere(
    tmp_path: Path, curve_file: Path
) -> None:
    found = trained_and_fitted(tmp_path, curve_file, 400)
    check_fit(found)
    radius = found["parameters"]["radius_mean"]
    assert radius["q05"] < 5.0 < radius["q95"]


def steps_kept(folder: Path) -> int:
    """Steps that a checkpoint has; 0 without one."""
    path = folder / "checkpoint.pt"
    return int(torch.load(path)["step"]) if path.exists() else 0


def wait_for(process: "subprocess.Popen[str]", folder: Path, steps: int) -> None:
    """Waits until a running training has kept so many steps."""
    while steps_kept(folder) < steps:
        assert process.poll() is None
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("devices", [1, 2])
def test_a_training_that_was_killed_and_stopped_makes_the_same_weights(
    tmp_path: Path, devices: int
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    options = ("--steps", 24, "--every", 6, "--accelerator", "cpu")
    command = ("train", "sphere", *options, "--devices", devices, "-o")
    process = saxinfer(*command, whole)
    said, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert said == f"Estimator: {whole}\n"
    # Lightning says nothing.
    assert [line for line in err.splitlines() if "%  loss" not in line] == []

    process = saxinfer(*command, broken)
    wait_for(process, broken, 6)
    process.kill()
    process.communicate()
    assert steps_kept(broken) < 24
    process = saxinfer(*command, broken, "--resume")
    wait_for(process, broken, 12)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "--resume goes on from the last checkpoint." in err
    assert "Traceback" not in err
    assert 12 <= steps_kept(broken) < 24
    assert not (broken / "weights.safetensors").exists()

    process = saxinfer(*command, broken, "--resume")
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    for name in ("weights.safetensors", "domain.safetensors", "card.json"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes()
    assert {path.name for path in broken.iterdir()} == {
        *("card.json", "checkpoint.pt", "domain.safetensors", "weights.safetensors")
    }
