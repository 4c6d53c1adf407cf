"""An outcome of the paper's experiment that no experiment was made for."""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy import ndarray

from saxinfer.inference.trees.boosting import Size
from saxinfer.library.block import Block, q_of
from saxinfer.library.columns import values_of
from saxinfer.library.store import Store
from saxinfer.paper.baseline import Tuning
from saxinfer.paper.data import (
    SCALES,
    Column,
    Experiment,
    LabelledCurves,
    Scale,
    Split,
    paper_recipe,
)
from saxinfer.paper.experiment import Outcome
from saxinfer.paper.fits import FittedCurve
from saxinfer.paper.scores import Learner, Predictions, Score, scores_of
from saxinfer.scattering.fourier import Rings


def made_curves(experiment: Experiment) -> LabelledCurves:
    """Closed forms with the speckle of the experiment's box."""
    recipe, rng = experiment.recipe, np.random.default_rng(1)
    structure = recipe.structure
    theta = recipe.space.sample(recipe.count, torch.Generator().manual_seed(2))
    q = q_of(recipe)
    assert recipe.box is not None
    rings = Rings.filled(recipe.box.grid, recipe.box.rings)
    mean = structure.intensity(torch.from_numpy(q), theta).numpy()
    drawn = mean * rng.gamma(rings.vectors, 1 / rings.vectors, size=mean.shape)
    own = [Column(p.name, p.unit, *recipe.space.bounds(p.name)) for p in recipe.space]
    rest = [Column(p.name, p.unit, p.low, p.high) for p in structure.dependent]
    truth = torch.cat([theta, structure.dependent_values(theta)], 1).numpy()
    return LabelledCurves(q, drawn, mean * rings.speckle, truth, (*own, *rest))


def guessed(
    curves: LabelledCurves, rows: ndarray, error: ndarray, *, clipped: bool
) -> Predictions:
    """Truth with errors that are a share of each column's range."""
    rng = np.random.default_rng(len(rows))
    low, high = curves.bounds.T
    width = error * (high - low)
    value = curves.truth[rows] + width * rng.standard_normal((len(rows), len(error)))
    if clipped:
        value = value.clip(low, high)
    least, most = (
        (value - 1.6 * width).clip(low, high),
        (value + 1.6 * width).clip(low, high),
    )
    if not clipped:
        return Predictions(rows, value, least, most, value, value)
    sd = np.broadcast_to(width, value.shape)
    return Predictions(rows, value, least, most, least, most, sd)


def made_outcome(
    curves: int = 400, test_curves: int = 40, points: int = 120
) -> Outcome:
    """Trees that err widely, and a posterior that knows all but the densities."""
    recipe = paper_recipe(curves, pixels=1024, points=points)
    experiment = Experiment(recipe, test_curves)
    labelled, split = made_curves(experiment), Split.of(experiment)
    wide = np.array([0.05, 0.12, 0.28, 0.2, 0.25, 0.25, 0.08, 0.3, 0.3, 0.02])
    fine = np.array([0.01, 0.02, 0.15, 0.08, 0.25, 0.25, 0.02, 0.25, 0.25, 0.01])
    predictions: dict[tuple[Learner, Scale], Predictions] = {}
    scores: list[Score] = []
    for scale in SCALES:
        trees = guessed(labelled, split.test, wide, clipped=False)
        ours = guessed(labelled, split.fitted, fine, clipped=True)
        predictions["baseline", scale] = trees
        predictions["ours", scale] = ours
        both = partial(scores_of, labelled, scale=scale, sample="fitted")
        scores += both(trees.of(split.fitted), learner="baseline")
        scores += both(ours, learner="ours")
        scores += scores_of(
            labelled, trees, learner="baseline", scale=scale, sample="test"
        )
    one = FittedCurve(0, verdict="good", effective=600.0, seconds=6.0)
    fits = (*(one,) * (test_curves - 1), FittedCurve(1, refused="<b>no</b> curve."))
    tuning = Tuning(200, (Size(200, 0.05, 3),) * len(wide), (0.5,) * len(wide))
    return Outcome(
        experiment, labelled, split, predictions, tuple(scores), tuning,
        dict.fromkeys(SCALES, fits),
    )  # fmt: skip


def write_library(folder: Path, experiment: Experiment) -> LabelledCurves:
    """A library on disk as if its curves had been drawn; returns what is in it."""
    recipe, curves = experiment.recipe, made_curves(experiment)
    theta = torch.from_numpy(curves.truth[:, : len(recipe.space)])
    columns = values_of(recipe, theta).numpy()
    with Store.opened(folder, recipe, resume=False, command="made") as store:
        for number in range(recipe.blocks):
            rows = slice(number * recipe.block, (number + 1) * recipe.block)
            parts = (columns[rows], curves.intensity[rows], curves.sigma[rows])
            store.write(Block(number, *parts))
        store.finish()
    return curves


def keep_fits(folder: Path, curves: LabelledCurves, rows: ndarray) -> None:
    """Fits on disk as a run leaves them that was stopped before it wrote the page."""
    fine = np.full(len(curves.columns), 0.02)
    found = guessed(curves, rows, fine, clipped=True)
    parts = (found.value, found.low, found.high, found.least, found.most)
    for scale in SCALES:
        (folder / "fits" / scale).mkdir(parents=True)
        for place, row in enumerate(rows.tolist()):
            mean, low, high, least, most = (tuple(part[place]) for part in parts)
            fit = FittedCurve(row, mean, low, high, least, most, "good", 600.0, 6.0)
            text = json.dumps(asdict(fit))
            (folder / "fits" / scale / f"{row:06d}.json").write_text(text)
