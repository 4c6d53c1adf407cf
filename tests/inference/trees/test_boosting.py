"""Mirrors src/saxinfer/inference/trees/boosting.py.

Given the calibration curves, the share of new curves in an interval follows a beta
distribution to a very good approximation, and the number of hits among test curves a
beta-binomial one. Tests take its central range, which leaves out ``FALSE_ALARM``.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy import ndarray
from scipy import stats
from torch import Generator

from saxinfer.inference.trees import regressor
from saxinfer.inference.trees.boosting import Boosting, Size, Trees, fit_trees
from saxinfer.structures import get_structure

FALSE_ALARM = 1e-4

NINETY = Boosting(levels=(0.05, 0.5, 0.95))


def chance(count: int, share: float, calibration: int) -> tuple[float, float]:
    """Range of hits that a right interval gives but for ``FALSE_ALARM``."""
    ranks = calibration + 1
    hits = stats.betabinom(count, share * ranks, (1 - share) * ranks)
    return float(hits.ppf(FALSE_ALARM / 2)), float(hits.ppf(1 - FALSE_ALARM / 2))


def linear(count: int, seed: int) -> tuple[ndarray, ndarray]:
    """Ten noisy projections of two normal values, of which the second hardly shows."""
    rng = np.random.default_rng(seed)
    design = np.random.default_rng(0).normal(size=(2, 10)) * [[1.0], [0.1]]
    y = rng.normal(size=(count, 2)).clip(-6, 6)
    return y @ design + 0.5 * rng.normal(size=(count, 10)), y


SPAN = np.array([[-6.0, 6.0], [-6.0, 6.0]])


@pytest.fixture(scope="module")
def trees() -> Trees:
    return fit_trees(*linear(2000, 1), SPAN, boosting=NINETY)


def test_predictions_are_those_of_xgboost_called_directly(trees: Trees) -> None:
    from xgboost import XGBRegressor

    x, y = linear(2000, 1)
    new = linear(50, 3)[0]
    for column in range(2):
        model = XGBRegressor(
            objective="reg:squarederror",
            n_estimators=100,
            learning_rate=0.1,
            max_depth=5,
            random_state=42,
            n_jobs=1,
        )
        direct = model.fit(x, y[:, column]).predict(new)
        assert (trees.predict(new)[:, column] == direct).all()


def test_intervals_of_a_linear_gaussian_problem_hold_their_share(trees: Trees) -> None:
    x, y = linear(4000, 2)
    low, high = trees.intervals(x)
    least, most = chance(4000, 0.9, 400)
    for column in range(2):
        hits = int(((low <= y) & (y <= high))[:, column].sum())
        assert least <= hits <= most
        # Each end by itself, half of what is left out.
        below = int((y < low)[:, column].sum())
        assert below <= chance(4000, 0.05, 400)[1]
    # What shows is known much better than what hardly does: the prior has 3.29.
    width = (high - low).mean(0)
    assert width[0] < 0.5 * width[1] < 3.5


CURVES, TESTED = 1500, 2000


@pytest.mark.parametrize("model", ["sphere", "cellulose"])
def test_intervals_of_closed_form_curves_hold_their_share(model: str) -> None:
    structure = get_structure(model)
    generator = Generator().manual_seed(7)
    theta = structure.space.sample(CURVES + TESTED, generator)
    q = torch.logspace(-1.5, 0.6, 16, dtype=torch.float64)
    curve = structure.intensity(q, theta)
    noise = torch.randn(curve.shape, generator=generator, dtype=torch.float64)
    x = (curve * (1 + 0.05 * noise.clamp(-4, 4))).log().numpy()
    columns = (0, 1) if model == "sphere" else (0, 2, 3)
    names = [structure.space.names[i] for i in columns]
    bounds = np.array([structure.space.bounds(name) for name in names])
    y = theta[:, columns].numpy()
    logs = tuple(structure.space.parameters[i].prior == "log-uniform" for i in columns)
    grown = fit_trees(x[:CURVES], y[:CURVES], bounds, logarithmic=logs, boosting=NINETY)
    low, high = grown.intervals(x[CURVES:], 0.9)
    assert (low >= bounds[:, 0]).all()
    assert (high <= bounds[:, 1]).all()
    assert (low <= high).all()
    least, most = chance(TESTED, 0.9, CURVES // 5)
    inside = ((low <= y[CURVES:]) & (y[CURVES:] <= high)).sum(0)
    for hits in inside.tolist():
        assert least <= hits <= most
    # The paper's defect: nothing keeps the point predictions within the prior.
    raw = grown.predict(x[CURVES:])
    assert ((raw < bounds[:, 0]) | (raw > bounds[:, 1])).any()


def test_the_same_twice_however_many_are_at_work(trees: Trees) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1 if before > 1 else 2)
        again = fit_trees(*linear(2000, 1), SPAN, boosting=NINETY)
    finally:
        torch.set_num_threads(before)
    x = linear(100, 4)[0]
    assert (again.predict(x) == trees.predict(x)).all()
    assert (again.quantiles(x) == trees.quantiles(x)).all()


def test_trees_come_back_as_they_were_saved(trees: Trees, tmp_path: Path) -> None:
    trees.save(tmp_path)
    back = Trees.load(tmp_path)
    x = linear(100, 4)[0]
    assert (back.predict(x) == trees.predict(x)).all()
    assert (back.quantiles(x) == trees.quantiles(x)).all()
    assert (back.familiarity(x) == trees.familiarity(x)).all()
    assert back.boosting == trees.boosting
    assert back.sizes == trees.sizes == (Size(), Size())
    assert {file.suffix for file in tmp_path.iterdir()} == {".ubj", ".safetensors"}


def test_quantiles_rise_and_hold_the_intervals() -> None:
    every = fit_trees(*linear(400, 1), SPAN, boosting=Boosting(size=Size(rounds=30)))
    x = linear(200, 5)[0]
    found = every.quantiles(x)
    assert found.shape == (200, 2, 7)
    assert (np.diff(found, axis=2) >= 0).all()
    for level, place in ((0.98, 0), (0.9, 1), (0.5, 2)):
        low, high = every.intervals(x, level)
        assert (low == found[:, :, place]).all()
        assert (high == found[:, :, 6 - place]).all()


def test_a_foreign_curve_is_flagged_and_few_others_are(trees: Trees) -> None:
    x, _ = linear(4000, 6)
    p = trees.familiarity(x)
    flagged = int((p <= 0.05).sum())
    assert flagged <= chance(4000, 0.05, 400)[1]
    foreign = x[:1].copy()
    foreign[0, 3] += 20
    assert trees.familiarity(foreign)[0] == 1 / 401


def test_the_grid_search_gives_each_column_its_own_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = tuple(Size(n, 0.1, depth) for n in (3, 6) for depth in (3, 5, 7))
    monkeypatch.setattr(regressor, "SIZES", few)
    x, y = linear(60, 1)
    searched = Boosting(levels=(0.5,), grid_search=True)
    found = fit_trees(x, y, SPAN, boosting=searched)
    assert len(found.sizes) == 2
    trained = [model.get_params() for model in found.means]
    assert {size.rounds for size in found.sizes} <= {3, 6}
    for size, parameters in zip(found.sizes, trained, strict=True):
        assert parameters["n_estimators"] == size.rounds
        assert parameters["max_depth"] == size.depth
    assert found.quantiles(x).shape == (60, 2, 1)


def test_progress_is_told_model_by_model() -> None:
    told: list[tuple[int, int]] = []
    fit_trees(
        *linear(40, 1),
        SPAN,
        boosting=Boosting(size=Size(rounds=2), levels=(0.5,)),
        progress=lambda done, total, note: told.append((done, total)),
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: Boosting(levels=(0.1, 0.5, 0.8)), r"symmetric about one half"),
        (lambda: Boosting(levels=(0.1, 0.9)), r"symmetric about one half"),
        (lambda: Boosting(held_out=1.0), r"held_out must lie between 0 and 1"),
        (lambda: Boosting(seed=-1), r"seed must not be negative, got -1"),
        (lambda: fit_trees(*linear(19, 1), SPAN), r"20 curves at least, got 19"),
        (lambda: fit_trees(*linear(40, 1), SPAN / 6), r"column \d must lie between"),
    ],
)
def test_what_no_trees_can_be_grown_from_is_refused(
    wrong: Callable[[], object], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        wrong()


def test_a_level_that_was_not_learnt_lists_those_that_were(trees: Trees) -> None:
    with pytest.raises(ValueError, match=r"level 0\.8 were learnt; there are 0\.9\."):
        trees.intervals(linear(5, 1)[0], 0.8)
