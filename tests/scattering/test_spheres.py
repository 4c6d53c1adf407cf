"""Mirrors src/saxinfer/scattering/spheres.py."""

import importlib
import math
import shutil
import warnings

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from saxinfer.scattering.spheres import (
    ball,
    core_shell_intensity,
    log_normal_sigma,
    mean_volume,
    sphere_intensity,
)

Array = npt.NDArray[np.float64]
Q = torch.logspace(-2.5, 1, 120, dtype=torch.float64)

# Phases that turn too fast between nodes are replaced by their mean, through a smooth
# window: the largest error found at any q is 1.4e-3.
QUADRATURE = 2e-3


def one(value: float) -> Tensor:
    return torch.tensor([value], dtype=torch.float64)


def amplitude(x: Array) -> Array:
    safe = np.maximum(x, 0.05)
    series = 1 - x**2 / 10 + x**4 / 280 - x**6 / 15120
    closed = 3 * (np.sin(safe) - safe * np.cos(safe)) / safe**3
    return np.asarray(np.where(x > 0.05, closed, series))


def brute_force(
    q: Array, mean: float, std: float, ratio: float, core: float, shell: float
) -> Array:
    """<F²> / <V> by a trapezoid of 20,000 steps in ln R, to nine sigma and beyond."""
    sigma = math.sqrt(math.log1p((std / mean) ** 2))
    z = np.linspace(-9, 9 + 6 * sigma, 20_000)
    weight = np.exp(-(z**2) / 2)
    weight /= weight.sum()
    radius = mean * np.exp(sigma * z - sigma**2 / 2)
    volume = 4 * math.pi / 3 * radius**3
    rows = []
    for value in q:
        outer = shell * amplitude(value * radius)
        inner = (core - shell) * ratio**3 * amplitude(value * ratio * radius)
        rows.append(weight @ (volume * (outer + inner)) ** 2)
    return np.array(rows) / float(weight @ volume)


def found_core_shell(
    mean: float, std: float, ratio: float, core: float, shell: float, q: Tensor = Q
) -> Array:
    values = core_shell_intensity(
        q, one(mean), one(std), one(ratio), one(core), one(shell)
    )
    return np.asarray(values[0].numpy())


def test_the_amplitude_of_a_ball_starts_at_one_and_is_first_zero_at_4_4934() -> None:
    x = torch.tensor([1e-6, 1e-3, 1.0, 4.493409457909064], dtype=torch.float64)
    exact = [1, 1, 3 * (math.sin(1) - math.cos(1)), 0]
    assert ball(x).tolist() == pytest.approx(exact, abs=1e-6)


def test_the_spread_of_the_logarithm_gives_back_mean_and_deviation() -> None:
    sigma = float(log_normal_sigma(one(3), one(1.2)))
    assert math.expm1(sigma**2) == pytest.approx(0.4**2)


def test_the_mean_volume_is_the_third_moment_of_a_log_normal() -> None:
    median, sigma = 13.0, 0.2
    mean = one(median * math.exp(sigma**2 / 2))
    std = mean * math.sqrt(math.expm1(sigma**2))
    exact = 4 / 3 * math.pi * median**3 * math.exp(4.5 * sigma**2)
    assert float(mean_volume(mean, std)) == pytest.approx(exact)


def test_equal_spheres_scatter_as_rayleigh_said() -> None:
    radius = 5.0
    found = sphere_intensity(Q, one(radius), one(1e-3 * radius))[0].numpy()
    volume = 4 / 3 * math.pi * radius**3
    rayleigh = volume * amplitude(Q.numpy() * radius) ** 2
    envelope = volume * 9 / (1 + (Q.numpy() * radius) ** 2) ** 2
    # A spread of a thousandth turns the phase by 0.05 at q R = 50.
    assert np.abs(found - rayleigh).max() < 5e-3 * volume
    assert (np.abs(found - rayleigh) / envelope).max() < 5e-3


@pytest.mark.parametrize("spread", [0.001, 0.01, 0.1, 0.2, 0.5])
@pytest.mark.parametrize("mean", [0.5, 5.0, 150.0])
def test_a_spread_of_radii_is_summed_rightly_at_every_q(
    mean: float, spread: float
) -> None:
    q = Q[::5]
    found = sphere_intensity(q, one(mean), one(spread * mean))[0].numpy()
    exact = brute_force(q.numpy(), mean, spread * mean, 1.0, 1.0, 1.0)
    smooth = brute_force(q.numpy(), mean, max(spread, 0.1) * mean, 1.0, 1.0, 1.0)
    # Equal spheres have zeros: there the smooth curve through them is the measure.
    assert (np.abs(found - exact) / np.maximum(exact, 0.1 * smooth)).max() < QUADRATURE


