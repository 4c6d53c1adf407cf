"""Mirrors src/saxinfer/inference/absolute.py."""

import math

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

import saxinfer as sx
from saxinfer.curve import Curve
from saxinfer.inference import FitOptions, run
from saxinfer.inference.absolute import (
    ELECTRON_RADIUS,
    PER_NM2,
    check_contrast,
    per_cm,
    read_scale,
)
from saxinfer.inference.base import Fit
from saxinfer.inference.ensemble import Ensemble
from saxinfer.inference.summary import posterior_of
from saxinfer.inference.target import Target
from saxinfer.instrument.observation import Observation
from saxinfer.posterior import Posterior, Quantity
from saxinfer.report.document import document
from saxinfer.structures import MODELS, get_structure

Q = torch.logspace(-1.5, 0.3, 200, dtype=torch.float64)

SPHERE = (13.26, 2.68)
CORE_SHELL = (20.0, 3.0, 4.0, -1.1)
LNP = (12.0, 0.3, 6.5, -0.2, 1.1, 1.0, 0.2, 1.2, 0.5, 0.8)
TWO_PHASE = (0.3, 0.1, 0.3)
THREE_PHASE = (0.3, 0.1, 0.2, 0.4, 0.5)


def known(
    model: str, theta: tuple[float, ...], squared: float, unit: float
) -> Posterior:
    """All belief at the truth, of a curve without noise.

    Args:
        model: Name of the model.
        theta: Its parameters.
        squared: Volume fraction times contrast² [nm⁻⁴].
        unit: How many units of the intensity 1/nm is.
    """
    structure = get_structure(model)
    row = torch.tensor([theta], dtype=torch.float64)
    intensity = unit * squared * structure.intensity(Q, row)[0]
    data = Observation.of(Q, intensity, 0.01 * intensity, None, "measured")
    target = Target(structure, structure.space, data)
    pure = torch.tensor([[1.0, 1.0, 1e-14, 3.5, 1.0, 1e-3]]).double()
    nuisance = data.nuisances.latent_from_theta(pure)
    own = structure.space.latent_from_theta(row)
    latent, _ = target.levelled(torch.cat([own, nuisance], 1))
    _, amounts = target.evaluate(latent)
    one = torch.ones(1, dtype=torch.float64)
    return posterior_of(target, Ensemble(latent, amounts, one, 1.0, 1, 0, 0), "1/m")


def log_normal_volume(mean: float, std: float, least: float = 0.0) -> float:
    """Mean volume of spheres [nm³] above a radius, summed over the distribution."""
    sigma = math.sqrt(math.log1p((std / mean) ** 2))
    z = np.linspace(-10, 10, 200_001)
    radius = mean * np.exp(sigma * z - 0.5 * sigma**2)
    weight = np.exp(-0.5 * z**2) * (radius > least)
    return float(4 / 3 * math.pi * (weight * radius**3).sum() / weight.sum())


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        *((unit, 1.0) for unit in ("1/cm", "cm-1", "cm^-1", "cm⁻¹", "cm**-1", "/cm")),
        *((unit, 1.0) for unit in ("1/(cm sr)", "1/cm/sr", "cm-1 sr-1", "(cm sr)^-1")),
        *(("cm2/cm3", 1.0), ("1/m", 0.01), ("m^{-1}", 0.01), ("1/mm", 10.0)),
        *(("1/µm", 1e4), ("1/nm", 1e7), ("1/Å", 1e8), ("A^-1", 1e8)),
        *((unit, None) for unit in ("a.u.", "arbitrary", "Counts", "sr-1", "nm³", "")),
    ],
)
def test_absolute_units_are_told_from_arbitrary_ones(
    unit: str, factor: float | None
) -> None:
    assert per_cm(unit) == (factor if factor is None else pytest.approx(factor))


def test_water_has_the_density_of_its_electrons() -> None:
    # 334 electrons a nm³; 9.4e10 / cm² in every table.
    density = 334 * ELECTRON_RADIUS / PER_NM2
    assert density == pytest.approx(9.41, abs=0.01)


