r"""How far to trust a fit: the verdict, with all thresholds in one place.

``good``: nothing below was found. ``out_of_domain``: the q axis cannot be trusted, the
curve is slit smeared, the model error exceeds ``FOREIGN_ERROR``, or the curve is unlike
those that the estimator was trained on beyond ``FOREIGN_P``, or is both unlike them and
unlike the model. Else ``poor``. Each reason is one sentence.

**The domain check** asks whether the model can have made this curve. Its parts share a
false-alarm rate of 5 %, the share of curves of the model that are called anything but
good by one of them:

- features, at ``STRANGE_P`` = 1 %: is the curve like those of the training?
- shapes in the residuals, at ``MISFIT_P`` = 4 % for all families together
  (:mod:`saxinfer.inference.misfit`);
- the posterior-predictive p, at ``SMALLEST_P``: with a free error term it is near one
  half whatever happens, and takes no part of the 5 %; it sees what the error term
  cannot reach.

Where a part was not made, it is not passed: the reasons say so if the curve is judged
without it. Without ``misfit`` neighbouring residuals alone are held against chance.

**Stated errors** are called wrong if the factor a on them is beyond
``LARGEST_SIGMA_FACTOR`` either way in the posterior median, and one lies outside of its
90 % interval. Its prior (ln a is Cauchy, half-width 0.1) keeps a at one where the data
do not know it, as where the model error is far larger: then nothing is said. The root
of two is half way from one to a factor of two, which is found where the data know ln a
to 0.2.

References:
    Gelman, Meng & Stern, Stat. Sin. 6, 733 (1996): posterior-predictive p-values.
    Bartlett, J. R. Stat. Soc. Suppl. 8, 27 (1946): variance of serial correlations.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.curve import Curve
from saxinfer.inference.base import Quality, VerdictName
from saxinfer.inference.domain import Familiarity
from saxinfer.inference.misfit import Misfit

__all__ = [
    "FEWEST_EFFECTIVE",
    "FOREIGN_ERROR",
    "FOREIGN_P",
    "LARGEST_ERROR",
    "LARGEST_SIGMA_FACTOR",
    "MISFIT_P",
    "NOT_COMPARED",
    "SMALLEST_P",
    "SMALLEST_RUNS_P",
    "STRANGE_P",
    "Checks",
    "judge",
    "predictive_p",
    "residual_correlation_p",
]

SMALLEST_P = 0.01
LARGEST_ERROR = 0.05
FOREIGN_ERROR = 0.30
SMALLEST_RUNS_P = 0.01
FEWEST_EFFECTIVE = 600.0

# Of the 5 % false alarms of the domain check.
MISFIT_P = 0.04
STRANGE_P = 0.01

# Of features alone that make a curve foreign.
FOREIGN_P = 0.002

# Windows in ln q whose mean residuals are tested.
WINDOWS = 16

# A factor on the error bars beyond this is said, either way: it is nearer to two than
# to one. It spoils no verdict.
LARGEST_SIGMA_FACTOR = math.sqrt(2)

NOT_COMPARED = (
    "The estimator holds no statistics of the curves that it was trained on: whether "
    "this curve is like them was not checked."
)


@dataclass(frozen=True)
class Checks:
    """What else was found about a curve; a method makes those that it can.

    Attributes:
        misfit: Shapes in the residuals.
        familiarity: How like the curves of the training it is; None if the estimator
            cannot tell.
        sigma_interval: 5 % and 95 % quantile of the factor on the errors [1].
    """

    misfit: Misfit
    familiarity: Familiarity | None
    sigma_interval: tuple[float, float]


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
    checks: Checks | None = None,
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
        drawn: Number of curves that were tried to get them.
        checks: What else was found; without it, neighbouring residuals are compared.
    """
    foreign = [r.text for r in curve.remarks if r.kind in ("axis", "slit")]
    poor: list[str] = []
    _judge_model_error(model_error, foreign, poor)
    if p_value < SMALLEST_P:
        poor.append(
            f"Data simulated from the fit are closer to it than the measured ones: "
            f"posterior-predictive p = {p_value:.2g}."
        )
    if checks is None:
        _judge_neighbours(residuals, curve.q, poor)
    else:
        _judge_domain(checks, foreign, poor)
    if effective < FEWEST_EFFECTIVE:
        poor.append(
            f"The samples are worth only {effective:.0f} independent ones: the "
            "intervals are rough, and a further solution may have been missed."
        )
    verdict: VerdictName = "out_of_domain" if foreign else "poor" if poor else "good"
    interval = None if checks is None else checks.sigma_interval
    notes = _wrong_errors(curve, sigma_factor, interval)
    if checks is not None and checks.familiarity is None:
        notes.append(NOT_COMPARED)
    familiarity = None if checks is None else checks.familiarity
    return Quality(
        verdict=verdict,
        reasons=(*foreign, *poor, *notes),
        chi2_reduced=chi2_reduced,
        p_value=p_value,
        effective_samples=effective,
        sampling_efficiency=effective / drawn,
        misfit_p=None if checks is None else checks.misfit.p,
        domain_p=None if familiarity is None else familiarity.p,
    )


def _judge_model_error(error: float, foreign: list[str], poor: list[str]) -> None:
    if error > FOREIGN_ERROR:
        foreign.append(
            f"The model misses the curve by {100 * error:.0f} % a point: this is "
            "not the structure, or the data hold something else as well."
        )
    elif error > LARGEST_ERROR:
        poor.append(
            f"The model misses the curve by {100 * error:.1f} % a point, more "
            f"than {100 * LARGEST_ERROR:.0f} %: the intervals hold only as far as "
            "that error is random."
        )


def _judge_neighbours(residuals: Tensor, q: Tensor, poor: list[str]) -> None:
    runs = residual_correlation_p(residuals, q)
    if runs < SMALLEST_RUNS_P:
        poor.append(
            "Neighbouring residuals have the same sign more often than by chance "
            f"(p = {runs:.1g}): the model's shape differs from the curve's."
        )


def _judge_domain(checks: Checks, foreign: list[str], poor: list[str]) -> None:
    """Adds what features and shapes in the residuals say of the domain."""
    misfit, familiarity = checks.misfit, checks.familiarity
    if misfit.p < MISFIT_P:
        poor.append(
            f"{misfit.reason} (p = {misfit.p:.2g} for all shapes that were looked for)."
        )
    if familiarity is not None and familiarity.p < STRANGE_P:
        outside = familiarity.p < FOREIGN_P or misfit.p < MISFIT_P
        (foreign if outside else poor).append(
            "The curve is unlike those that the estimator was trained on "
            f"(p = {familiarity.p:.2g}): check the unit of q, or the search for "
            "solutions may have missed one."
        )


def _wrong_errors(
    curve: Curve, factor: float, interval: tuple[float, float] | None
) -> list[str]:
    """A sentence if the errors are wrong by a factor beyond doubt."""
    if 1 / LARGEST_SIGMA_FACTOR <= factor <= LARGEST_SIGMA_FACTOR:
        return []
    if interval is not None and interval[0] <= 1 <= interval[1]:
        return []
    if any(remark.kind == "sigma" for remark in curve.remarks):
        return [
            "The errors that were estimated from the scatter were multiplied by "
            f"{factor:.3g}."
        ]
    word = "under" if factor > 1 else "over"
    return [
        f"The file's errors are {word}stated: they were multiplied by {factor:.3g}."
    ]


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
