"""The baseline's answer to one curve: what boosted trees say, and what they cannot.

Trees read the features of a curve and never look at it again. What they say of each
quantity becomes its quantile function; how quantities go together they do not say.
There is no likelihood, hence no evidence and no posterior-predictive p-value. To have
something to judge, the structure's curve at the medians is brought to the level of the
measured one (:mod:`saxinfer.inference.levelling`). A large misfit may then be the
model's or only the trees': it makes a fit poor, never foreign. Foreign is a curve whose
features lie beyond those that were learnt from as those of one in a hundred do.
"""

import math
from dataclasses import replace

import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Generator, Tensor

from saxinfer.inference.answer import Answer
from saxinfer.inference.base import Evidence, Quality, VerdictName
from saxinfer.inference.levelling import Levelled, level
from saxinfer.inference.trees.card import TrainedTrees
from saxinfer.inference.trees.labelled import seen_of
from saxinfer.inference.trees.marginals import Marginals, marginals_of
from saxinfer.inference.verdict import LARGEST_ERROR, judge
from saxinfer.instrument.observation import Observation
from saxinfer.parameter import ParameterSpace
from saxinfer.preprocess.prepare import Prepared
from saxinfer.structures.base import Structure

__all__ = ["AVERAGE", "FOREIGN_P", "answer_of_trees"]

# A curve as strange as this share of those learnt from is foreign.
FOREIGN_P = 0.01

AVERAGE = (
    "The intervals are those of boosted trees: they hold the true value for 90 % of "
    "curves like those learnt from, on average over the prior. For this one curve they "
    "may be too narrow or too wide, and how quantities go together is not known."
)


def answer_of_trees(
    prepared: Prepared, structure: Structure, trained: TrainedTrees, seed: int
) -> Answer:
    """What trees say of a prepared curve.

    Args:
        prepared: The curve.
        structure: The model.
        trained: Its trees.
        seed: Shuffles the points of the quantile functions.

    Raises:
        ValueError: If the mean intensity over ln q is not positive.
    """
    observation = prepared.observation()
    x = seen_of(prepared)[None]
    trees = trained.trees
    posterior = marginals_of(
        trained.quantities,
        trees.quantiles(x)[0],
        trees.boosting.levels,
        trained.prior,
        Generator().manual_seed(seed),
    )
    fitted = _levelled(structure, posterior, observation)
    raw = trees.predict(x)[0]
    familiar = float(trees.familiarity(x)[0])
    # Of fewer than 99 calibration curves none can be as rare as that.
    threshold = max(FOREIGN_P, 1 / (1 + len(trees.strangeness)))
    unfit = _out_of_range(trained, raw)
    return Answer(
        posterior=posterior,
        band=fitted.band,
        quality=_quality(prepared, fitted, familiar, threshold, unfit),
        evidence=Evidence(math.nan, math.nan),
        estimator=trained.hash,
        settings=_settings(trained, raw, fitted, prepared.curve.intensity_unit),
    )


def _levelled(
    structure: Structure, posterior: Marginals, data: Observation
) -> Levelled:
    """The structure's curve at the medians, at the level of the measured one."""
    names = structure.space.names
    medians = torch.tensor(
        [[posterior.quantile(name, 0.5) for name in names]], dtype=torch.float64
    )
    theta = _admitted(structure.space, medians)
    curve = data.smeared(structure.intensity(data.grid, theta))
    return level(curve[0].clamp(min=1e-300), data)


def _admitted(space: ParameterSpace, theta: Tensor) -> Tensor:
    """The point next to it that the prior allows.

    Each median is within its own bounds; together they may break a ratio.
    """
    return space.theta_from_latent(space.latent_from_theta(theta))


def _out_of_range(trained: TrainedTrees, raw: Float[ndarray, " column"]) -> list[str]:
    """A sentence on each point prediction that no sample can have."""
    said = []
    for quantity, value in zip(trained.quantities, raw.tolist(), strict=True):
        low, high = quantity.prior_low, quantity.prior_high
        slack = 1e-6 * max(abs(low), abs(high))
        if not low - slack <= value <= high + slack:
            said.append(
                f"The trees' point prediction of {quantity.name}, {value:.4g} "
                f"{quantity.unit}, is out of its range, {low:.4g} to {high:.4g}; the "
                "interval is clipped to that."
            )
    return said


def _quality(
    prepared: Prepared,
    fitted: Levelled,
    familiar: float,
    threshold: float,
    out_of_range: list[str],
) -> Quality:
    """The verdict of every method, as far as trees give it something to judge."""
    chi2 = None
    if prepared.sigma_source == "measured":
        residual = (prepared.curve.intensity - fitted.band.median) / prepared.sigma
        chi2 = float(residual.square().mean())
    judged = judge(
        prepared.curve,
        fitted.band.residuals,
        p_value=1.0,
        model_error=0.0,
        sigma_factor=1.0,
        chi2_reduced=chi2,
        effective=math.inf,
        drawn=1,
    )
    foreign, poor = [], []
    if familiar <= threshold:
        foreign.append(
            "The curve is unlike those that the trees learnt from: only "
            f"{100 * familiar:.2g} % of these lie as far out of the common range."
        )
    if fitted.model_error > LARGEST_ERROR:
        poor.append(
            "The model's curve at the medians misses the measured one by "
            f"{100 * fitted.model_error:.3g} % a point: the trees are wrong here, or "
            "the model is. The default method can tell which."
        )
    verdict: VerdictName = judged.verdict
    if foreign:
        verdict = "out_of_domain"
    elif poor and verdict == "good":
        verdict = "poor"
    return replace(
        judged,
        verdict=verdict,
        reasons=(*foreign, *judged.reasons, *poor, *out_of_range, AVERAGE),
        p_value=None,
        effective_samples=math.nan,
        sampling_efficiency=math.nan,
    )


def _settings(
    trained: TrainedTrees,
    raw: Float[ndarray, " column"],
    fitted: Levelled,
    unit: str,
) -> dict[str, str | float | int]:
    """What the trees were grown from, what they say as it comes, and the level."""
    card, size = trained.card, trained.trees.boosting.size
    settings: dict[str, str | float | int] = {
        "trees": (
            f"{size.rounds} rounds, learning rate {size.rate:g}, depth {size.depth}"
            if not trained.trees.boosting.grid_search
            else "sizes by grid search"
        ),
        "learnt from": f"{card['curves']} curves, {card['source']}",
        "calibrated on": f"{card['calibration_curves']} of them",
        "error model": "the drawn curve's only: sigma_eff² = sigma² + (f I)²",
        "smearing": "of the drawn curve only; the trees know of none",
        f"scale [{unit} / model]": fitted.scale,
        f"background [{unit}]": fitted.background,
        f"power law at the smallest q [{unit}]": fitted.power_law,
        "model error f": fitted.model_error,
    }
    for quantity, value in zip(trained.quantities, raw.tolist(), strict=True):
        settings[f"point prediction of {quantity.name} [{quantity.unit}]"] = value
    return settings
