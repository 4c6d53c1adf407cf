"""What a curve says without a model: closed forms, then measured answers."""

import math
import os
from pathlib import Path

import pytest
import torch

from saxinfer.curve import Curve
from saxinfer.formats import load
from saxinfer.preprocess.model_free import ModelFree, model_free

MEASURED = Path(
    os.environ.get(
        "SAXINFER_MEASURED_DATA",
        Path(__file__).parents[2].parent / "shared" / "data" / "real",
    )
)


def noisy(
    q: torch.Tensor, intensity: torch.Tensor, noise: float, *, errors: bool = True
) -> Curve:
    generator = torch.Generator().manual_seed(1)
    sigma = noise * intensity + 1e-12
    shaken = intensity + sigma * torch.randn(
        len(q), generator=generator, dtype=torch.float64
    )
    return Curve(q, shaken, sigma if errors else None)


def sphere(q: torch.Tensor, radius: float) -> torch.Tensor:
    x = q * radius
    return (3 * (torch.sin(x) - x * torch.cos(x)) / x**3) ** 2


def grid(low: float, high: float, count: int) -> torch.Tensor:
    return torch.logspace(math.log10(low), math.log10(high), count).double()


@pytest.mark.parametrize("errors", [True, False])
@pytest.mark.parametrize("count", [40, 400])
def test_a_sphere_has_the_radius_of_gyration_of_its_closed_form(
    count: int, errors: bool
) -> None:
    q = grid(0.02, 3, count)
    found = model_free(noisy(q, 7 * sphere(q, 8.0) + 1e-5, 0.02, errors=errors))
    # Up to q Rg = 1.3 the next term of the series raises Rg of a sphere by 1.5 %.
    assert found.guinier_rg == pytest.approx(math.sqrt(0.6) * 8.0, rel=0.04)
    assert found.i0 == pytest.approx(7, rel=0.03)


@pytest.mark.parametrize("radius", [3.0, 8.0, 25.0])
def test_the_side_maxima_of_a_sphere_are_no_interference_peak(radius: float) -> None:
    q = grid(0.02, 3, 400)
    assert model_free(noisy(q, sphere(q, radius) + 1e-5, 0.01)).peak_q is None


@pytest.mark.parametrize("slope", [1.0, 2.0, 4.0])
def test_a_power_law_has_no_guinier_region_but_its_slope(slope: float) -> None:
    q = grid(0.05, 3, 200)
    found = model_free(noisy(q, q**-slope, 0.02))
    assert found.guinier_rg is None
    assert found.i0 is None
    assert found.porod_slope == pytest.approx(slope, abs=0.3)


def test_the_porod_slope_is_found_above_a_background() -> None:
    q = grid(0.05, 4, 300)
    found = model_free(noisy(q, q**-4 + 0.05, 0.01))
    assert found.porod_slope == pytest.approx(4, abs=0.2)


def test_a_flat_curve_has_nothing() -> None:
    q = grid(0.05, 4, 300)
    assert model_free(noisy(q, torch.ones_like(q), 0.02)) == ModelFree()


def test_noise_alone_is_taken_for_a_peak_in_few_flat_curves() -> None:
    q = torch.linspace(0.05, 5, 200, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    found = 0
    for _ in range(100):
        shaken = 1 + 0.05 * torch.randn(200, generator=generator, dtype=torch.float64)
        curve = Curve(q, shaken, torch.full_like(q, 0.05))
        found += model_free(curve).peak_q is not None
    # At a rate of 1 % more than 4 of 100 come up in 0.4 % of seeds.
    assert found <= 4


@pytest.mark.parametrize("width", [0.01, 0.1, 0.5])
def test_a_peak_on_a_decay_is_found_where_it_is(width: float) -> None:
    q = torch.linspace(0.2, 4, 600, dtype=torch.float64)
    intensity = 0.05 * q**-2 + torch.exp(-((q - 1.5) ** 2) / (2 * width**2)) + 0.02
    found = model_free(noisy(q, intensity, 0.02))
    # A broad peak on a slope has its maximum where the slopes cancel, not at 1.5.
    assert found.peak_q == pytest.approx(1.5, abs=0.3 * width + 0.005)
    assert found.peak_q is not None
    assert found.peak_d == pytest.approx(2 * math.pi / found.peak_q)


def test_the_shadow_of_a_beam_stop_is_no_peak() -> None:
    q = grid(0.05, 3, 200)
    shadow = 1 / (1 + torch.exp(-(q - 0.12) / 0.005))
    assert model_free(noisy(q, sphere(q, 4) * shadow + 1e-4, 0.02)).peak_q is None


@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_a_handful_of_points_is_no_error(count: int) -> None:
    q = grid(0.1, 1, count)
    for errors in (True, False):
        model_free(noisy(q, torch.exp(-q), 0.05, errors=errors))


def test_negative_intensities_are_no_error() -> None:
    q = grid(0.1, 1, 50)
    assert model_free(Curve(q, -torch.ones_like(q), torch.ones_like(q))) == ModelFree()


def measured(path: str) -> ModelFree:
    file = MEASURED / path
    if not file.exists():
        pytest.skip(f"measured file {path} is not here: 1 check not made")
    return model_free(load(file, q_unit="1/A")[0])


@pytest.mark.parametrize(
    ("file", "rg", "tolerance"),
    [  # The footers state 14.36 and 33.61 Å; the gate of lysozyme is 0.4 Å.
        ("reference_particles/S_A_02700_F2-T1_lys_8_000.dat", 1.44, 0.04),
        ("reference_particles/glucose_isomerase.dat", 3.36, 0.05),
    ],
)
def test_a_protein_has_the_radius_of_gyration_its_file_states(
    file: str, rg: float, tolerance: float
) -> None:
    found = measured(file)
    assert found.guinier_rg == pytest.approx(rg, abs=tolerance)
    assert found.peak_q is None


@pytest.mark.parametrize(
    ("file", "peak"),
    [  # The ionomer peak moves from 0.18 to 0.138 1/Å as the membrane takes up water.
        ("humidity_series/044753_t1.dat", 1.8),
        ("humidity_series/044753_t20.dat", 1.65),
        ("humidity_series/044753_t60.dat", 1.5),
        ("humidity_series/044753_t300.dat", 1.38),
        ("humidity_series/044763_10.dat", 1.38),
        # 2 pi / d of the authors: d = 63.342 Å; peak list of the second file.
        ("lipid/JWL225A_000MPa_up_20C_37_data_000001_00001.dat", 0.992),
        ("lipid/DOPE_20C_000MPa_up_2_data_000001_00001.dat", 0.947),
    ],
)
def test_a_measured_peak_is_found(file: str, peak: float) -> None:
    found = measured(file)
    assert found.peak_q == pytest.approx(peak, rel=0.06)
    assert found.guinier_rg is None
