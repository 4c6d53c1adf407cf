"""What every way of inference returns: a posterior with all that it rests on."""

from dataclasses import dataclass, field
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from saxinfer.curve import Curve
from saxinfer.posterior import Posterior
from saxinfer.preprocess.model_free import ModelFree

__all__ = [
    "Band",
    "Evidence",
    "Fit",
    "Provenance",
    "Quality",
    "Rival",
    "VerdictName",
]

VerdictName = Literal["good", "poor", "out_of_domain"]


@dataclass(frozen=True, eq=False)
class Band:
    """The fitted curve at the measured q, smearing and background included.

    Attributes:
        median: Posterior median of the model curve [unit of the intensity].
        low: 5 % quantile of the posterior-predictive intensity, error term included.
        high: 95 % quantile, likewise.
        sigma: Effective standard error of a point (file's errors times the fitted
            factor, model error added in quadrature), posterior median.
        residuals: (measured - median) / sigma [1].
    """

    median: Float[Tensor, " q"]
    low: Float[Tensor, " q"]
    high: Float[Tensor, " q"]
    sigma: Float[Tensor, " q"]
    residuals: Float[Tensor, " q"]


@dataclass(frozen=True)
class Quality:
    """How far to trust a result.

    Attributes:
        verdict: ``good``, ``poor`` or ``out_of_domain``.
        reasons: One plain sentence each. A ``good`` fit may have one too: that the
            file's errors were rescaled.
        chi2_reduced: Mean squared residual with the file's own errors, at the
            posterior median curve; None where the file has no errors.
        p_value: Posterior-predictive p-value with the error term.
        effective_samples: Number of independent samples that the posterior's are worth.
        sampling_efficiency: The same divided by the number of curves that were tried to
            get them.
        misfit_p: Chance of residuals whose shape stands out like these where the model
            is right; None where it was not computed.
        domain_p: Share of curves of the training that are as unlike the others as this
            one; None where it was not computed.
    """

    verdict: VerdictName
    reasons: tuple[str, ...]
    chi2_reduced: float | None
    p_value: float | None
    effective_samples: float
    sampling_efficiency: float
    misfit_p: float | None = None
    domain_p: float | None = None


@dataclass(frozen=True)
class Evidence:
    """Log marginal likelihood and its Monte Carlo standard error."""

    log: float
    sd: float


@dataclass(frozen=True)
class Provenance:
    """What made a result, so that it can be made again.

    Attributes:
        saxinfer: Version of the package.
        estimator: Short hash of the estimator's weights and card.
        seed: Seed of the random numbers.
        command: Command line, or the Python call.
        settings: Every option that differs from its default, and the error model.
        seconds: Wall time of the fit.
    """

    saxinfer: str
    estimator: str
    seed: int
    command: str
    seconds: float
    settings: dict[str, str | float | int | bool] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Rival:
    """One of several models that were fitted to the same curve.

    Attributes:
        model: Its name.
        prior: Probability that it was given before the curve was seen.
        probability: That it is this one, if it is one of them.
        evidence: Log marginal likelihood.
        verdict: On its fit.
        passes: Whether the curve could have come from it; a fit may be ``poor``
            because it was sampled badly, and pass.
        median: Posterior median of its curve [unit of the intensity].
    """

    model: str
    prior: float
    probability: float
    evidence: Evidence
    verdict: VerdictName
    passes: bool
    median: Float[Tensor, " q"]


@dataclass(frozen=True, eq=False)
class Fit:
    """Posterior, quality, evidence, data and provenance of one curve and one model.

    ``rivals`` are all models that it was chosen from, the most probable first; empty
    where the user named the model.
    """

    curve: Curve
    model: str
    method: str
    posterior: Posterior
    band: Band
    quality: Quality
    evidence: Evidence
    model_free: ModelFree
    provenance: Provenance
    sigma_source: Literal["measured", "estimated"] = "measured"
    rivals: tuple[Rival, ...] = ()
