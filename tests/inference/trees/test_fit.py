"""Mirrors src/saxinfer/inference/trees/fit.py."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Generator, Tensor

import saxinfer
from saxinfer.curve import Curve
from saxinfer.inference import FitOptions, run
from saxinfer.inference.base import Fit
from saxinfer.inference.trees.boosting import Boosting, Size, Trees
from saxinfer.inference.trees.card import TrainedTrees, load_trees
from saxinfer.inference.trees.fit import AVERAGE
from saxinfer.inference.trees.labelled import seen_of, simulated
from saxinfer.inference.trees.marginals import Marginals
from saxinfer.inference.trees.training import train_trees
from saxinfer.preprocess.prepare import prepare
from saxinfer.report import document, dumped
from saxinfer.structures import get_structure

SPHERE = get_structure("sphere")
Q = torch.logspace(math.log10(0.05), math.log10(3), 120, dtype=torch.float64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small trees: what they say is rough, how it is said is not."""
    out = tmp_path_factory.mktemp("trees")
    small = Boosting(size=Size(rounds=15, depth=3))
    train_trees("sphere", out, boosting=small, curves=150)
    return out


@pytest.fixture
def trained(folder: Path) -> TrainedTrees:
    return load_trees("sphere", folder)


def measured(intensity: Tensor, error: float = 0.02, seed: int = 0) -> Curve:
    sigma = error * intensity.abs() + 1e-9
    noise = torch.randn(len(Q), generator=Generator().manual_seed(seed)).double()
    return Curve(Q, intensity + sigma * noise, sigma, intensity_unit="1/cm")


def spheres(radius: float = 5.0) -> Tensor:
    theta = torch.tensor([[radius, 0.1 * radius]], dtype=torch.float64)
    curve = SPHERE.intensity(Q, theta)[0]
    return curve / curve[0] + 1e-3


def fitted(curve: Curve, folder: Path) -> Fit:
    options = FitOptions(method="xgboost", estimator=folder)
    return run(curve, "sphere", options=options)


def test_a_fit_states_the_calibrated_quantiles(
    folder: Path, trained: TrainedTrees
) -> None:
    curve = measured(spheres())
    fit = saxinfer.fit(curve, "sphere", method="xgboost", estimator=folder, seed=4)
    assert fit.method == "xgboost"
    assert fit.provenance.estimator == trained.hash
    assert 'method="xgboost"' in fit.provenance.command
    x = seen_of(prepare(curve))[None]
    (low,), (high,) = trained.trees.intervals(x, 0.9)
    for place, quantity in enumerate(trained.quantities):
        found = fit.posterior.summary(quantity.name)
        # Between the two points next to a share lies a thousandth of the belief.
        close = 0.02 * (high[place] - low[place])
        assert found.q05 == pytest.approx(low[place], abs=close)
        assert found.q95 == pytest.approx(high[place], abs=close)
        column = fit.posterior.column(quantity.name)
        assert float(column.min()) >= quantity.prior_low
        assert float(column.max()) <= quantity.prior_high
    assert isinstance(fit.posterior, Marginals)
    assert fit.posterior.of_kind("nuisance") == ()
    assert [q.name for q in fit.posterior.of_kind("derived")] == ["diameter"]


def test_every_fit_says_that_its_intervals_are_right_on_average_only(
    folder: Path,
) -> None:
    fit = saxinfer.fit(
        measured(spheres()), "sphere", method="xgboost", estimator=folder
    )
    assert fit.quality.reasons[-1] == AVERAGE
    assert fit.quality.p_value is None
    assert fit.quality.chi2_reduced is not None


def test_the_document_has_null_with_a_reason_for_what_trees_do_not_know(
    folder: Path,
) -> None:
    fit = saxinfer.fit(
        measured(spheres()), "sphere", method="xgboost", estimator=folder
    )
    (found,) = json.loads(dumped([document(fit)]))
    assert found["method"] == "xgboost"
    assert found["evidence"] == {"log": None, "sd": None}
    assert found["correlation"]["matrix"] is None
    assert found["nuisance"] == {}
    assert found["absent"]["evidence.log"] == "boosted trees have no likelihood"
    for path in (
        "correlation.matrix",
        "nuisance",
        "quality.effective_samples",
        "quality.p_value",
    ):
        assert "boosted trees" in found["absent"][path]
    assert "NaN" not in dumped([document(fit)])


