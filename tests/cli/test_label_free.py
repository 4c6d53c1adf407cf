"""Mirrors src/saxinfer/cli/label_free.py: ``saxinfer train --method label-free``."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from saxinfer.inference.label_free import training
from saxinfer.inference.label_free.plan import Plan

Run = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path, made: ModuleType) -> Path:
    """Four files of curves."""
    place = tmp_path / "curves"
    place.mkdir()
    curve = made.made_curve(60)
    for index in range(4):
        rows = zip(curve.q, (1 + index) * curve.intensity, curve.sigma, strict=True)
        text = "\n".join(" ".join(f"{value:.8e}" for value in row) for row in rows)
        (place / f"{index}.dat").write_text(f"# q [1/nm]  I [1/cm]  sigma\n{text}\n")
    return place


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    class _Trained:
        def sentences(self) -> list[str]:
            return ["Nothing moved."]

    def train(model: str, out: Path, curves: Any, **options: Any) -> _Trained:
        found.append({"model": model, "out": out, "curves": curves, **options})
        return _Trained()

    monkeypatch.setattr(training, "train_label_free", train)
    return found


LABEL_FREE = ("train", "sphere", "--method", "label-free")


def test_options_reach_the_training(
    run: Run, calls: list[dict[str, Any]], folder: Path, tmp_path: Path
) -> None:
    done = run(
        *(*LABEL_FREE, "-o", tmp_path / "new", "--curves", folder),
        *("--curves", folder / "0.dat", "--steps", "7", "--seed", "3", "--resume"),
        *("--every", "20", "--patience", "4", "--term", "wake=0.5"),
        *("--sleep", "0.25", "--bound", "iwae", "--samples", "5", "--batch", "9"),
        "--no-memory",
    )
    assert done.code == 0, done.err
    assert "Nothing moved." in done.out
    (call,) = calls
    assert (call["model"], call["out"]) == ("sphere", tmp_path / "new")
    assert len(call["curves"]) == 5
    expected = Plan(
        *(7, 9), seed=3, samples=5, bound="iwae", wake=0.5, sleep=0.25, memory=False
    )
    assert call["plan"] == expected
    assert (call["course"].every, call["course"].patience) == (20, 4)
    assert call["resume"]
    assert call["start"] is None


def test_an_adaptation_is_short_and_starts_from_what_is_named(
    run: Run, calls: list[dict[str, Any]], folder: Path, tmp_path: Path
) -> None:
    done = run(
        *(*LABEL_FREE, "-o", tmp_path / "new", "--curves", folder),
        *("--start-from", "shipped"),
    )
    assert done.code == 0, done.err
    assert calls[0]["start"] == Path("shipped")
    assert calls[0]["plan"].anneal == 0
    assert calls[0]["plan"].rate < Plan().rate


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["needs curves", "--curves"]),
        (["--curves", "none.dat"], ["none.dat", "no such"]),
        (["--curves", "none.zarr"], ["none.zarr", "holds no array"]),
        (["--term", "sleap=1"], ["'sleap'", "likelihood"]),
        (["--bound", "tight"], ["'tight'", "elbo, iwae"]),
        (["--devices", "2"], ["--devices belongs to --method npe"]),
        (["--library", "x.zarr"], ["--library belongs to --method xgboost"]),
    ],
)
def test_wrong_use_is_one_plain_sentence(
    run: Run,
    calls: list[dict[str, Any]],
    folder: Path,
    tmp_path: Path,
    arguments: list[str],
    words: list[str],
) -> None:
    named = [] if "--curves" in arguments or not arguments else ["--curves", folder]
    done = run(*LABEL_FREE, "-o", tmp_path / "new", *arguments, *named)
    assert done.code == 2
    assert done.err.count("\n") == 1
    for word in words:
        assert word in done.err
    assert calls == []


def test_options_of_this_method_are_refused_for_others(
    run: Run, tmp_path: Path
) -> None:
    for option in (["--sleep", "1"], ["--term", "wake=1"], ["--start-from", "x"]):
        done = run("train", "sphere", "-o", tmp_path / "new", *option)
        assert done.code == 2
        assert f"{option[0]} belongs to --method label-free" in done.err


def test_a_file_is_fitted_without_an_estimator(run: Run, curve_file: Path) -> None:
    done = run("fit", curve_file, "-m", "sphere", "--method", "label-free", "--json")
    assert done.code == 0, done.err
    (found,) = json.loads(done.out)
    assert found["method"] == "label-free"
    assert found["provenance"]["estimator"] == "none"
    radius = found["parameters"]["radius_mean"]
    assert radius["q05"] < 5.0 < radius["q95"]
