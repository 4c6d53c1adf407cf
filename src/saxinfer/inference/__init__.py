"""Ways from a curve to a posterior.

:func:`run` is the one path from a curve to a :class:`Fit`, for simulated and measured
curves alike: prepare, then one of the ``METHODS``. The default proposes with the
network, refines on the exact likelihood, and judges.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Generator

from saxinfer.curve import Curve
from saxinfer.inference import card
from saxinfer.inference.absolute import (
    LARGEST_CONTRAST,
    check_contrast,
    check_unit,
    read_scale,
)
from saxinfer.inference.answer import Answer
from saxinfer.inference.base import Band, Evidence, Fit, Provenance, Quality
from saxinfer.inference.card import Estimator
from saxinfer.inference.domain import Familiarity
from saxinfer.inference.ensemble import Ensemble
from saxinfer.inference.misfit import examine
from saxinfer.inference.proposals import propose
from saxinfer.inference.refine import Effort, refine
from saxinfer.inference.summary import Prediction, posterior_of, predict
from saxinfer.inference.target import Target
from saxinfer.inference.verdict import NOT_COMPARED, Checks, judge, predictive_p
from saxinfer.instrument.observation import Observation
from saxinfer.preprocess.features import features
from saxinfer.preprocess.model_free import model_free
from saxinfer.preprocess.prepare import Prepared, prepare
from saxinfer.structures import get_structure
from saxinfer.version import VERSION

__all__ = [
    "DEFAULT_METHOD",
    "METHODS",
    "Band",
    "Evidence",
    "Fit",
    "FitOptions",
    "Provenance",
    "Quality",
    "run",
]

DEFAULT_METHOD = "npe+refine"

# A scale that is known no better is as good as unknown.
LARGEST_SCALE_ERROR = 0.3

ALONE = (
    "No training curves stand beside this fit: whether the curve is one of the model's "
    "was judged by its residuals alone, and a solution to which no random start led "
    "would be missing."
)


@dataclass(frozen=True)
class FitOptions:
    """What a user may ask of a fit.

    Attributes:
        windows: Narrowed ranges by parameter name [its unit]; equal bounds fix it.
        q_range: Smallest and largest q to fit [1/nm]; None for no limit.
        command: Command line, kept for the report.
        estimator: Folder of an estimator to use instead of the shipped one.
        effort: How much work to spend on sampling.
        method: Name of the method, one of ``METHODS``.
        absolute: Whether the intensity is in the model's own unit, so that its scale is
            known; taken as unknown otherwise.
        scale_error: Relative standard error of a known scale.
        contrast: Difference of scattering length densities that is one unit of the
            model's contrast [1/nm²], as ``Structure.unit_contrast`` says; with it, the
            scale of a curve in 1/cm or the like is a volume fraction.

    Raises:
        ValueError: If the method is unknown, or cannot do what is asked.
    """

    windows: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    q_range: tuple[float | None, float | None] | None = None
    command: str = ""
    estimator: Path | None = None
    effort: Effort = field(default_factory=Effort)
    method: str = DEFAULT_METHOD
    absolute: bool = False
    scale_error: float = 0.0
    contrast: float | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(
                f"Unknown method '{self.method}'. Known methods: {', '.join(METHODS)}."
            )
        if self.windows and not METHODS[self.method].narrows:
            raise ValueError(
                f"The method '{self.method}' knows the ranges that it was trained for "
                f"only, and cannot narrow {', '.join(self.windows)}. Leave -p out, or "
                f"use the method '{DEFAULT_METHOD}'."
            )
        if not 0 <= self.scale_error <= LARGEST_SCALE_ERROR:
            raise ValueError(
                "The relative error of a known scale must be from 0 to "
                f"{LARGEST_SCALE_ERROR:g}, got {self.scale_error:g}. Leave a scale "
                "that is known no better unknown."
            )
        if self.scale_error and not self.absolute:
            raise ValueError(
                f"A scale error of {self.scale_error:g} was given, but the scale is "
                "unknown. Say absolute=True, or leave it out."
            )
        if self.absolute and not METHODS[self.method].scales:
            raise ValueError(
                f"The method '{self.method}' sees the shape of a curve only; a known "
                f"scale tells it nothing. Use the method '{DEFAULT_METHOD}'."
            )
        if self.contrast is not None:
            self._check_contrast(self.contrast)

    def _check_contrast(self, contrast: float) -> None:
        if not 0 < abs(contrast) <= LARGEST_CONTRAST:
            raise ValueError(
                f"A contrast must be other than 0 and at most {LARGEST_CONTRAST:g} "
                f"1/nm², more than any matter has, got {contrast:g} 1/nm². 10^10/cm2 "
                "is 1e-4 1/nm², one electron a nm³ 2.8179e-6."
            )
        if self.absolute:
            raise ValueError(
                "A contrast was given, but the intensity is in the model's own unit, "
                "in which it is one. Leave the contrast or absolute=True out."
            )
        if not METHODS[self.method].scales:
            raise ValueError(
                f"The method '{self.method}' sees the shape of a curve only, and no "
                f"scale to read with a contrast. Use the method '{DEFAULT_METHOD}'."
            )


def run(
    curve: Curve, model: str, *, options: FitOptions | None = None, seed: int = 0
) -> Fit:
    """Fits one model to one curve.

    Args:
        curve: The measured curve.
        model: Name of the structure.
        options: What to narrow, fix or cut.
        seed: Seed of the sampling; the same seed gives the same result.

    Returns:
        Posterior, quality, evidence and provenance.

    Raises:
        ValueError: If the model or a parameter is unknown, a range is outside of the
            prior, a contrast says nothing of this curve, or fewer than ten points are
            left.
    """
    start = time.perf_counter()
    options = options or FitOptions()
    structure = get_structure(model)
    check_contrast(structure, options.contrast)
    check_unit(curve.intensity_unit, options.contrast)
    prepared = prepare(curve, options.q_range)
    answer = METHODS[options.method].answer(prepared, model, options, seed)
    posterior, quality = answer.posterior, answer.quality
    if not options.absolute:
        unit = curve.intensity_unit
        posterior, doubts = read_scale(posterior, structure, unit, options.contrast)
        quality = replace(quality, reasons=(*quality.reasons, *doubts))
    return Fit(
        curve=prepared.curve,
        model=model,
        method=options.method,
        posterior=posterior,
        band=answer.band,
        quality=quality,
        evidence=answer.evidence,
        model_free=model_free(prepared.curve),
        provenance=Provenance(
            saxinfer=VERSION,
            estimator=answer.estimator,
            seed=seed,
            command=options.command,
            seconds=time.perf_counter() - start,
            settings={**_settings(options, prepared), **answer.settings},
        ),
        sigma_source=prepared.sigma_source,
    )


def _proposed_and_refined(
    prepared: Prepared, model: str, options: FitOptions, seed: int
) -> Answer:
    """The network proposes, the exact likelihood decides."""
    estimator = card.load_estimator(model, options.estimator)
    target = _target(prepared, model, options)
    generator = Generator().manual_seed(seed)
    with torch.no_grad():
        proposals = propose(target, estimator, generator)
        sampled = refine(target, proposals, generator, options.effort)
        return _judged(target, sampled, prepared, estimator, generator)


def _alone(prepared: Prepared, model: str, options: FitOptions, seed: int) -> Answer:
    """The evidence lower bound of this curve, from random starts."""
    from saxinfer.inference.label_free.single import fit_alone

    target = _target(prepared, model, options)
    generator = Generator().manual_seed(seed)
    with torch.no_grad():
        found = fit_alone(target, generator)
        answer = _judged(target, found.sampled, prepared, None, generator)
    # Nothing was trained that could hold such statistics.
    reasons = tuple(r for r in answer.quality.reasons if r != NOT_COMPARED)
    quality = replace(answer.quality, reasons=(*reasons, ALONE))
    return replace(answer, quality=quality, settings=found.settings())


def _target(prepared: Prepared, model: str, options: FitOptions) -> Target:
    """The exact posterior of a curve, within the user's ranges."""
    structure = get_structure(model)
    space = structure.space
    for name, (low, high) in options.windows.items():
        space = space.narrow(name, low, high)
    observation = prepared.observation()
    return Target(structure, space, observation, options.absolute, options.scale_error)


