"""Mirrors src/saxinfer/inference/label_free/training.py, with all that it starts."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from saxinfer.curve import Curve
from saxinfer.inference import FitOptions, run
from saxinfer.inference.card import load_estimator
from saxinfer.inference.effort import Effort
from saxinfer.inference.label_free.curves import (
    Unlabelled,
    from_curves,
    read_unlabelled,
)
from saxinfer.inference.label_free.plan import Plan, adapting
from saxinfer.inference.label_free.training import SHIPPED, train_label_free
from saxinfer.inference.recipe import Course
from saxinfer.library import Recipe, make_library
from saxinfer.structures.from_sasmodels import PREFIX

Made = Callable[..., tuple[Tensor, list[Curve]]]
SHORT = Plan(steps=2, batch=6, samples=2)
COURSE = Course(every=2, accelerator="cpu")


def weights(folder: Path) -> dict[str, Tensor]:
    found: dict[str, Tensor] = load_file(folder / "weights.safetensors")
    return found


def same(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    zarr = pytest.importorskip("zarr")
    pytest.importorskip("xarray")
    assert zarr
    q = tuple(np.geomspace(0.03, 1.5, 30).tolist())
    folder = tmp_path / "labelled.zarr"
    make_library(Recipe("sphere", 20, seed=3, q=q, noise="standard"), folder)
    return folder


def test_labels_that_are_deleted_or_wrong_change_no_bit_of_the_weights(
    library: Path, tmp_path: Path
) -> None:
    bare, wrong = tmp_path / "bare.zarr", tmp_path / "wrong.zarr"
    shutil.copytree(library, bare)
    shutil.copytree(library, wrong)
    kept = ("q", "intensity", "sigma")
    labels = [
        place.name
        for place in library.iterdir()
        if place.is_dir() and place.name not in kept
    ]
    assert {"radius_mean", "radius_std", "model_error"} <= set(labels)
    for name in labels:
        shutil.rmtree(bare / name)
        for chunk in (wrong / name / "c").rglob("*"):
            if chunk.is_file():
                chunk.write_bytes(b"no label")
    (bare / "zarr.json").unlink()
    for folder in (library, bare, wrong):
        curves = read_unlabelled([folder])
        out = tmp_path / folder.stem
        train_label_free("sphere", out, curves, plan=SHORT, course=COURSE)
    assert same(tmp_path / "labelled", tmp_path / "bare")
    assert same(tmp_path / "labelled", tmp_path / "wrong")


def test_what_is_trained_is_an_estimator_that_fits_refine_from(
    few: Unlabelled, made: Made, tmp_path: Path
) -> None:
    out = tmp_path / "new"
    found = train_label_free("sphere", out, few, plan=SHORT, course=COURSE)
    assert found.sentences() == []
    assert {path.name for path in out.iterdir()} == {
        *("card.json", "checkpoint.pt", "domain.safetensors"),
        *("terms.csv", "weights.safetensors"),
    }
    card = json.loads((out / "card.json").read_text())
    assert card["method"] == "label-free"
    assert card["labels"] == "none"
    assert card["curves"]["learnt_from"] == 18
    assert card["curves"]["digest"] == few.digest
    assert card["recipe"]["samples"] == 2
    assert set(card["terms"]) == {"likelihood", "prior", "entropy", "wake"}
    assert load_estimator("sphere", out).surroundings is not None
    curve = made(1, 8)[1][0]
    effort = Effort(first=10, starts=20, scan=100)
    fit = run(curve, "sphere", options=FitOptions(estimator=out, effort=effort))
    assert fit.provenance.estimator == load_estimator("sphere", out).hash


def test_simulated_labels_are_named_openly(few: Unlabelled, tmp_path: Path) -> None:
    plan = Plan(steps=2, batch=6, samples=2, sleep=0.5)
    train_label_free("sphere", tmp_path, few, plan=plan, course=COURSE)
    card = json.loads((tmp_path / "card.json").read_text())
    assert "simulated truths" in card["labels"]
    assert card["command"].endswith("--bound elbo --term sleep=0.5")


def test_an_adaptation_never_ends_worse_and_says_what_moved(
    few: Unlabelled, tmp_path: Path
) -> None:
    plan = adapting(Plan(steps=4, batch=6, samples=2))
    plan = Plan(**{**vars(plan), "steps": 4})
    found = train_label_free(
        "sphere", tmp_path, few, plan=plan, course=COURSE, start=SHIPPED
    )
    assert found.moved is not None
    assert found.moved.after.figure <= found.moved.before.figure
    assert found.sentences()[0].startswith("Shortfall on 2 held-back curves:")
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["recipe"]["start"] == load_estimator("sphere").hash
    assert set(card["adaptation"]["weights"]) == {"embedding", "flow"}
    assert "--start-from ESTIMATOR" in card["command"]


def test_models_without_gradients_and_single_curves_are_refused(
    few: Unlabelled, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="4 curves are needed"):
        train_label_free(
            "sphere", tmp_path / "new", few.some([0]), plan=SHORT, course=COURSE
        )
    assert not (tmp_path / "new").exists()
    pytest.importorskip("sasmodels")
    with pytest.raises(ValueError, match="cannot be learnt without labels"):
        train_label_free(
            f"{PREFIX}sphere", tmp_path / "new", few, plan=SHORT, course=COURSE
        )


@pytest.mark.parametrize("model", ["cellulose", "lnp", "two_phase", "three_phase"])
def test_other_models_learn_too(model: str, made: Made, tmp_path: Path) -> None:
    curves = from_curves(made(8, 2, model=model)[1], "made")
    plan = Plan(steps=2, batch=4, samples=2)
    found = train_label_free(model, tmp_path, curves, plan=plan, course=COURSE)
    assert found.reached.skipped == 0
    assert all(bool(part.isfinite().all()) for part in weights(tmp_path).values())
