r"""How far to trust a fit: the verdict, with all thresholds in one place.

``good``: posterior-predictive p at least ``SMALLEST_P`` with the error term, model
error at most ``LARGEST_ERROR``, residuals not correlated beyond chance, and enough
effective samples. ``out_of_domain``: the q axis cannot be trusted, the curve is slit
smeared, the model error exceeds ``FOREIGN_ERROR``, or most of the curve lies where no
estimator was trained. Else ``poor``. Each reason is one sentence.

References:
    Gelman, Meng & Stern, Stat. Sin. 6, 733 (1996): posterior-predictive p-values.
    Bartlett, J. R. Stat. Soc. Suppl. 8, 27 (1946): variance of serial correlations.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.curve import Curve
from saxinfer.inference.base import Quality, VerdictName

__all__ = [
    "FEWEST_EFFECTIVE",
    "FOREIGN_ERROR",
    "LARGEST_ERROR",
    "LARGEST_SIGMA_FACTOR",
    "SMALLEST_P",
    "SMALLEST_RUNS_P",
    "judge",
    "predictive_p",
    "residual_correlation_p",
]

SMALLEST_P = 0.01
LARGEST_ERROR = 0.05
FOREIGN_ERROR = 0.30
SMALLEST_RUNS_P = 0.01
FEWEST_EFFECTIVE = 100.0

# Windows in ln q whose mean residuals are tested.
WINDOWS = 16

# A factor on the error bars beyond this, either way, is said; it spoils no verdict.
LARGEST_SIGMA_FACTOR = 2.0


def residual_correlation_p(
    residuals: Float[Tensor, " q"], q: Float[Tensor, " q"] | None = None
) -> float:
    """One-sided p-value that neighbouring residuals are no more alike than by chance.

    Sum of products of neighbours over the sum of squares is normal with mean -1/n and
    variance 1/n for independent residuals; taken over one, two and four neighbours'
    distance. With q given, the means of the residuals in sixteen windows equal in ln q
    are held against chi-square as well: a run at low q must not drown in many noisy
    points at high q. The smallest p counts, times the number of tests (Bonferroni).
    """
    count = len(residuals)
    centred = residuals.clamp(-4, 4)
    norm = float(centred.square().sum()) or 1.0
    smallest = 1.0
    for lag in (1, 2, 4):
        product = float((centred[lag:] * centred[:-lag]).sum()) / norm
        score = (product + 1 / count) * math.sqrt(count)
        smallest = min(smallest, 0.5 * math.erfc(score / math.sqrt(2)))
    if q is None:
        return min(1.0, 3 * smallest)
    place = (q / q[0]).log() / (q[-1] / q[0]).log() * WINDOWS
    window = place.long().clamp(0, WINDOWS - 1)
    sums = centred.new_zeros(WINDOWS).index_add(0, window, centred)
    counts = centred.new_zeros(WINDOWS).index_add(0, window, torch.ones_like(centred))
    occupied = counts > 0
    square = (sums[occupied].square() / counts[occupied]).sum()
    half = 0.5 * occupied.sum().to(square)
    windowed = float(torch.special.gammaincc(half, 0.5 * square))
    return min(1.0, 4 * min(smallest, windowed))


def judge(  # noqa: PLR0913
    curve: Curve,
    residuals: Float[Tensor, " q"],
    *,
    p_value: float,
    model_error: float,
    sigma_factor: float,
    chi2_reduced: float | None,
    effective: float,
    drawn: int,
) -> Quality:
    """The verdict on one fit.

    Args:
        curve: The fitted points, with the reader's remarks.
        residuals: (measured - median) / sigma_eff [1].
        p_value: Posterior-predictive p-value with the error term.
        model_error: Posterior median of f [1].
        sigma_factor: Posterior median of a [1].
        chi2_reduced: With the file's errors; None without.
        effective: Number of independent samples that there are.
        drawn: Number of curves that the walkers tried.
    """
    foreign = [r.text for r in curve.remarks if r.kind in ("axis", "slit")]
    poor: list[str] = []
    if model_error > FOREIGN_ERROR:
        foreign.append(
            f"The model misses the curve by {100 * model_error:.0f} % a point: this is "
            "not the structure, or the data hold something else as well."
        )
    elif model_error > LARGEST_ERROR:
        poor.append(
            f"The model misses the curve by {100 * model_error:.1f} % a point, more "
            f"than {100 * LARGEST_ERROR:.0f} %: the intervals hold only as far as "
            "that error is random."
        )
    if p_value < SMALLEST_P:
        poor.append(
            f"Data simulated from the fit are closer to it than the measured ones: "
            f"posterior-predictive p = {p_value:.2g}."
        )
    runs = residual_correlation_p(residuals, curve.q)
    if runs < SMALLEST_RUNS_P:
        poor.append(
            "Neighbouring residuals have the same sign more often than by chance "
            f"(p = {runs:.1g}): the model's shape differs from the curve's."
        )
    if effective < FEWEST_EFFECTIVE:
        poor.append(
            f"The samples are worth only {effective:.0f} independent ones: the "
            "intervals are rough, and a further solution may have been missed."
        )
    verdict: VerdictName = "out_of_domain" if foreign else "poor" if poor else "good"
    reasons = foreign + poor
    if not 1 / LARGEST_SIGMA_FACTOR <= sigma_factor <= LARGEST_SIGMA_FACTOR:
        word = "under" if sigma_factor > 1 else "over"
        reasons.append(
            f"The file's errors are {word}stated: they were multiplied by "
            f"{sigma_factor:.3g}."
        )
    return Quality(
        verdict=verdict,
        reasons=tuple(reasons),
        chi2_reduced=chi2_reduced,
        p_value=p_value,
        effective_samples=effective,
        sampling_efficiency=effective / drawn,
    )


def predictive_p(
    residual_square: Float[Tensor, " sample"], points: int, generator: torch.Generator
) -> float:
    """Share of posterior samples whose replicated misfit exceeds the measured one.

    Args:
        residual_square: Sum of squared effective residuals for each posterior sample.
        points: Number of points.
        generator: Source of the replications.
    """
    half = torch.full_like(residual_square, points / 2)
    replicated = 2 * torch._standard_gamma(half, generator=generator)
    return float((replicated >= residual_square).double().mean())