@pytest.mark.parametrize("spread", [0.01, 0.1, 0.4])
@pytest.mark.parametrize(
    ("ratio", "core", "shell"),
    [(0.5, 1.0, 0.3), (0.9, 0.0, 1.0), (0.3, 1.0, -0.5), (0.97, -1.0, 1.0)],
)
def test_core_shell_spheres_are_summed_rightly_at_every_q(
    ratio: float, core: float, shell: float, spread: float
) -> None:
    q = Q[::5]
    found = found_core_shell(6.0, 6.0 * spread, ratio, core, shell, q)
    exact = brute_force(q.numpy(), 6.0, 6.0 * spread, ratio, core, shell)
    smooth = brute_force(q.numpy(), 6.0, 0.15 * 6.0, ratio, core, shell)
    error = np.abs(found - exact) / np.maximum(exact, 0.1 * smooth)
    assert error.max() < QUADRATURE


def test_a_shell_like_its_core_is_a_homogeneous_sphere() -> None:
    same = found_core_shell(5.0, 0.5, 0.6, 1.0, 1.0)
    plain = sphere_intensity(Q, one(5.0), one(0.5))[0].numpy()
    assert np.allclose(same, plain, rtol=1e-9)


def test_a_shell_like_the_solvent_leaves_the_core_alone() -> None:
    ratio = 0.6
    alone = sphere_intensity(Q, one(5.0 * ratio), one(0.5 * ratio))[0].numpy()
    # Per volume of the whole particle, of which the core is the cube of the ratio.
    matched = found_core_shell(5.0, 0.5, ratio, 1.0, 0.0)
    assert np.allclose(matched, ratio**3 * alone, rtol=1e-3)


def test_rows_of_unlike_spread_do_not_disturb_one_another() -> None:
    mean = torch.tensor([2.0, 80.0, 5.0, 0.7], dtype=torch.float64)
    std = mean * torch.tensor([0.3, 0.01, 0.1, 0.5], dtype=torch.float64)
    together = sphere_intensity(Q, mean, std)
    for row in range(4):
        alone = sphere_intensity(Q, mean[row : row + 1], std[row : row + 1])[0]
        assert torch.allclose(together[row], alone, rtol=QUADRATURE)


def test_single_precision_is_right_to_a_thousandth_of_the_smooth_curve() -> None:
    double = sphere_intensity(Q, one(5.0), one(1.0))
    single = sphere_intensity(Q.float(), one(5.0).float(), one(1.0).float())
    assert torch.allclose(single.double(), double, rtol=2e-3)


def sasmodels_curve(name: str, q: Array, **pars: float) -> Array:
    """A sasmodels curve without background, per volume fraction [1/cm].

    sasmodels counts in ångström and 1e-6 Å⁻²; its log-normal ``radius`` is the
    median, and its ``radius_pd`` the standard deviation of the logarithm.
    """
    if not any(shutil.which(compiler) for compiler in ("cc", "gcc", "clang")):
        pytest.skip("sasmodels needs a C compiler")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            core = importlib.import_module("sasmodels.core")
            direct = importlib.import_module("sasmodels.direct_model")
            data = importlib.import_module("sasmodels.data")
        except ImportError:
            pytest.skip("sasmodels is not installed")
        model = core.load_model(name, dtype="double", platform="dll")
        grid = data.empty_data1D(q / 10, resolution=0)
        # Its default cutoff drops the tail of large radii, the more the finer it sums.
        call = direct.DirectModel(grid, model, cutoff=0)
        return np.asarray(call(background=0, scale=1, **pars), dtype=np.float64)


# At eight times sigma_ln above the median sasmodels cuts the distribution off: of
# <R^6> that loses 2e-4.
SASMODELS = 1e-3


def test_polydisperse_spheres_agree_with_sasmodels() -> None:
    mean, std = 5.0, 1.0
    sigma = float(log_normal_sigma(one(mean), one(std)))
    theirs = sasmodels_curve(
        "sphere",
        Q.numpy(),
        sld=2,
        sld_solvent=1,
        radius=10 * mean * math.exp(-(sigma**2) / 2),
        radius_pd=sigma,
        radius_pd_type="lognormal",  # type: ignore[arg-type]
        radius_pd_n=400,
        radius_pd_nsigma=8,
    )
    ours = sphere_intensity(Q, one(mean), one(std))[0].numpy()
    # A contrast of 1e-6 Å⁻² is 1e-4 nm⁻²; nm⁻¹ times 1e7 is 1/cm.
    assert np.allclose(ours * 1e-8 * 1e7, theirs, rtol=SASMODELS)


def test_a_core_shell_sphere_agrees_with_sasmodels() -> None:
    theirs = sasmodels_curve(
        "core_shell_sphere",
        Q.numpy(),
        sld_core=3,
        sld_shell=0.5,
        sld_solvent=1,
        radius=30,
        thickness=20,
    )
    ours = found_core_shell(5.0, 1e-5 * 5, 0.6, 2.0, -0.5) * 1e-8 * 1e7
    smooth = found_core_shell(5.0, 0.15 * 5, 0.6, 2.0, -0.5) * 1e-8 * 1e7
    assert (np.abs(ours - theirs) / np.maximum(theirs, smooth)).max() < SASMODELS
