"""``saxinfer train``: options go on, progress is told, wrong use is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from saxinfer.inference import training

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
        *("--seed", "3", "--resume"),
    )
    assert done.code == 0
    (call,) = calls
    assert call["model"] == "sphere"
    assert call["out"] == tmp_path / "new"
    assert (call["recipe"].steps, call["recipe"].seed) == (7, 3)
    assert call["resume"]
    assert "100 %  loss 100" in done.err
    assert done.err.count("\n") <= 21


def test_the_recipe_of_the_shipped_estimators_is_the_default(
    run: Run, calls: list[dict[str, Any]], tmp_path: Path
) -> None:
    run("train", "sphere", "-o", tmp_path)
    assert calls[0]["recipe"] == training.Recipe()


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