def test_the_point_predictions_stand_in_the_settings_as_they_come(
    trained: TrainedTrees, folder: Path
) -> None:
    raw = trained.trees.predict(seen_of(prepare(measured(spheres())))[None])[0]
    fit = fitted(measured(spheres()), folder)
    name = "point prediction of radius_mean [nm]"
    assert fit.provenance.settings[name] == raw[0]
    assert not any("out of its range" in reason for reason in fit.quality.reasons)


def test_a_point_prediction_out_of_range_is_said_and_not_hidden(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wild = np.array([[-3.0, 0.5, 10.0]])
    monkeypatch.setattr(Trees, "predict", lambda self, x: wild)
    fit = fitted(measured(spheres()), folder)
    assert fit.provenance.settings["point prediction of radius_mean [nm]"] == -3.0
    (said,) = (r for r in fit.quality.reasons if "out of its range" in r)
    assert "radius_mean, -3 nm, is out of its range, 0.5 to 150" in said
    assert float(fit.posterior.column("radius_mean").min()) >= 0.5


def test_the_drawn_curve_meets_the_measured_one_where_the_values_are_right(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    curve = measured(spheres(), error=0.03, seed=6)
    exact = np.array([5.0, 0.5, 10.0])[None, :, None].repeat(7, 2)
    monkeypatch.setattr(Trees, "quantiles", lambda self, x: exact)
    fit = fitted(curve, folder)
    assert fit.quality.verdict == "good"
    # Mean of 120 squares: 1 within four times root of 2 / 120.
    assert fit.quality.chi2_reduced == pytest.approx(1.0, abs=0.52)
    assert float(fit.provenance.settings["model error f"]) < 0.02
    monkeypatch.setattr(Trees, "quantiles", lambda self, x: 2 * exact)
    fit = fitted(curve, folder)
    assert fit.quality.verdict == "poor"
    assert any("the trees are wrong here" in reason for reason in fit.quality.reasons)


def test_medians_that_no_structure_has_are_brought_into_the_prior(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each is within its own bounds; the spread is five times the mean.
    apart = np.array([5.0, 25.0, 10.0])[None, :, None].repeat(7, 2)
    monkeypatch.setattr(Trees, "quantiles", lambda self, x: apart)
    fit = fitted(measured(spheres()), folder)
    assert bool(fit.band.median.isfinite().all())
    assert fit.posterior.quantile("radius_std", 0.5) == 25.0


def test_a_foreign_curve_is_out_of_domain(folder: Path) -> None:
    # A gap of five decades in the middle of a flat curve: nothing scatters so.
    gap = torch.where((Q > 0.4) & (Q < 0.6), 1e-6, 1.0).double()
    fit = fitted(measured(gap), folder)
    assert fit.quality.verdict == "out_of_domain"
    assert "unlike those that the trees learnt from" in fit.quality.reasons[0]


def test_few_curves_of_the_prior_are_called_foreign(trained: TrainedTrees) -> None:
    new = simulated(SPHERE, 60, 9)
    threshold = 1 / (1 + len(trained.trees.strangeness))
    flagged = int((trained.trees.familiarity(new.x) <= threshold).sum())
    # Beta-binomial of one rank in 31: exceeded for one seed in 1,000.
    most = stats.betabinom(60, 1, len(trained.trees.strangeness)).ppf(0.999)
    assert flagged <= most


def test_a_curve_without_errors_is_read_as_well(folder: Path) -> None:
    curve = replace(measured(spheres()), sigma=None)
    fit = fitted(curve, folder)
    assert fit.sigma_source == "estimated"
    assert fit.quality.chi2_reduced is None


def test_a_resolution_is_smeared_into_the_drawn_curve(folder: Path) -> None:
    curve = replace(measured(spheres()), resolution=0.1 * Q)
    blurred, sharp = (
        fitted(each, folder) for each in (curve, replace(curve, resolution=None))
    )
    assert (blurred.posterior.samples == sharp.posterior.samples).all()
    assert (blurred.band.median != sharp.band.median).any()


def test_the_same_seed_gives_the_same_fit(folder: Path) -> None:
    first, second = (fitted(measured(spheres()), folder) for _ in range(2))
    assert (first.posterior.samples == second.posterior.samples).all()
    assert first.quality == replace(
        second.quality,
        effective_samples=first.quality.effective_samples,
        sampling_efficiency=first.quality.sampling_efficiency,
    )
