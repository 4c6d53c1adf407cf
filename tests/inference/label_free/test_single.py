"""Mirrors src/saxinfer/inference/label_free/single.py."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.curve import Curve
from saxinfer.inference import METHODS, FitOptions, run
from saxinfer.inference.label_free.single import Labour, fit_alone
from saxinfer.inference.target import Target
from saxinfer.structures.from_sasmodels import PREFIX

Made = Callable[..., tuple[Tensor, list[Curve]]]
QUICK = Labour(tried=400, starts=8, steps=30, awake=3, draws=600, most=3000)


def moments(target: Target, seed: int = 0) -> tuple[Tensor, Tensor, float, float]:
    with torch.no_grad():
        found = fit_alone(target, Generator().manual_seed(seed), QUICK).sampled
    points = found.points[:, : target.width]
    mean = (found.weights[:, None] * points).sum(0)
    variance = (found.weights[:, None] * (points - mean).square()).sum(0)
    return mean, variance.sqrt(), found.log_evidence, found.effective


def test_a_linear_curve_gets_its_posterior_in_closed_form(
    linear: Target, exact: tuple[Tensor, Tensor, float]
) -> None:
    mean, covariance, evidence = exact
    found, sd, log_evidence, effective = moments(linear)
    wanted = covariance.diagonal().sqrt()
    # Six hundred effective samples know a mean to 4 % of a standard deviation.
    assert effective > 600
    assert float(((found - mean) / wanted).abs().max()) < 0.16
    assert torch.allclose(sd, wanted, rtol=0.12)
    assert log_evidence == pytest.approx(evidence, abs=0.2)


def test_both_of_two_solutions_are_found(folded: Target) -> None:
    with torch.no_grad():
        found = fit_alone(folded, Generator().manual_seed(1), QUICK)
    assert found.solutions >= 2
    right = found.sampled.weights[found.sampled.points[:, 0] > -0.3].sum()
    assert 0.02 < float(right) < 0.999


def test_the_same_seed_gives_the_same_samples(linear: Target) -> None:
    first, again = moments(linear, 3), moments(linear, 3)
    assert torch.equal(first[0], again[0])
    assert first[2:] == again[2:]


def test_the_bound_is_below_the_evidence(
    linear: Target, exact: tuple[Tensor, Tensor, float]
) -> None:
    with torch.no_grad():
        found = fit_alone(linear, Generator().manual_seed(0), QUICK)
    # A normal posterior is met by a normal: the bound is tight, and its mean over 32
    # samples errs by a few tenths.
    assert exact[2] - 1.5 < found.bound < exact[2] + 1.0


def test_a_curve_is_fitted_without_any_estimator(made: Made) -> None:
    theta, curves = made(3, 21)
    options = FitOptions(method="label-free")
    fits = [run(curve, "sphere", options=options, seed=1) for curve in curves]
    for row, fit in zip(theta, fits, strict=True):
        found = fit.posterior.summary("radius_mean")
        assert abs(found.mean - float(row[0])) < 5 * found.sd + 0.02 * float(row[0])
        assert fit.provenance.estimator == "none"
        assert fit.provenance.settings["starts"] == Labour().starts
        assert fit.method == "label-free"
        assert fit.quality.reasons[-1].startswith("No training curves stand beside")
    assert any(fit.quality.verdict == "good" for fit in fits)


def test_an_estimator_and_a_model_without_gradients_are_refused() -> None:
    with pytest.raises(ValueError, match="uses no estimator"):
        METHODS["label-free"].find("sphere", Path("folder"))
    METHODS["label-free"].find("sphere", None)
    pytest.importorskip("sasmodels")
    with pytest.raises(ValueError, match="cannot be learnt without labels"):
        METHODS["label-free"].find(f"{PREFIX}sphere", None)
