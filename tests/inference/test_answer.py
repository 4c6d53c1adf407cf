"""Mirrors src/saxinfer/inference/answer.py: what a method says becomes the fit."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

import saxinfer.inference
from saxinfer.curve import Curve
from saxinfer.inference import METHODS, FitOptions, run
from saxinfer.inference.answer import Answer
from saxinfer.inference.base import Band, Evidence, Quality
from saxinfer.posterior import Posterior, Quantity

Q = torch.linspace(0.1, 1, 20, dtype=torch.float64)


def answered() -> Answer:
    quantity = Quantity("radius_mean", "nm", "Radius.", "parameter", 0.5, 150)
    even = torch.full((4,), 0.25).double()
    values = torch.arange(4.0).double()[:, None]
    return Answer(
        posterior=Posterior((quantity,), values, even, values),
        band=Band(Q, Q, Q, Q, Q),
        quality=Quality("good", (), None, None, 4.0, 1.0),
        evidence=Evidence(-3.0, 0.1),
        estimator="abc",
        settings={"points": 7, "asked": "nothing"},
    )


def test_an_answer_becomes_a_fit_with_its_own_settings_on_top(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = answered()
    method = replace(METHODS["xgboost"], answer=lambda *asked: answer)
    monkeypatch.setitem(saxinfer.inference.METHODS, "xgboost", method)
    fit = run(
        Curve(Q, 1 / Q, 0.1 / Q), "sphere", options=FitOptions(method="xgboost"), seed=3
    )
    assert fit.method == "xgboost"
    assert fit.posterior is answer.posterior
    assert fit.evidence == answer.evidence
    assert fit.provenance.estimator == "abc"
    assert fit.provenance.seed == 3
    assert fit.provenance.settings["points"] == 7
    assert fit.provenance.settings["asked"] == "nothing"
    assert fit.provenance.settings["smearing"] == "none"


def test_an_unknown_method_lists_those_that_are_known() -> None:
    with pytest.raises(
        ValueError,
        match=r"Known methods: npe\+refine, xgboost, label-free\.",
    ):
        FitOptions(method="xg")


def test_a_method_that_knows_one_prior_refuses_to_narrow_it() -> None:
    with pytest.raises(ValueError, match="cannot narrow radius_mean"):
        FitOptions(windows={"radius_mean": (1, 2)}, method="xgboost")
    assert FitOptions(windows={"radius_mean": (1, 2)}).method == "npe+refine"


def test_a_method_that_sees_shapes_only_refuses_a_known_scale() -> None:
    with pytest.raises(ValueError, match="sees the shape of a curve only"):
        FitOptions(absolute=True, method="xgboost")
    assert FitOptions(absolute=True).absolute


def test_only_a_known_scale_has_an_error() -> None:
    with pytest.raises(ValueError, match="but the scale is unknown"):
        FitOptions(scale_error=0.02)
    with pytest.raises(ValueError, match=r"must be from 0 to 0\.3, got 0\.5"):
        FitOptions(absolute=True, scale_error=0.5)
    assert FitOptions(absolute=True, scale_error=0.02).scale_error == 0.02


DEFAULT_FIT = """
import sys, torch
from saxinfer.curve import Curve
from saxinfer.inference import FitOptions, run
from saxinfer.inference.direct import Demand
from saxinfer.inference.effort import Effort, Rounds
from saxinfer.report import document
q = torch.logspace(-1, 0.3, 30).double()
curve = Curve(q, torch.exp(-8 * q**2) + 0.01, 0.02 * torch.ones_like(q))
brief = Rounds(1, 12, 400.0)
effort = Effort(
    scan=40, first=8, starts=8, draws=60, rounds=brief, more_rounds=brief,
    demand=Demand(most=0), walkers=40, steps=10,
)
print(document(run(curve, "sphere", options=FitOptions(effort=effort)))["method"])
print(*sys.modules)
"""


def test_a_fit_by_the_default_method_loads_no_library_of_another() -> None:
    done = subprocess.run(
        [sys.executable, "-c", DEFAULT_FIT], capture_output=True, text=True, check=True
    )
    method, modules = done.stdout.splitlines()
    assert method == "npe+refine"
    loaded = {name.partition(".")[0] for name in modules.split()}
    assert loaded.isdisjoint({"xgboost", "sklearn", "xarray", "zarr", "dask", "numba"})
