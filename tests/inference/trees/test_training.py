"""Mirrors src/saxinfer/inference/trees/training.py."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from saxinfer.inference.trees import training
from saxinfer.inference.trees.boosting import Boosting, Size
from saxinfer.inference.trees.card import load_trees
from saxinfer.inference.trees.training import train_trees

SMALL = Boosting(size=Size(rounds=5, depth=3), levels=(0.05, 0.5, 0.95), seed=7)


def test_what_is_trained_can_be_loaded_and_says_how_it_was_made(tmp_path: Path) -> None:
    out, told = tmp_path / "a" / "new", []
    train_trees(
        "sphere",
        out,
        boosting=SMALL,
        curves=40,
        progress=lambda done, total, note: told.append((done, total, note)),
    )
    card = load_trees("sphere", out).card
    assert card["curves"] == 40
    assert card["calibration_curves"] == 8
    assert card["seed"] == 7
    assert card["command"] == (
        "saxinfer train sphere --method xgboost -o DIR --curves 40 --seed 7"
    )
    assert card["source"].startswith("simulated from the prior")
    assert told[0] == (40, 40, "curves")
    assert told[-1] == (6, 6, "models")
    # Trained again into the same folder, it replaces what was there.
    first = load_trees("sphere", out).hash
    train_trees("sphere", out, boosting=SMALL, curves=40)
    assert load_trees("sphere", out).hash == first
    train_trees("sphere", out, boosting=SMALL, curves=50)
    assert load_trees("sphere", out).card["curves"] == 50
    assert load_trees("sphere", out).hash != first


@pytest.mark.parametrize("stage", ["simulated", "fit_trees", "write_trees"])
def test_a_stop_at_any_stage_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    def stopped(*given: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, stage, stopped)
    with pytest.raises(KeyboardInterrupt):
        train_trees("sphere", tmp_path / "a" / "b", boosting=SMALL, curves=25)
    assert list(tmp_path.iterdir()) == []


def test_an_estimator_of_another_kind_is_not_spoilt(tmp_path: Path) -> None:
    card = tmp_path / "card.json"
    card.write_text(json.dumps({"schema": "saxinfer/estimator/1"}))
    with pytest.raises(ValueError, match=r"holds an estimator of another kind"):
        train_trees("sphere", tmp_path, boosting=SMALL, curves=25)
    assert json.loads(card.read_text())["schema"] == "saxinfer/estimator/1"


def test_a_missing_extra_is_found_out_before_the_simulations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)
    monkeypatch.setattr(training, "simulated", lambda *given: pytest.fail("simulated"))
    with pytest.raises(ImportError, match="pip install"):
        train_trees("sphere", tmp_path / "new", boosting=SMALL)
    assert list(tmp_path.iterdir()) == []


def test_too_few_curves_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"20 curves at least, got 12"):
        train_trees("sphere", tmp_path / "new", boosting=SMALL, curves=12)
    assert list(tmp_path.iterdir()) == []
