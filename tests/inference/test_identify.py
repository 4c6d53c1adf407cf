"""Models are weighed by their evidence, and none is chosen where none passes."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Generator

import saxinfer
from saxinfer.curve import Curve
from saxinfer.inference import FitOptions, identify, trials
from saxinfer.inference.base import Evidence, Fit
from saxinfer.inference.effort import Effort
from saxinfer.inference.identify import (
    NONE,
    Nested,
    available,
    best_of,
    check_choice,
    chosen_from,
    is_toss_up,
    nested,
    passes,
    phases_of,
)
from saxinfer.posterior import Posterior, Quantity
from saxinfer.structures import MODELS, get_structure

TRIED = ("sphere", "core_shell_sphere")
HOLLOW = (8.0, 0.8, 2.5, 1.4)


@pytest.fixture(scope="module")
def made(loaded: Callable[[Path], ModuleType]) -> ModuleType:
    return loaded(Path(__file__).parents[1] / "report" / "made_fit.py")


@pytest.fixture(scope="module")
def fit_of(made: ModuleType) -> Callable[..., Fit]:
    def fit_of(model: str, log: float, *, good: bool = True, sd: float = 0.02) -> Fit:
        fit: Fit = made.made_fit(model=model)
        quality = fit.quality if good else replace(fit.quality, misfit_p=1e-4)
        return replace(fit, evidence=Evidence(log, sd), quality=quality)

    return fit_of


def measured(model: str, theta: tuple[float, ...], peaks: float = 0.0) -> Curve:
    """A curve of 70 points with noise of 3 %; peaks stand narrow on top of it."""
    q = torch.logspace(math.log10(0.06), math.log10(3), 70, dtype=torch.float64)
    row = torch.tensor([theta], dtype=torch.float64)
    curve = get_structure(model).intensity(q, row)[0]
    curve = curve / curve[0] + 1e-3
    for place in (0.3, 0.6, 0.9, 1.2, 1.8):
        curve = curve * (1 + peaks * torch.exp(-0.5 * ((q / place).log() / 0.025) ** 2))
    noise = torch.randn(70, generator=Generator().manual_seed(1), dtype=torch.float64)
    sigma = 0.03 * curve
    return Curve(
        q,
        curve + sigma * noise,
        sigma,
        name=model,
        file="",
        q_unit="1/nm",
        intensity_unit="a.u.",
    )


@pytest.fixture(scope="module")
def begun() -> list[tuple[int, str]]:
    return []


@pytest.fixture(scope="module")
def hollow(begun: list[tuple[int, str]]) -> Fit:
    """Hollow spheres, as both models see them."""
    curve = measured("core_shell_sphere", HOLLOW)
    return identify.identify(
        curve, TRIED, seed=2, begun=lambda *told: begun.append(told)
    )


@pytest.fixture(scope="module")
def strange() -> Fit:
    """Spheres with Bragg peaks, which neither model has."""
    return saxinfer.identify(measured("sphere", (5.0, 0.6), peaks=8.0), TRIED)


def test_the_model_that_made_a_curve_is_found(hollow: Fit) -> None:
    assert best_of(hollow) == hollow.model == "core_shell_sphere"
    first, second = hollow.rivals
    assert (first.model, second.model) == ("core_shell_sphere", "sphere")
    assert first.probability > 0.999
    assert first.passes
    assert hollow.provenance.seed == 2


def test_it_is_told_which_model_is_fitted(
    hollow: Fit, begun: list[tuple[int, str]]
) -> None:
    assert len(hollow.rivals) == 2
    # All are skimmed first; spheres are then out of the question.
    assert begun[:2] == [(0, "sphere"), (0, "core_shell_sphere")]
    assert set(begun[2:]) == {(0, "core_shell_sphere")}


def test_the_phases_of_a_fit_are_those_that_made_the_curve(hollow: Fit) -> None:
    exact = get_structure("core_shell_sphere").phase_values(
        torch.tensor([HOLLOW], dtype=torch.float64)
    )[0]
    found = phases_of(hollow)
    assert [one.phase.name for one in found] == ["core", "shell"]
    for one, row in zip(found, exact.tolist(), strict=True):
        for value, truth in zip(
            (one.fraction, one.contrast, one.length), row, strict=True
        ):
            assert value is not None
            # 90 % intervals, each twice as wide: all six hold in 99 of 100 curves.
            found_of = value.summary
            half = found_of.q95 - found_of.q05
            assert abs(found_of.median - truth) < half
            assert 0 < half < 0.2 * abs(found_of.median)
            assert found_of.constrained
            assert not value.fixed


def test_the_answer_is_none_where_no_model_passes(strange: Fit) -> None:
    assert best_of(strange) == NONE
    assert not any(rival.passes for rival in strange.rivals)
    assert sum(rival.probability for rival in strange.rivals) == pytest.approx(1)
    assert strange.quality.reasons[0].startswith("No model that was tried (")
    for name in TRIED:
        assert name in strange.quality.reasons[0]


def test_the_package_says_how_to_repeat_it(strange: Fit) -> None:
    assert strange.provenance.command == (
        "saxinfer.identify(curve, ['sphere', 'core_shell_sphere'], seed=0)"
    )


def test_only_models_that_are_not_far_behind_are_sampled_in_full(
    fit_of: Callable[..., Fit], monkeypatch: pytest.MonkeyPatch
) -> None:
    effective = {"sphere": 300.0, "core_shell_sphere": 300.0, "two_phase": 5000.0}
    evidence = {"sphere": -50.0, "core_shell_sphere": -10.0, "two_phase": -11.0}
    asked: list[tuple[str, bool]] = []

    def made(curve: Curve, name: str, *, options: FitOptions, seed: int) -> Fit:
        whole = options.effort == Effort()
        asked.append((name, whole))
        fit = fit_of(name, evidence[name] + whole)
        quality = replace(fit.quality, effective_samples=effective[name])
        return replace(fit, quality=quality)

    monkeypatch.setattr(trials, "run", made)
    curve = measured("sphere", (5.0, 0.6))
    found = identify.identify(curve, tuple(effective))
    # The first is far behind; the evidence of the third is all that is asked of it.
    assert asked[3:] == [
        ("core_shell_sphere", False),
        ("core_shell_sphere", True),
        ("two_phase", False),
    ]
    best = found.rivals[0]
    assert (best.model, best.evidence.log) == ("core_shell_sphere", -9.0)
    # A model that the user holds for likely is not left behind so soon.
    asked.clear()
    identify.identify(curve, tuple(effective), weights={"sphere": 1e12})
    assert asked.count(("sphere", False)) == 2


def test_probabilities_are_those_of_a_computation_by_hand(
    fit_of: Callable[..., Fit],
) -> None:
    fits = [fit_of("sphere", -12.0), fit_of("core_shell_sphere", -10.0)]
    found = chosen_from(fits, {"sphere": 1.0, "core_shell_sphere": 1.0})
    assert found.model == "core_shell_sphere"
    assert [r.model for r in found.rivals] == ["core_shell_sphere", "sphere"]
    # 1 / (1 + exp(-2)).
    assert found.rivals[0].probability == pytest.approx(0.8807970779778823, rel=1e-12)
    assert found.rivals[1].probability == pytest.approx(0.1192029220221177, rel=1e-12)
    assert [r.prior for r in found.rivals] == [0.5, 0.5]


def test_prior_weights_multiply_evidences_whatever_their_size(
    fit_of: Callable[..., Fit],
) -> None:
    fits = [fit_of("sphere", -12.0), fit_of("core_shell_sphere", -10.0)]
    for size in (1.0, 1e6):
        weights = {"sphere": 9 * size, "core_shell_sphere": size}
        found = chosen_from(fits, weights)
        assert found.model == "sphere"
        exact = 9 * math.exp(-2) / (1 + 9 * math.exp(-2))
        assert found.rivals[0].probability == pytest.approx(exact, rel=1e-12)
        assert found.rivals[0].prior == pytest.approx(0.9)


def test_evidences_far_apart_are_no_overflow(fit_of: Callable[..., Fit]) -> None:
    fits = [fit_of("sphere", 5e4), fit_of("core_shell_sphere", -5e4)]
    found = chosen_from(fits, dict.fromkeys(TRIED, 1.0))
    assert [rival.probability for rival in found.rivals] == [1.0, 0.0]
    assert not is_toss_up(found)


def test_time_is_that_of_all_fits(fit_of: Callable[..., Fit]) -> None:
    fits = [fit_of(name, -1.0) for name in TRIED]
    found = chosen_from(fits, dict.fromkeys(TRIED, 1.0))
    assert found.provenance.seconds == pytest.approx(2 * fits[0].provenance.seconds)


def test_the_most_probable_stays_so_if_only_a_less_probable_one_passes(
    fit_of: Callable[..., Fit],
) -> None:
    fits = [fit_of("sphere", -10.0, good=False), fit_of("core_shell_sphere", -14.0)]
    found = chosen_from(fits, dict.fromkeys(TRIED, 1.0))
    assert best_of(found) == found.model == "sphere"
    assert [rival.passes for rival in found.rivals] == [False, True]
    assert found.quality.reasons == fits[0].quality.reasons


@pytest.fixture
def asked(
    monkeypatch: pytest.MonkeyPatch, fit_of: Callable[..., Fit]
) -> Callable[..., list[tuple[str, FitOptions, int]]]:
    """Identifies with fits of given log evidence; which fits were asked for."""

    def asked(
        options: FitOptions, logs: dict[str, float], **made: Any
    ) -> list[tuple[str, FitOptions, int]]:
        found: list[tuple[str, FitOptions, int]] = []

        def run(curve: Curve, model: str, *, options: FitOptions, seed: int) -> Fit:
            found.append((model, options, seed))
            return fit_of(model, logs[model], **made)

        monkeypatch.setattr(trials, "run", run)
        curve = measured("sphere", (5.0, 0.6))
        identify.identify(curve, tuple(logs), options=options, seed=7)
        return found

    return asked


def with_effort(options: FitOptions, name: str) -> FitOptions:
    return replace(options, effort=getattr(options.effort, name)())


def test_all_are_skimmed_and_those_near_the_best_looked_at_again(
    asked: Callable[..., list[tuple[str, FitOptions, int]]],
) -> None:
    options = FitOptions(q_range=(0.1, 2.0))
    skim, glance = (with_effort(options, name) for name in ("skim", "glance"))
    logs = {"sphere": -40.0, "core_shell_sphere": -3.0, "two_phase": -1.0}
    assert asked(options, logs) == [
        *((name, skim, 7) for name in logs),
        # The best comes first.
        ("two_phase", glance, 7),
        ("core_shell_sphere", glance, 7),
    ]


def test_those_near_the_best_are_fitted_in_full_where_a_glance_is_not_sharp(
    asked: Callable[..., list[tuple[str, FitOptions, int]]],
) -> None:
    options = FitOptions()
    glance = with_effort(options, "glance")
    logs = {"sphere": -40.0, "core_shell_sphere": -3.0, "two_phase": -1.0}
    assert asked(options, logs, sd=0.3)[3:] == [
        ("two_phase", glance, 7),
        ("two_phase", options, 7),
        ("core_shell_sphere", glance, 7),
        ("core_shell_sphere", options, 7),
    ]


def test_no_model_is_given_up_where_none_near_the_best_passes(
    asked: Callable[..., list[tuple[str, FitOptions, int]]],
) -> None:
    options = FitOptions()
    glance, survey = (with_effort(options, name) for name in ("glance", "survey"))
    logs = {"sphere": -40.0, "core_shell_sphere": -90.0, "two_phase": -1.0}
    assert asked(options, logs, good=False)[3:] == [
        ("two_phase", glance, 7),
        ("sphere", survey, 7),
        ("core_shell_sphere", survey, 7),
    ]


def test_what_a_search_of_the_whole_prior_finds_is_fitted_properly(
    monkeypatch: pytest.MonkeyPatch, fit_of: Callable[..., Fit]
) -> None:
    options = FitOptions()
    glance, survey = (with_effort(options, name) for name in ("glance", "survey"))
    found: list[tuple[str, FitOptions]] = []

    def run(curve: Curve, model: str, *, options: FitOptions, seed: int) -> Fit:
        found.append((model, options))
        surveyed = options in (glance, survey)
        log = {"sphere": -2.0 if surveyed else -40.0, "two_phase": -1.0}[model]
        return fit_of(model, log, good=model == "sphere" and surveyed)

    monkeypatch.setattr(trials, "run", run)
    curve = measured("sphere", (5.0, 0.6))
    chosen = identify.identify(curve, ("sphere", "two_phase"), options=options)
    assert found[2:] == [
        ("two_phase", glance),
        ("sphere", survey),
        ("sphere", glance),
    ]
    assert identify.best_of(chosen) == "two_phase"


def test_all_models_are_tried_where_none_is_named(
    monkeypatch: pytest.MonkeyPatch, fit_of: Callable[..., Fit]
) -> None:
    tried: list[str] = []

    def run(curve: Curve, model: str, *, options: FitOptions, seed: int) -> Fit:
        tried.append(model)
        return fit_of(model, -1.0)

    monkeypatch.setattr(trials, "run", run)
    identify.identify(measured("sphere", (5.0, 0.6)))
    assert set(tried) == set(available())


def test_what_comes_with_the_package_is_tried(tmp_path: Path) -> None:
    names = available()
    assert {"sphere", "core_shell_sphere"} <= set(names) <= set(MODELS)
    assert tuple(check_choice((), {}, FitOptions())) == names


def test_pairs_of_a_model_and_its_special_case_are_named(
    fit_of: Callable[..., Fit],
) -> None:
    fits = [fit_of("sphere", -10.0), fit_of("core_shell_sphere", -12.0)]
    weights = dict.fromkeys(TRIED, 1.0)
    assert nested(chosen_from(fits, weights)) == (
        Nested("sphere", "core_shell_sphere", undecided=True),
    )
    # exp(-5) is less than a hundredth.
    fits[1] = fit_of("core_shell_sphere", -15.0)
    assert nested(chosen_from(fits, weights)) == (
        Nested("sphere", "core_shell_sphere", undecided=False),
    )


def test_a_special_case_of_a_special_case_counts_if_the_one_between_is_not_tried(
    fit_of: Callable[..., Fit],
) -> None:
    names = ("sphere", "core_shell_sphere", "lnp", "cellulose")
    fits = {name: fit_of(name, -1.0) for name in names}
    weights = dict.fromkeys(names, 1.0)
    every = chosen_from(list(fits.values()), weights)
    assert {(pair.simple, pair.wide) for pair in nested(every)} == {
        ("sphere", "core_shell_sphere"),
        ("core_shell_sphere", "lnp"),
    }
    fits.pop("core_shell_sphere")
    (pair,) = nested(chosen_from(list(fits.values()), weights))
    assert (pair.simple, pair.wide) == ("sphere", "lnp")


@pytest.mark.parametrize(("gap", "says"), [(0.5, True), (0.6, False)])
def test_a_gap_below_twice_its_error_is_a_toss_up(
    fit_of: Callable[..., Fit], gap: float, says: bool
) -> None:
    # sqrt(2) 0.2 = 0.28 is the error of the difference.
    fits = [fit_of("sphere", 0.0, sd=0.2), fit_of("core_shell_sphere", -gap, sd=0.2)]
    assert is_toss_up(chosen_from(fits, dict.fromkeys(TRIED, 1.0))) is says


def test_one_model_alone_is_no_toss_up(fit_of: Callable[..., Fit]) -> None:
    found = chosen_from([fit_of("sphere", -3.0)], {"sphere": 1.0})
    assert found.rivals[0].probability == 1
    assert not is_toss_up(found)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, True),
        # Poor for too few samples only.
        ({"verdict": "poor", "effective_samples": 20.0}, True),
        ({"verdict": "out_of_domain"}, False),
        ({"p_value": 0.001}, False),
        ({"misfit_p": 0.03}, False),
        ({"misfit_p": 0.05}, True),
        ({"p_value": None, "misfit_p": None}, True),
    ],
)
def test_a_model_passes_by_what_is_said_of_the_curve(
    made: ModuleType, change: dict[str, Any], says: bool
) -> None:
    fit: Fit = made.made_fit()
    assert passes(replace(fit, quality=replace(fit.quality, **change))) is says


def test_a_model_that_needs_a_large_error_does_not_pass(made: ModuleType) -> None:
    fit: Fit = made.made_fit()
    samples = fit.posterior.samples.clone()
    names = [quantity.name for quantity in fit.posterior]
    samples[:, names.index("model_error")] = 0.06
    assert not passes(replace(fit, posterior=replace(fit.posterior, samples=samples)))


def test_a_length_that_a_model_does_not_know_is_none(made: ModuleType) -> None:
    (spheres,) = phases_of(made.made_fit())
    assert spheres.fraction is None
    assert spheres.contrast is None
    assert spheres.length is not None
    assert spheres.length.summary.median == pytest.approx(5.0, rel=0.01)


def test_a_phase_that_the_curve_says_nothing_of_is_not_constrained(
    made: ModuleType,
) -> None:
    model, fit = get_structure("two_phase"), made.made_fit()
    prior = model.space.sample(2000, Generator().manual_seed(0))
    quantities = tuple(
        Quantity(p.name, p.unit, p.meaning, "parameter", p.low, p.high)
        for p in model.space
    )
    samples = prior.clone()
    # Known is the wavenumber, not the porosity.
    samples[:, :2] = torch.tensor([0.5, 0.1])
    even = torch.full((2000,), 1 / 2000, dtype=torch.float64)
    posterior = Posterior(quantities, samples, even, prior)
    rarer, _ = phases_of(replace(fit, model="two_phase", posterior=posterior))
    assert rarer.fraction is not None
    assert rarer.contrast is not None
    assert rarer.length is not None
    assert rarer.fraction.summary.shrinkage == pytest.approx(0, abs=1e-3)
    assert not rarer.fraction.summary.constrained
    assert rarer.length.summary.constrained
    assert rarer.contrast.fixed
    assert rarer.contrast.summary.median == 1


def test_a_fit_of_a_named_model_was_chosen_from_none(made: ModuleType) -> None:
    with pytest.raises(ValueError, match="'sphere' was named, not chosen"):
        best_of(made.made_fit())


@pytest.mark.parametrize(
    ("models", "weights", "options", "says"),
    [
        (("cube",), {}, FitOptions(), r"Unknown model 'cube'. Known models: sphere"),
        (TRIED, {"cube": 1.0}, FitOptions(), "'cube', which is not tried"),
        (TRIED, {"sphere": 0.0}, FitOptions(), "must be positive, got 0"),
        (TRIED, {"sphere": math.nan}, FitOptions(), "must be positive, got nan"),
        (TRIED, {"sphere": math.inf}, FitOptions(), "must be positive, got inf"),
        (TRIED, {}, FitOptions(method="xgboost"), "'xgboost' has no evidence"),
        (
            TRIED,
            {},
            FitOptions(windows={"radius_mean": (4.0, 6.0)}),
            "share no parameters",
        ),
        (TRIED, {}, FitOptions(estimator=Path("mine")), "no estimator: name one"),
    ],
)
def test_what_cannot_be_weighed_is_refused(
    models: tuple[str, ...], weights: dict[str, float], options: FitOptions, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        check_choice(models, weights, options)