@pytest.mark.parametrize(
    ("model", "theta", "volume"),
    [
        ("sphere", SPHERE, log_normal_volume(*SPHERE)),
        ("core_shell_sphere", CORE_SHELL, log_normal_volume(20, 3)),
        ("lnp", LNP, log_normal_volume(12, 3.6, 6.5)),
    ],
)
def test_particles_are_counted(
    model: str, theta: tuple[float, ...], volume: float
) -> None:
    fraction, contrast = 0.013, 3e-4
    belief = known(model, theta, fraction * contrast**2, 1e9)
    found, doubts = read_scale(belief, get_structure(model), "1/m", -contrast)
    assert [q.name for q in found.quantities[len(belief.quantities) :]] == [
        "volume_fraction",
        "number_density",
    ]
    # What a share of 1e-14 of a power law, and ends of a prior, leave.
    assert float(found.column("volume_fraction")) == pytest.approx(fraction, rel=1e-4)
    density = fraction / (volume * 1e-21)
    assert float(found.column("number_density")) == pytest.approx(density, rel=1e-3)
    assert doubts == ()
    assert read_scale(belief, get_structure(model), "1/m", None) == (belief, ())


@pytest.mark.parametrize(
    ("model", "theta"), [("two_phase", TWO_PHASE), ("three_phase", THREE_PHASE)]
)
def test_a_material_tells_its_contrast(model: str, theta: tuple[float, ...]) -> None:
    belief = known(model, theta, (4 * PER_NM2) ** 2, 1e9)
    found, doubts = read_scale(belief, get_structure(model), "1/m", None)
    assert float(found.column("contrast")) == pytest.approx(4, rel=1e-4)
    assert found.quantities[-1].unit == "10^10/cm2"
    assert doubts == ()
    _, doubts = read_scale(belief, get_structure(model), "1/m", 5 * PER_NM2)
    assert doubts == (
        "The absolute scale says a contrast of 4 to 4 10^10/cm2, but 5 was given: one "
        "of these, or the model, is wrong.",
    )


def believed(scale: Tensor, radius: Tensor) -> Posterior:
    """Spheres with a spread of a tenth, equally probable; prior and posterior alike."""
    columns = {
        "radius_mean": radius,
        "radius_std": 0.1 * radius,
        "scale": scale,
    }
    rows = torch.stack([*columns.values()], 1)
    even = torch.full((len(rows),), 1 / len(rows), dtype=torch.float64)
    quantities = tuple(Quantity(n, "1", "", "nuisance", 0, 9) for n in columns)
    return Posterior(quantities, rows, even, rows)


def test_each_sample_is_transformed_by_itself() -> None:
    radius = torch.linspace(4, 6, 4001, dtype=torch.float64)
    # As many particles in every sample, whatever their size.
    scale = 1e7 * 1e-8 * 1e-4 * (radius / 5) ** 3
    sphere = get_structure("sphere")
    found, _ = read_scale(believed(scale, radius), sphere, "1/cm", 1e-4)
    summary = found.summary("number_density")
    number = 1e-4 * 1e21 / (4 / 3 * math.pi * 5**3 * 1.01**3)
    assert summary.median == pytest.approx(number)
    assert summary.q95 == pytest.approx(summary.q05)
    fraction = found.summary("volume_fraction")
    assert fraction.q95 / fraction.q05 == pytest.approx((5.9 / 4.1) ** 3, rel=1e-3)


def test_the_prior_goes_with_the_parameters_that_its_scale_was_drawn_for() -> None:
    radius = torch.rand(300, generator=Generator().manual_seed(0)).double() + 1
    scale = (radius[:64] ** 3).repeat(5)[:300]
    sphere = get_structure("sphere")
    found, _ = read_scale(believed(scale, radius), sphere, "1/cm", 1e-2)
    drawn = found.prior_column("number_density")
    assert torch.allclose(drawn, drawn[:1])
    low, high = found.quantities[-1].prior_low, found.quantities[-1].prior_high
    inside = found.column("number_density")
    assert low == float(inside.min())
    assert high == float(inside.max())


