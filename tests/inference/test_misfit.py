"""Mirrors src/saxinfer/inference/misfit.py."""

import math
from dataclasses import replace

import pytest
import torch
from scipy import stats
from torch import Generator, Tensor

from saxinfer.inference.misfit import FAMILIES, Drawn, Misfit, examine, tangents
from saxinfer.inference.target import Target
from saxinfer.instrument.observation import Observation
from saxinfer.structures import get_structure

LEVEL = 0.04


class Bench:
    """Curves of a linear model, whose posterior is known, and their examination."""

    def __init__(self, linear: Target, design: Tensor, *, errors_known: bool) -> None:
        self.linear, self.errors_known = linear, errors_known
        self.design = design
        self.sigma = linear.observation.sigma
        whitened = design / self.sigma[:, None]
        self.precision = torch.eye(3).double() + whitened.T @ whitened
        self.generator = Generator().manual_seed(5)

    def normal(self, *size: int) -> Tensor:
        return torch.randn(*size, generator=self.generator, dtype=torch.float64)

    def noise(self) -> Tensor:
        """A curve of the prior with its noise, over its mean, less one."""
        return self.design @ self.normal(3) + self.sigma * self.normal(len(self.sigma))

    def left(self, shape: Tensor) -> float:
        """The root of d'Pd."""
        row, slopes = shape / self.sigma, self.design / self.sigma[:, None]
        along = slopes.T @ row
        covariance = torch.linalg.inv(self.precision)
        return math.sqrt(float(row @ row - along @ covariance @ along))

    def examined(self, gap: Tensor) -> Misfit:
        """What is found of a curve that is one plus a gap."""
        target = replace(
            self.linear, observation=replace(self.linear.observation, intensity=1 + gap)
        )
        covariance = torch.linalg.inv(self.precision)
        mean = covariance @ (self.design.T @ (gap / self.sigma.square()))
        half = torch.linalg.cholesky(covariance)
        latent = self.normal(160, target.dimension)
        own = mean + self.normal(160, 3) @ half.T
        latent[:, :3] = own
        curves = 1 + own @ self.design.T
        log_factor = torch.zeros(160, 1).double()
        if not self.errors_known:
            # The posterior of an unknown factor on all errors.
            count = len(gap) - 3
            rest = ((gap - self.design @ mean) / self.sigma).square().sum()
            centre = 0.5 * (rest / count).log()
            log_factor = centre + self.normal(160, 1) / math.sqrt(2 * count)
        errors = self.sigma * log_factor.exp()
        return examine(target, Drawn(latent, curves, errors), self.generator)


@pytest.fixture(params=[True, False], ids=["errors known", "errors unknown"])
def bench(linear: Target, request: pytest.FixtureRequest) -> Bench:
    zero = torch.zeros(1, linear.dimension, dtype=torch.float64)
    design = tangents(linear, zero)[0, :3].T
    return Bench(linear, design, errors_known=request.param)


def test_tangents_are_the_slopes_of_a_straight_line(linear: Target) -> None:
    zero = torch.zeros(2, linear.dimension, dtype=torch.float64)
    zero[1] += 0.4
    found = tangents(linear, zero)
    unit = torch.special.ndtr(torch.eye(3, dtype=torch.float64))
    expected = linear.structure.intensity(linear.observation.q, unit) - 1
    # Three latent numbers, level, background, power law and its exponent.
    assert found.shape == (2, 7, 40)
    # A step of 1e-4 of a straight line is exact but for rounding, 1e-16 / 1e-4.
    assert torch.allclose(found[:, :3], expected.expand(2, -1, -1), atol=1e-6)
    # The instrument of this fixture is perfect.
    assert float(found[:, 3:].abs().max()) < 1e-6


def test_tangents_stop_at_the_ranges_of_the_user() -> None:
    structure = get_structure("cellulose")
    q = torch.logspace(-1, 0.5, 30, dtype=torch.float64)
    intensity = 3 / (1 + q**4) + 0.1
    data = Observation.of(q, intensity, 0.02 * intensity, None, "measured")
    space = structure.space.narrow("alpha_mean", 2, 3)
    target = Target(structure, space, data)
    generator = Generator().manual_seed(0)
    latent = torch.randn(6, target.dimension, generator=generator, dtype=torch.float64)
    found = tangents(target, latent)
    assert bool(found.isfinite().all())
    # A curve of mean one changes by a few times itself over a unit of its prior.
    assert float(found.mean(-1).abs().max()) < 20


def check_false_alarms(bench: Bench, curves: int) -> None:
    found = [bench.examined(bench.noise()) for _ in range(curves)]
    alarms = sum(misfit.p < LEVEL for misfit in found)
    # Each bound and each family is crossed at one seed in a thousand.
    low, high = stats.binom(curves, LEVEL).ppf([0.0005, 0.9995])
    assert low <= alarms <= high
    for family in FAMILIES:
        values = [misfit.of_family[family] for misfit in found]
        assert stats.kstest(values, "uniform").pvalue > 1e-3, family
    # The smallest p, ranked, is uniform as well.
    assert stats.kstest([misfit.p for misfit in found], "uniform").pvalue > 1e-3


def test_a_right_model_is_called_wrong_as_often_as_is_asked(bench: Bench) -> None:
    check_false_alarms(bench, 150)


