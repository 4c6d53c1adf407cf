"""Fits built by hand, so that reports and doors are tested without inference."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from saxinfer.curve import Curve, Remark
from saxinfer.inference.base import (
    Band,
    Evidence,
    Fit,
    Provenance,
    Quality,
    Rival,
    VerdictName,
)
from saxinfer.inference.trees.marginals import Marginals
from saxinfer.posterior import Posterior, Quantity
from saxinfer.preprocess.model_free import model_free

SPHERE = (
    Quantity(
        "radius_mean", "nm", "Mean radius by number.", "parameter", 0.5, 150, True
    ),
    Quantity("radius_std", "nm", "Spread of the radius.", "parameter", 5e-4, 75, True),
    Quantity("diameter", "nm", "Mean diameter by number.", "derived", 1, 300, True),
)
NUISANCE = (
    Quantity("scale", "a.u.", "Scale.", "nuisance", 1e-6, 1e6, True),
    Quantity("background", "1/cm", "Background.", "nuisance", 0, 10),
    Quantity("power_law", "1", "Low-q excess.", "nuisance", 0, 1),
    Quantity("power_law_exponent", "1", "Its exponent.", "nuisance", 2, 4),
    Quantity("sigma_factor", "1", "Factor on errors.", "nuisance", 0.3, 3, True),
    Quantity("model_error", "1", "Relative misfit.", "nuisance", 1e-4, 0.3, True),
)
CELLULOSE = (
    ("fibril_diameter_mean", "nm", 1.0, 8.0, 2.6, 0.04),
    ("fibril_diameter_std", "nm", 0.0, 2.0, 0.5, 0.1),
    ("interfibril_spacing", "nm", 2.0, 12.0, 4.1, 0.08),
    ("spacing_disorder", "1", 0.05, 0.5, 0.3, 0.03),
    ("pore_volume_fraction", "1", 0.0, 0.9, 0.45, 0.02),
    ("pore_size", "nm", 1.0, 100.0, 12.0, 1.5),
    ("interior_period", "nm", 3.0, 9.0, 6.3, 0.05),
    ("crystalline_fraction", "1", 0.1, 0.9, 0.5, 0.22),
    ("water_fraction", "1", 0.0, 0.9, 0.2, 0.01),
    ("pow_exp", "1", 4.0, 8.0, 5.0, 0.3),
    ("surface_per_volume", "m2/cm3", 10.0, 900.0, 230.0, 20.0),
)


def made_curve(
    points: int = 180, *, name: str = "spheres", errors: bool = True
) -> Curve:
    """Spheres of 5 nm with a flat background and noise of 3 %."""
    generator = torch.Generator().manual_seed(0)
    q = torch.logspace(math.log10(0.04), math.log10(4), points, dtype=torch.float64)
    clean = sphere_curve(q)
    sigma = 0.03 * clean + 1e-3
    shaken = clean + sigma * torch.randn(points, generator=generator).double()
    return Curve(
        q,
        shaken,
        sigma if errors else None,
        resolution=0.01 * q,
        name=name,
        file=f"data/{name}.dat",
        q_unit="1/Å",
        intensity_unit="1/cm",
        dropped=3,
        remarks=(Remark("q is taken to be in 1/Å, as the header of the file says."),),
    )


def sphere_curve(q: Tensor) -> Tensor:
    x = 5 * q
    amplitude = 3 * (torch.sin(x) - x * torch.cos(x)) / x**3
    return 10 * amplitude**2 + 0.01


def made_posterior(quantities: tuple[Quantity, ...], centres: Tensor) -> Posterior:
    """Normal about the centres (sd 1 %), cut to the priors; weights are uneven."""
    generator = torch.Generator().manual_seed(1)
    count, width = 2000, len(quantities)
    noise = torch.randn(count, width, generator=generator).double()
    if width > 1:
        noise[:, 1] = 0.8 * noise[:, 0] + 0.6 * noise[:, 1]
    samples = centres * (1 + 0.01 * noise)
    low = torch.tensor([q.prior_low for q in quantities]).double()
    high = torch.tensor([q.prior_high for q in quantities]).double()
    share = torch.rand(4000, width, generator=generator).double()
    logarithmic = torch.tensor([q.logarithmic for q in quantities])
    ratio = (high / low.clamp(min=1e-12)) ** share
    prior = torch.where(logarithmic, low * ratio, low + (high - low) * share)
    weights = torch.rand(count, generator=generator).double() + 0.2
    return Posterior(
        quantities, samples.clamp(low, high), weights / weights.sum(), prior
    )


def made_fit(curve: Curve | None = None, *, model: str = "sphere") -> Fit:
    """A good fit of spheres."""
    curve = made_curve() if curve is None else curve
    centres = [5.0, 0.3, 10.0, 10.0, 0.01, 0.2, 3.0, 1.0, 0.004]
    return _fit(curve, model, made_posterior((*SPHERE, *NUISANCE), _row(centres)))


def made_wide_fit() -> Fit:
    """Eleven parameters: one with two solutions, one that the data do not touch."""
    parameters = tuple(
        Quantity(n, u, f"The {n.replace('_', ' ')}.", "parameter", low, high)
        for n, u, low, high, *_ in CELLULOSE
    )
    centres = [row[4] for row in CELLULOSE] + [1e-3, 0.01, 0.2, 3.0, 1.0, 0.004]
    posterior = made_posterior((*parameters, *NUISANCE), _row(centres))
    generator = torch.Generator().manual_seed(2)
    samples = posterior.samples.clone()
    noise = torch.randn(len(samples), len(CELLULOSE), generator=generator).double()
    spread = _row([row[5] for row in CELLULOSE])
    samples[:, : len(CELLULOSE)] = _row(centres[: len(CELLULOSE)]) + spread * noise
    first = torch.rand(len(samples), generator=generator) < 0.3
    samples[first, 4] = 1 - samples[first, 4]
    samples[:, 7] = 0.1 + 0.8 * torch.rand(len(samples), generator=generator).double()
    mixed = Posterior(posterior.quantities, samples, posterior.weights, posterior.prior)
    return _fit(
        made_curve(2000, name="wood, wet"),
        "cellulose",
        mixed,
        Quality(
            "poor",
            (
                "The relative model error of 7.2 % is above the 5 % of a good fit.",
                "Neighbouring residuals are alike: the misfit has a shape.",
            ),
            2.31,
            0.004,
            812.0,
            0.2,
        ),
    )


def made_tree_fit() -> Fit:
    """Spheres as boosted trees see them: no instrument, nothing joint, no evidence."""
    posterior = made_posterior(SPHERE, _row([5.0, 0.3, 10.0]))
    alone = Marginals(
        posterior.quantities, posterior.samples, posterior.weights, posterior.prior
    )
    reasons = ("The intervals are right on average.",)
    quality = Quality("good", reasons, 1.02, None, math.nan, math.nan)
    found = _fit(made_curve(), "sphere", alone, quality)
    made = replace(found.provenance, settings={"model error f": 0.012345678})
    return replace(
        found,
        method="xgboost",
        evidence=Evidence(math.nan, math.nan),
        provenance=made,
    )


def made_chosen_fit(
    curve: Curve | None = None, passing: tuple[str, ...] = ("sphere",)
) -> Fit:
    """Spheres, chosen from three models of which some pass their check."""
    fit = made_fit(curve)
    rivals: tuple[tuple[str, float, float, VerdictName], ...] = (
        ("sphere", 0.8, -123.4, "good"),
        ("core_shell_sphere", 0.1999, -124.787, "poor"),
        ("cellulose", 1e-4, -132.4, "out_of_domain"),
    )
    return replace(
        fit,
        rivals=tuple(
            Rival(
                model=name,
                prior=1 / 3,
                probability=probability,
                evidence=Evidence(log, 0.02),
                verdict=verdict,
                passes=name in passing,
                median=fit.band.median * (1 + 0.05 * place),
            )
            for place, (name, probability, log, verdict) in enumerate(rivals)
        ),
    )


def _row(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _fit(
    curve: Curve, model: str, posterior: Posterior, quality: Quality | None = None
) -> Fit:
    median = sphere_curve(curve.q)
    sigma = 0.03 * median + 1e-3 if curve.sigma is None else curve.sigma
    good = Quality(
        "good", (), None if curve.sigma is None else 1.02, 0.41, 1530.0, 0.38
    )
    return Fit(
        curve=curve,
        model=model,
        method="npe+refine",
        posterior=posterior,
        band=Band(
            median,
            median - 1.645 * sigma,
            median + 1.645 * sigma,
            sigma,
            (curve.intensity - median) / sigma,
        ),
        quality=good if quality is None else quality,
        evidence=Evidence(-123.4, 0.2),
        model_free=model_free(curve),
        provenance=Provenance(
            saxinfer="0.1.0",
            estimator="3f2a9c",
            seed=7,
            command=f"saxinfer fit {curve.file} --model {model} -o out",
            seconds=3.21,
            settings={"q_range": "0.04 to 4 1/nm"},
        ),
        sigma_source="estimated" if curve.sigma is None else "measured",
    )
