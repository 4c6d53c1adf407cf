r"""Which structure is it, and of which phases?

Each model is fitted by the same path as if it had been named, and weighed by its
evidence: the nuisances have the same proper priors, on quantities that no model enters,
so that evidences of one curve may be compared,

.. math:: P(M_i | D) = w_i Z_i \Big/ \sum_j w_j Z_j ,

where w are prior weights and Z the evidences. These are probabilities *if it is one of
the models*. Whether it is, the predictive check says: where no model passes it, the
answer is :data:`NONE`.

References:
    Jeffreys, Theory of Probability (1939): comparing models by their evidence.
    Gelman, Meng & Stern, Stat. Sin. 6, 733 (1996): posterior-predictive checks.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.curve import Curve
from saxinfer.inference import DEFAULT_METHOD, METHODS, FitOptions
from saxinfer.inference.base import Fit, Rival
from saxinfer.inference.trials import Begun, Trials
from saxinfer.inference.verdict import LARGEST_ERROR, MISFIT_P, SMALLEST_P
from saxinfer.posterior import Posterior, Quantity, Summary
from saxinfer.structures import MODELS, get_structure
from saxinfer.structures.phase import Phase

__all__ = [
    "NONE",
    "RULED_OUT",
    "FoundPhase",
    "Nested",
    "PhaseValue",
    "available",
    "best_of",
    "check_choice",
    "chosen_from",
    "identify",
    "is_toss_up",
    "nested",
    "passes",
    "phases_of",
]

NONE: Final = "none"

# Models that are less probable are as good as excluded.
RULED_OUT: Final = 0.01

NO_MODEL: Final = (
    "No model that was tried ({names}) passes the predictive check; this is the most "
    "probable of them, not an answer."
)


@dataclass(frozen=True)
class PhaseValue:
    """What is believed of one number of a phase.

    Attributes:
        summary: Interval, and how much the curve taught [1, or nm].
        solutions: Median and share of each separate solution.
        fixed: Whether the model allows one value only.
    """

    summary: Summary
    solutions: tuple[tuple[float, float], ...]
    fixed: bool


@dataclass(frozen=True)
class FoundPhase:
    """A phase with what the curve says of it.

    Attributes:
        phase: What it is called, and what its values mean.
        fraction: Of what ``phase.fraction`` says [1]; None if the model does not know.
        contrast: In the unit that ``phase.contrast`` says; likewise.
        length: Which ``phase.length`` says [nm]; likewise.
    """

    phase: Phase
    fraction: PhaseValue | None
    contrast: PhaseValue | None
    length: PhaseValue | None


def best_of(fit: Fit) -> str:
    """Name of the most probable of several models, or ``none`` where no model passes.

    Raises:
        ValueError: If the fit was not chosen from several.
    """
    if not fit.rivals:
        raise ValueError(f"'{fit.model}' was named, not chosen from several models.")
    passing = any(rival.passes for rival in fit.rivals)
    return fit.rivals[0].model if passing else NONE


@dataclass(frozen=True)
class Nested:
    """Two models that were tried, one a special case of the other.

    Attributes:
        simple: The special case.
        wide: The model that holds it.
        undecided: Whether neither is less probable than :data:`RULED_OUT`.
    """

    simple: str
    wide: str
    undecided: bool


def nested(fit: Fit) -> tuple[Nested, ...]:
    """Pairs of a special case and the next wider model among those that were tried."""
    probability = {rival.model: rival.probability for rival in fit.rivals}
    return tuple(
        Nested(simple, wide, min(probability[simple], probability[wide]) >= RULED_OUT)
        for wide in probability
        for simple in _special_cases(wide, probability)
    )


def _special_cases(wide: str, tried: Mapping[str, float]) -> Iterator[str]:
    for simple in get_structure(wide).special_cases:
        if simple in tried:
            yield simple
        else:
            yield from _special_cases(simple, tried)


def is_toss_up(fit: Fit) -> bool:
    """Whether another seed might change which model is the most probable.

    So it is if the first two are closer than twice the Monte Carlo error of the
    difference of their log evidences.
    """
    if len(fit.rivals) < 2 or not fit.rivals[1].probability:
        return False
    first, second = fit.rivals[:2]
    gap = math.log(first.probability / second.probability)
    return gap < 2 * math.hypot(first.evidence.sd, second.evidence.sd)


def available(method: str = DEFAULT_METHOD) -> tuple[str, ...]:
    """Names of the models whose estimator comes with the package."""
    found = []
    for name in MODELS:
        try:
            METHODS[method].find(name, None)
        except ValueError:
            continue
        found.append(name)
    return tuple(found)


def identify(
    curve: Curve,
    models: Sequence[str] | None = None,
    *,
    weights: Mapping[str, float] | None = None,
    options: FitOptions | None = None,
    seed: int = 0,
    begun: Begun | None = None,
) -> Fit:
    """Fits each model to one curve, and weighs them.

    Args:
        curve: The measured curve.
        models: Which to try; None for all whose estimator comes with the package.
        weights: Prior weights by name, 1 where none is given; their size does not
            matter, only their ratios.
        options: How to fit. Nothing can be narrowed, for models share no parameters.
        seed: Of the sampling; the same seed gives the same result.
        begun: Told before each fit how many are done, and of which model it is.

    Returns:
        The fit of the most probable model, with all as ``rivals`` and the time that all
        fits took. Whether any of them passes, :func:`best_of` says.

    Raises:
        ValueError: If a model is unknown or has no estimator, a weight is not positive
            or of no such model, the method has no evidence, or a range is narrowed.

    Example:
        >>> identify(curve, ["sphere", "core_shell_sphere"]).model  # doctest: +SKIP
        'core_shell_sphere'
    """
    options = options or FitOptions()
    given = check_choice(models or (), weights or {}, options)
    trials = Trials(curve, given, options, seed, begun)
    for name in given:
        trials.fit(name, options.effort.skim())
    near = trials.settle_near()
    # Where a search of the whole prior was left out, the right solution may be missing.
    if not any(passes(trials.fits[name]) for name in near):
        for name in trials.ranked:
            if name not in near:
                trials.fit(name, options.effort.survey())
        trials.settle_near()
    return chosen_from(tuple(trials.fits.values()), given)


def chosen_from(fits: Sequence[Fit], weights: Mapping[str, float]) -> Fit:
    """The most probable of some fits to one curve, with all as ``rivals``.

    Args:
        fits: One a model, at least one.
        weights: Prior weight of each model, positive.
    """
    weight = torch.tensor([weights[fit.model] for fit in fits], dtype=torch.float64)
    evidence = torch.tensor([fit.evidence.log for fit in fits], dtype=torch.float64)
    prior = weight / weight.sum()
    probability = torch.softmax(evidence + prior.log(), 0)
    order = torch.argsort(probability, descending=True, stable=True).tolist()
    rivals = tuple(
        Rival(
            model=fits[i].model,
            prior=float(prior[i]),
            probability=float(probability[i]),
            evidence=fits[i].evidence,
            verdict=fits[i].quality.verdict,
            passes=passes(fits[i]),
            median=fits[i].band.median,
        )
        for i in order
    )
    top = fits[order[0]]
    quality = top.quality
    if not any(rival.passes for rival in rivals):
        said = NO_MODEL.format(names=", ".join(rival.model for rival in rivals))
        quality = replace(quality, reasons=(said, *quality.reasons))
    seconds = sum(fit.provenance.seconds for fit in fits)
    provenance = replace(top.provenance, seconds=seconds)
    found: Fit = replace(top, quality=quality, provenance=provenance, rivals=rivals)
    return found


def check_choice(
    models: Sequence[str], weights: Mapping[str, float], options: FitOptions
) -> dict[str, float]:
    """Prior weights of all models that are to be tried; no curve is needed.

    Args:
        models: Which to try; none for all whose estimator comes with the package.
        weights: Prior weights by name, 1 where none is given.
        options: How to fit.

    Raises:
        ValueError: As in :func:`identify`.
    """
    if options.method != DEFAULT_METHOD:
        raise ValueError(
            f"The method '{options.method}' has no evidence, by which models are "
            f"weighed. Use the method '{DEFAULT_METHOD}'."
        )
    if options.windows or options.estimator is not None:
        raise ValueError(
            "Models share no parameters and no estimator: name one model, or leave out "
            "what narrows a parameter or names an estimator."
        )
    if options.contrast is not None:
        raise ValueError(
            "A contrast is a unit of one model's densities: name one model, or leave "
            "the contrast out."
        )
    models = tuple(models) or available()
    for name in models:
        get_structure(name)
        METHODS[options.method].find(name, None)
    strange = [name for name in weights if name not in models]
    if strange:
        raise ValueError(
            f"A prior weight is given for '{strange[0]}', which is not tried. The "
            f"models are {', '.join(models)}."
        )
    for name, weight in weights.items():
        if not (weight > 0 and math.isfinite(weight)):
            raise ValueError(
                f"The prior weight of '{name}' must be positive, got {weight:g}. To "
                "leave a model out, name the others."
            )
    return {name: float(weights.get(name, 1.0)) for name in models}


def passes(fit: Fit) -> bool:
    """Whether the curve could have come from the model, as far as its check tells.

    The check is that of :mod:`saxinfer.inference.verdict`, less what speaks of the
    sampling, or of the curves of the training, only.
    """
    quality = fit.quality
    return bool(
        quality.verdict != "out_of_domain"
        and fit.posterior.quantile("model_error", 0.5) <= LARGEST_ERROR
        and (quality.p_value is None or quality.p_value >= SMALLEST_P)
        and (quality.misfit_p is None or quality.misfit_p >= MISFIT_P)
    )


def phases_of(fit: Fit) -> tuple[FoundPhase, ...]:
    """Fraction, contrast and length of each phase of a fitted model."""
    structure, posterior = get_structure(fit.model), fit.posterior
    names = structure.space.names
    believed = structure.phase_values(
        torch.stack([posterior.column(name) for name in names], -1)
    )
    assumed = structure.phase_values(
        torch.stack([posterior.prior_column(name) for name in names], -1)
    )
    return tuple(
        FoundPhase(
            phase,
            *(
                _value(kind, believed[:, i, k], posterior.weights, assumed[:, i, k])
                for k, kind in enumerate(("fraction", "contrast", "length"))
            ),
        )
        for i, phase in enumerate(structure.phases)
    )


def _value(
    kind: str,
    values: Float[Tensor, " sample"],
    weights: Float[Tensor, " sample"],
    prior: Float[Tensor, " draw"],
) -> PhaseValue | None:
    if not bool(values.isfinite().all() and prior.isfinite().all()):
        return None
    low, high = float(prior.min()), float(prior.max())
    of_scale = kind == "length"
    unit = "nm" if of_scale else "1"
    quantity = Quantity(kind, unit, "", "parameter", low, high, of_scale)
    alone = Posterior((quantity,), values[:, None], weights, prior[:, None])
    return PhaseValue(alone.summary(kind), alone.solutions(kind), alone.is_fixed(kind))
