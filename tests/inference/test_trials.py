"""Mirrors src/saxinfer/inference/trials.py."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch

from saxinfer.curve import Curve
from saxinfer.inference import FitOptions, trials
from saxinfer.inference.base import Evidence, Fit
from saxinfer.inference.trials import Trials

MODELS = ("sphere", "two_phase")


@pytest.fixture(scope="module")
def made(loaded: Callable[[Path], ModuleType]) -> ModuleType:
    return loaded(Path(__file__).parents[1] / "report" / "made_fit.py")


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch, made: ModuleType) -> Trials:
    """Fits that take a second each; weights favour the second model by a nat."""

    def run(curve: Curve, model: str, *, options: FitOptions, seed: int) -> Fit:
        fit: Fit = made.made_fit(model=model)
        provenance = replace(fit.provenance, seconds=1.0)
        evidence = Evidence(-3.0, 0.3)
        return replace(fit, provenance=provenance, evidence=evidence)

    monkeypatch.setattr(trials, "run", run)
    q = torch.linspace(0.1, 1, 20, dtype=torch.float64)
    weights = {"sphere": 1.0, "two_phase": 2.718281828459045}
    return Trials(Curve(q, 1 / q), weights, FitOptions(), 0, None)


def test_prior_weights_count_and_rank(tried: Trials) -> None:
    for name in MODELS:
        tried.fit(name, tried.options.effort.skim())
    assert tried.scores == pytest.approx({"sphere": -3.0, "two_phase": -2.0})
    assert tried.ranked == ["two_phase", "sphere"]
    assert not tried.settled


def test_a_model_has_its_latest_fit_and_the_time_of_all(tried: Trials) -> None:
    tried.fit("sphere", tried.options.effort.skim())
    # Its evidence is not sharp, so that a glance is followed by a fit in full.
    tried.settle("sphere")
    assert tried.settled == {"sphere"}
    assert list(tried.fits) == ["sphere"]
    assert tried.fits["sphere"].provenance.seconds == 3.0


def test_those_near_the_best_are_settled_once(
    tried: Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in MODELS:
        tried.fit(name, tried.options.effort.skim())
    assert tried.settle_near() == ["two_phase", "sphere"]
    assert tried.settle_near() == []
    monkeypatch.setattr(trials, "FAR_BEHIND", 0.5)
    tried.settled.clear()
    assert tried.settle_near() == ["two_phase"]