def test_more_than_all_of_the_volume_is_doubted() -> None:
    one = torch.ones(9, dtype=torch.float64)
    sphere = get_structure("sphere")
    # 1e7 times (1e-4)² is a tenth.
    _, doubts = read_scale(believed(0.32 * one, 5 * one), sphere, "1/cm", 1e-4)
    assert doubts == (
        "The volume fraction would be 3.2: the contrast or the absolute scale is "
        "wrong.",
    )
    _, doubts = read_scale(believed(0.099 * one, 5 * one), sphere, "1/cm", 1e-4)
    assert doubts == ()


def test_a_fraction_that_the_model_knows_keeps_its_name() -> None:
    one = torch.ones(9, 1, dtype=torch.float64)
    plain = believed(0.1 * one[:, 0], 5 * one[:, 0])
    taken = Quantity("volume_fraction", "1", "", "parameter", 0, 1)
    rows = torch.cat([plain.samples, 0.2 * one], 1)
    belief = Posterior((*plain.quantities, taken), rows, plain.weights, rows)
    found, _ = read_scale(belief, get_structure("sphere"), "1/cm", 1e-3)
    assert float(found.column("volume_fraction")[0]) == 0.2
    assert float(found.column("volume_fraction_by_scale")[0]) == pytest.approx(0.01)


def test_a_model_without_such_a_unit_refuses_a_contrast() -> None:
    with pytest.raises(ValueError, match="the scale of 'wood' is no volume fraction"):
        check_contrast(get_structure("wood"), 1e-4)
    for model in MODELS.values():
        check_contrast(model, None)


@pytest.mark.parametrize("contrast", [0.0, 3.0, -0.03, math.nan, math.inf])
def test_a_contrast_that_no_matter_has_is_refused(contrast: float) -> None:
    with pytest.raises(ValueError, match="10\\^10/cm2 is 1e-4 1/nm²"):
        FitOptions(contrast=contrast)


def test_a_contrast_needs_a_scale_that_is_free() -> None:
    with pytest.raises(ValueError, match="absolute=True out"):
        FitOptions(contrast=1e-4, absolute=True)
    with pytest.raises(ValueError, match="'xgboost' sees the shape of a curve only"):
        FitOptions(contrast=1e-4, method="xgboost")


def measured_spheres(unit: str = "1/cm") -> Curve:
    """Those of sasmodels' reference curve, with 2 % noise: 1 % of silica-like spheres.

    Median radius 13 nm, sd of its logarithm 0.2, contrast 3e-6 / Å², a background.
    """
    mean = 13 * math.exp(0.02)
    theta = torch.tensor([[mean, mean * math.sqrt(math.expm1(0.04))]]).double()
    curve = sx.get_structure("sphere").intensity(Q, theta)[0]
    # (3e10 / cm²)² times nm³ is 9e20 times 1e-21 / cm.
    exact = 0.01 * 0.9 * curve + 0.001
    noise = torch.randn(len(Q), generator=Generator().manual_seed(2)).double()
    return Curve(
        Q, exact * (1 + 0.02 * noise), 0.02 * exact, intensity_unit=unit, name="silica"
    )


def test_a_contrast_for_a_curve_in_arbitrary_units_is_refused() -> None:
    with pytest.raises(ValueError, match=r"intensity is in 'a\.u\.'.* 1/cm, let the"):
        run(measured_spheres("a.u."), "sphere", options=FitOptions(contrast=3e-4))


def test_a_fit_finds_the_volume_fraction_and_the_number_of_spheres() -> None:
    fit: Fit = sx.fit(measured_spheres(), "sphere", contrast=3e-4)
    derived = document(fit)["derived"]
    # Of a log-normal <R³> is the median cubed times exp(9/2 sigma²).
    volume = 4 / 3 * math.pi * 13**3 * math.exp(4.5 * 0.04)
    truth = {"volume_fraction": 0.01, "number_density": 0.01 / volume * 1e21}
    for name, value in truth.items():
        found = derived[name]
        assert found["q05"] < value < found["q95"], name
        # The mean radius is known to a few thousandths, the level likewise.
        assert found["q95"] / found["q05"] < 1.1, name
        assert found["constrained"], name
    assert fit.provenance.settings["contrast [1/nm2]"] == 3e-4
    assert "contrast=0.0003" in fit.provenance.command