def _judged(
    target: Target,
    sampled: Ensemble,
    prepared: Prepared,
    estimator: Estimator | None,
    generator: Generator,
) -> Answer:
    """What samples of a posterior say, and how far they are to be trusted."""
    posterior = posterior_of(target, sampled, prepared.curve.intensity_unit)
    prediction = predict(target, sampled, generator)
    checks = Checks(
        misfit=examine(target, prediction.drawn, generator),
        familiarity=_familiarity(target.observation, estimator),
        sigma_interval=prediction.sigma_interval,
    )
    quality = _quality(prediction, sampled, prepared, checks, generator)
    return Answer(
        posterior=posterior,
        band=prediction.band,
        quality=quality,
        evidence=Evidence(sampled.log_evidence, sampled.log_evidence_sd),
        estimator="none" if estimator is None else estimator.hash,
    )


def _boosted(prepared: Prepared, model: str, options: FitOptions, seed: int) -> Answer:
    """Trees read the curve's features; their quantiles are calibrated."""
    from saxinfer.inference.trees.card import load_trees
    from saxinfer.inference.trees.fit import answer_of_trees

    trained = load_trees(model, options.estimator)
    return answer_of_trees(prepared, get_structure(model), trained, seed)


def _familiarity(data: Observation, estimator: Estimator | None) -> Familiarity | None:
    """How like the curves of the training a curve is, if the estimator can tell."""
    if estimator is None or estimator.surroundings is None:
        return None
    shown = features(data.q[None], data.intensity[None], data.sigma[None])
    return estimator.surroundings.familiarity(estimator.network, shown)