def test_so_it_is_where_parameters_move_the_curve_by_thousands_of_errors(
    linear: Target,
) -> None:
    sigma = 1e-3 * linear.observation.sigma
    exact = replace(linear, observation=replace(linear.observation, sigma=sigma))
    zero = torch.zeros(1, linear.dimension, dtype=torch.float64)
    design = tangents(exact, zero)[0, :3].T
    assert float((design / sigma[:, None]).abs().max()) > 500
    check_false_alarms(Bench(exact, design, errors_known=True), 100)


@pytest.mark.slow
def test_so_it_is_over_two_thousand_curves(bench: Bench) -> None:
    check_false_alarms(bench, 2000)


def test_a_step_of_six_standard_deviations_is_found(bench: Bench) -> None:
    q = bench.linear.observation.q
    beyond = (q > q[22]).double()
    size = 6 / bench.left(beyond)
    found = [bench.examined(bench.noise() - size * beyond) for _ in range(40)]
    seen = [misfit for misfit in found if misfit.p < LEVEL]
    # A score of 6 ± 1 against a threshold of about 3.6 is missed by one in a hundred;
    # unknown errors swallow a tenth of it. Of 40 fewer than 36 would be seen in one of
    # a hundred seeds if 95 % are.
    assert len(seen) >= 36
    # Of forty points a hump may look as much like it.
    steps = [misfit for misfit in seen if "steps down" in misfit.reason]
    assert len(steps) > 0.5 * len(seen)


def test_a_step_is_named_with_its_place_and_size() -> None:
    q = torch.logspace(-1.5, 0.5, 300, dtype=torch.float64)
    structure = get_structure("sphere")
    generator = Generator().manual_seed(2)

    def normal(*size: int) -> Tensor:
        return torch.randn(*size, generator=generator, dtype=torch.float64)

    truth = torch.zeros(1, 8, dtype=torch.float64)
    clean = Observation.of(q, torch.ones_like(q), torch.ones_like(q), None, "measured")
    target = Target(structure, structure.space, clean)
    curve = target.intensity(target.curve(truth), target.nuisance(truth)).total[0]
    error = 0.02 * curve
    residuals = normal(300) + 2 * (q > q[170])
    # A fit follows of it what its tangents can.
    slopes = tangents(target, truth)[0] / error
    precision = slopes @ slopes.T + torch.eye(len(slopes)).double()
    followed = slopes.T @ torch.linalg.solve(precision, slopes @ residuals)
    measured = curve + error * (residuals - followed)
    target = replace(target, observation=replace(clean, intensity=measured))
    errors = error * (0.01 * normal(160, 1)).exp()
    drawn = Drawn(truth.expand(160, -1), curve.expand(160, -1), errors)
    found = examine(target, drawn, generator)
    assert found.p < 0.001
    assert "steps up by" in found.reason
    where = float(found.reason.split("q = ")[1].split()[0])
    # Every fourth point is tried.
    assert float(q[165]) < where < float(q[176])
    percent = float(found.reason.split("up by ")[1].split(" %")[0])
    # Errors of 2 % over 300 points leave the size uncertain by less than 1.
    assert percent == pytest.approx(4, abs=2)


def test_a_background_that_rises_is_found_and_named(bench: Bench) -> None:
    q = bench.linear.observation.q
    shape = (q / q[-1]) ** 2
    size = 7 / bench.left(shape)
    found = [bench.examined(bench.noise() + size * shape) for _ in range(20)]
    seen = [misfit for misfit in found if misfit.p < LEVEL]
    assert len(seen) >= 17
    named = [misfit for misfit in seen if "background rises" in misfit.reason]
    assert len(named) > 0.4 * len(seen)


def test_another_structure_is_found(bench: Bench) -> None:
    x = torch.linspace(0, 1, 40, dtype=torch.float64)
    shape = torch.sin(17 * x + 0.5) * torch.exp(-x)
    size = 11 / bench.left(shape)
    found = [bench.examined(bench.noise() + size * shape).p for _ in range(20)]
    assert sum(p < LEVEL for p in found) >= 19


def test_what_parameters_follow_is_no_misfit(bench: Bench) -> None:
    shape = bench.design @ torch.tensor([2.0, -2.0, 2.0], dtype=torch.float64)
    found = [bench.examined(bench.noise() + shape).p for _ in range(30)]
    # The prior's own pull of such unlikely numbers is a tenth of an error.
    assert sum(p < LEVEL for p in found) <= stats.binom(30, LEVEL).ppf(0.999)


def test_one_wild_point_makes_no_shape(linear: Target) -> None:
    zero = torch.zeros(1, linear.dimension, dtype=torch.float64)
    design = tangents(linear, zero)[0, :3].T
    # Known errors would have the point pull the fit away from all others.
    bench = Bench(linear, design, errors_known=False)
    gap = torch.zeros(40, dtype=torch.float64)
    gap[20] = 100 * float(bench.sigma[20])
    assert bench.examined(gap).p > LEVEL


def test_the_same_seed_gives_the_same_answer(bench: Bench) -> None:
    gap = bench.noise()
    bench.generator.manual_seed(1)
    first = bench.examined(gap)
    bench.generator.manual_seed(1)
    assert bench.examined(gap) == first
    assert set(first.of_family) == set(FAMILIES)
    assert min(first.of_family.values()) <= first.p <= 1
