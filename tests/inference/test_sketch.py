"""Mirrors src/saxinfer/inference/sketch.py."""

import math

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.curve import Curve
from saxinfer.inference.climb import climb
from saxinfer.inference.expansion import expansion
from saxinfer.inference.record import Recorded
from saxinfer.inference.sketch import Sketch
from saxinfer.inference.target import Target
from saxinfer.instrument.tiers import draw_setting, measure
from saxinfer.preprocess.prepare import prepare
from saxinfer.structures import get_structure

TRUTH = {
    "sphere": [6.0, 0.5],
    "core_shell_sphere": [8.0, 0.6, 2.0, -0.5],
    "cellulose": [2.5, 0.6, 2.0, 0.3, 0.8, 0.3, 0.35, 0.4],
}


def observed(model: str, points: int, seed: int = 0) -> tuple[Target, Tensor]:
    """A curve of one model, and the latent vector it was made from."""
    generator = Generator().manual_seed(seed)
    structure = get_structure(model)
    theta = torch.tensor([TRUTH[model]], dtype=torch.float64)
    setting = draw_setting("standard", 1, points, generator)
    setting.noise[:] = 0.01
    setting.nuisance[:, 1], setting.nuisance[:, 5] = 0.8, 0.01
    seen = measure(structure.intensity(setting.q, theta), setting, generator)
    ready = prepare(Curve(seen.q[0], seen.intensity[0], seen.sigma[0]), None)
    data = ready.observation()
    target = Target(structure, structure.space, data)
    latent = torch.zeros(1, target.dimension, dtype=torch.float64)
    if not structure.entangled:
        latent[:, : target.width] = structure.space.latent_from_theta(theta)
    nuisance = setting.nuisance.clone()
    nuisance[:, 2] = 1e-9
    latent[:, target.width :] = data.nuisances.latent_from_theta(nuisance)
    return target, target.levelled(latent)[0][0]


def around(target: Target, centre: Tensor, count: int, seed: int) -> Tensor:
    """Places as likely as those of the posterior, and wider ones."""
    _, _, curvature = expansion(target, centre[None])
    factor = torch.linalg.cholesky(torch.linalg.inv(curvature[0]))
    generator = Generator().manual_seed(seed)
    z = torch.randn(count, target.dimension, generator=generator).double()
    places: Tensor = centre + z @ factor.T
    return places


def sketch_of(target: Target, centre: Tensor, count: int = 1500) -> Sketch:
    recorded = Recorded.of(target)
    recorded.curve(around(target, centre, count, 1))
    return Sketch(recorded, centre)


@pytest.mark.parametrize("points", [60, 400])
@pytest.mark.parametrize("model", list(TRUTH))
def test_it_is_the_density_with_the_rest_integrated_out(
    model: str, points: int
) -> None:
    target, centre = observed(model, points)
    if target.structure.entangled:
        proposals = torch.randn(
            4000, target.dimension, generator=Generator().manual_seed(7)
        ).double()
        proposals[:, target.width :] = centre[target.width :]
        placed, value = target.levelled(proposals)
        best = placed[torch.argsort(value, descending=True)[:20]]
        top = climb(target, best).highest(1)
        centre = top.points[0]
    places = around(target, centre, 1500, 2)
    generator = Generator().manual_seed(3)
    # Each draw of the rest weighs as the integral over it, with a scatter of its own.
    exact = torch.stack([target.drawn_rest(places, generator)[1] for _ in range(20)])
    exact = torch.logsumexp(exact, 0) - math.log(20)
    good = exact > exact.max() - 12
    assert int(good.sum()) > 100
    sketch = sketch_of(target, centre)
    sketch.target.curve(places)
    sketch.learn()
    gap = (sketch.log_density(places) - exact)[good]
    middle = gap.median()
    # Points that stand alone are taken as they are; groups cost some tenths.
    alone = points == 60
    assert abs(float(middle)) < (0.1 if alone else 5)
    assert float((gap - middle).abs().quantile(0.9)) < (0.1 if alone else 0.7)


def test_it_is_exact_where_curves_are_known_and_points_stand_alone(
    linear: Target, exact: tuple[Tensor, Tensor, float]
) -> None:
    centre = torch.zeros(linear.dimension, dtype=torch.float64)
    centre[:3] = exact[0]
    sketch = sketch_of(linear, centre)
    places = around(linear, centre, 500, 2)
    value = linear.drawn_rest(places, Generator().manual_seed(0))[1]
    gap = (sketch.log_density(places) - value).abs()
    assert float(gap.median()) < 0.01
    assert float(gap.quantile(0.95)) < 0.1


def test_the_vectors_come_back_at_the_level_that_fits(
    linear: Target, exact: tuple[Tensor, Tensor, float]
) -> None:
    target, centre = observed("sphere", 60)
    places = around(target, centre, 50, 2)
    moved, density, amounts = sketch_of(target, centre).drawn_rest(
        places, Generator().manual_seed(0)
    )
    assert torch.equal(moved[:, target.proposed], places[:, target.proposed])
    levels = moved[:, target.width].clone()
    for shift in (-0.02, 0.02):
        other = moved.clone()
        other[:, target.width] = levels + shift
        assert bool((target.log_density(moved) > target.log_density(other)).all())
    assert amounts.shape == (50, 3)
    assert density.shape == (50,)


def test_what_it_learns_makes_it_right_there() -> None:
    target, centre = observed("core_shell_sphere", 60)
    sketch = sketch_of(target, centre, count=12)
    places = around(target, centre, 4000, 4)
    value = target.drawn_rest(places, Generator().manual_seed(0))[1]
    good = value > value.max() - 12

    def errors() -> Tensor:
        gap: Tensor = (sketch.log_density(places) - value)[good].abs()
        return gap

    before = errors()
    sketch.target.curve(places)
    sketch.learn()
    now = errors()
    assert float(now.quantile(0.99)) < 0.3 * float(before.quantile(0.99))
    # Nothing new, nothing changes.
    sketch.learn()
    assert torch.equal(errors(), now)


def test_ranges_that_a_user_gave_hold() -> None:
    target, _ = observed("sphere", 60)
    space = target.space.narrow("radius_mean", 5.9, 6.1)
    narrow = Target(target.structure, space, target.observation)
    generator = Generator().manual_seed(0)
    places = torch.randn(200, narrow.dimension, generator=generator).double()
    recorded = Recorded.of(narrow)
    recorded.curve(places)
    middle = torch.zeros(narrow.dimension, dtype=torch.float64)
    density = Sketch(recorded, middle).log_density(places)
    allowed = space.admits(narrow.theta(places))
    assert torch.equal(density > -math.inf, allowed)