def _quality(
    prediction: Prediction,
    sampled: Ensemble,
    prepared: Prepared,
    checks: Checks,
    generator: Generator,
) -> Quality:
    """Verdict from the domain check and the error term."""
    chi2 = None
    if prepared.sigma_source == "measured":
        residual = (prepared.curve.intensity - prediction.band.median) / prepared.sigma
        chi2 = float(residual.square().mean())
    points = len(prepared.curve)
    return judge(
        prepared.curve,
        prediction.band.residuals,
        p_value=predictive_p(prediction.squares, points, generator),
        model_error=prediction.model_error,
        sigma_factor=prediction.sigma_factor,
        chi2_reduced=chi2,
        effective=sampled.effective,
        drawn=sampled.drawn,
        checks=checks,
    )


def _settings(options: FitOptions, prepared: Prepared) -> dict[str, str | float | int]:
    """Options that differ from their defaults, and the error model, in words."""
    settings: dict[str, str | float | int] = {
        "error model": "sigma_eff² = (a sigma)² + (f I)²",
        "points": len(prepared.curve),
        "smearing": "none" if prepared.curve.resolution is None else "pinhole, sigma_q",
    }
    for name, (least, most) in options.windows.items():
        settings[name] = f"{least:g}" if least == most else f"{least:g}..{most:g}"
    if options.absolute:
        settings["scale"] = "known"
        if options.scale_error:
            settings["scale error"] = options.scale_error
    if options.contrast is not None:
        settings["contrast [1/nm2]"] = options.contrast
    if options.q_range is not None:
        low, high = ("" if end is None else f"{end:g}" for end in options.q_range)
        settings["q range [1/nm]"] = f"{low}..{high}"
    return settings


def _find_network(model: str, folder: Path | None) -> None:
    card.load_estimator(model, folder)


def _find_trees(model: str, folder: Path | None) -> None:
    from saxinfer.inference.trees.card import load_trees

    load_trees(model, folder)


def _find_gradient(model: str, folder: Path | None) -> None:
    from saxinfer.inference.label_free.gradient import refuse_without_gradient

    refuse_without_gradient(get_structure(model))
    if folder is not None:
        raise ValueError(
            "the method 'label-free' fits a curve by itself and uses no estimator, but "
            f"got {folder}. Leave it out, or use the method '{DEFAULT_METHOD}', which "
            "refines what an estimator proposes."
        )


@dataclass(frozen=True)
class Method:
    """One way of inference.

    Attributes:
        answer: From a prepared curve, a model's name, options and seed to an answer.
        find: Looks for the estimator of a model in a folder, or None for the shipped
            one; raises a ValueError that says how to train one.
        narrows: Whether a user may narrow the prior.
        scales: Whether it can use that the scale is known.
    """

    answer: Callable[[Prepared, str, FitOptions, int], Answer]
    find: Callable[[str, Path | None], None]
    narrows: bool = True
    scales: bool = True


METHODS: Mapping[str, Method] = {
    DEFAULT_METHOD: Method(_proposed_and_refined, _find_network),
    "xgboost": Method(_boosted, _find_trees, narrows=False, scales=False),
    "label-free": Method(_alone, _find_gradient),
}
"""All methods by name. Heavy libraries are imported when one is used."""
