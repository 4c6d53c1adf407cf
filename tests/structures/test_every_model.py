"""What every structure model must satisfy; a new one is covered by being listed."""

import pytest
import torch
from numpy.random import default_rng
from torch import Generator, Tensor
from torch.autograd.functional import jacobian

from saxinfer.inference.emulator import Emulator
from saxinfer.scattering.grid import Grid
from saxinfer.structures import MODELS, Structure, get_structure

every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
DRAWN = {n: m for n, m in MODELS.items() if type(m).realise is not Structure.realise}
every_drawn_model = pytest.mark.parametrize("model", DRAWN.values(), ids=DRAWN)
Q = torch.logspace(-2, 1, 64, dtype=torch.float64)


def thetas(model: Structure, count: int, seed: int = 0) -> Tensor:
    return model.space.sample(count, Generator().manual_seed(seed))


@every_model
def test_the_intensity_is_finite_and_positive_over_the_whole_prior(
    model: Structure,
) -> None:
    intensity = model.intensity(Q, thetas(model, 300))
    assert intensity.shape == (300, 64)
    assert bool(intensity.isfinite().all())
    assert bool((intensity > 0).all())


@every_model
def test_the_intensity_is_finite_and_positive_in_the_corners_of_the_prior(
    model: Structure,
) -> None:
    width = len(model.space)
    generator = Generator().manual_seed(0)
    signs = torch.randint(0, 2, (64, width), generator=generator).double() * 2 - 1
    theta = model.space.theta_from_latent(4.5 * signs)
    intensity = model.intensity(Q, theta)
    assert bool(intensity.isfinite().all())
    assert bool((intensity > 0).all())


@every_model
def test_a_grid_for_each_row_gives_what_a_shared_one_does(model: Structure) -> None:
    theta = thetas(model, 60)
    shared = model.intensity(Q, theta)
    own = model.intensity(Q.expand(60, -1).contiguous(), theta)
    # Rows may be interpolated to their grid; both are right to a thousandth.
    assert torch.allclose(shared, own, rtol=1e-3)


@every_model
def test_each_row_has_the_curve_that_it_has_alone(model: Structure) -> None:
    theta = thetas(model, 60)
    grids = Q * torch.linspace(0.5, 1.0, 60, dtype=torch.float64)[:, None]
    together = model.intensity(grids, theta)
    for row in (0, 31, 59):
        alone = model.intensity(grids[row], theta[row : row + 1])[0]
        assert torch.allclose(together[row], alone, rtol=2e-3)


@every_model
def test_single_precision_follows_double_precision(model: Structure) -> None:
    theta = thetas(model, 60)
    double = model.intensity(Q, theta)
    single = model.intensity(Q.float(), theta.float())
    assert single.dtype == torch.float32
    # Between the fringes of equal particles little is left of the terms that cancel.
    gap = (single.double() / double).log().abs()
    assert float(gap.median()) < 1e-4
    assert float((gap > 0.05).double().mean()) < 0.01


@every_model
@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad")
def test_gradients_are_those_of_finite_differences(model: Structure) -> None:
    theta = thetas(model, 6, seed=1)
    grid = Q[::4]

    def log_curve(point: Tensor) -> Tensor:
        return model.intensity(grid, point[None])[0].log()

    for point in theta:
        exact = jacobian(log_curve, point)  # type: ignore[no-untyped-call]
        assert bool(exact.isfinite().all())
        for index, value in enumerate(point):
            step = torch.zeros_like(point)
            step[index] = 1e-6 * value.abs().clamp(min=1e-3)
            change = (log_curve(point + step) - log_curve(point - step)) / 2
            found = change / step[index]
            # Seven of the sixteen digits are lost to the difference.
            size = float(found.abs().max()) + 1e-3
            assert torch.allclose(found, exact[:, index], rtol=1e-3, atol=1e-4 * size)


@pytest.mark.parametrize("name", MODELS)
def test_asking_for_a_gradient_raises_no_warning(name: str) -> None:
    theta = thetas(MODELS[name], 2).requires_grad_()
    torch.set_warn_always(True)
    try:
        MODELS[name].intensity(Q, theta).sum().backward()  # type: ignore[no-untyped-call]
    finally:
        torch.set_warn_always(False)


@every_model
def test_the_same_seed_draws_the_same_and_inside_the_bounds(model: Structure) -> None:
    first, again = thetas(model, 500), thetas(model, 500)
    assert torch.equal(first, again)
    assert bool(model.space.admits(first).all())


@every_model
def test_particles_have_a_volume_and_their_curves_a_unit(model: Structure) -> None:
    theta = thetas(model, 300)
    volume = model.mean_volume(theta)
    if volume is not None:
        assert model.unit_contrast
        assert volume.shape == (300,)
        assert bool((volume > 0).all() & volume.isfinite().all())


@every_model
def test_dependent_and_derived_values_lie_within_their_stated_bounds(
    model: Structure,
) -> None:
    theta = thetas(model, 2000)
    for parameters, values in (
        (model.dependent, model.dependent_values(theta)),
        (model.derived, model.derived_values(theta)),
    ):
        assert values.shape == (2000, len(parameters))
        for parameter, column in zip(parameters, values.unbind(-1), strict=True):
            slack = 1e-4 * (parameter.high - parameter.low)
            assert float(column.min()) >= parameter.low - slack, parameter.name
            assert float(column.max()) <= parameter.high + slack, parameter.name


@every_model
@pytest.mark.parametrize("others", ["mirrors", "lookalikes"])
def test_others_have_the_shape_of_what_they_are_like(
    model: Structure, others: str
) -> None:
    theta = thetas(model, 5)
    found = getattr(model, others)(theta)
    assert found.shape[1:] == theta.shape
    assert not any(torch.equal(other, theta) for other in found)


@every_model
def test_names_and_sentences_are_there_for_the_report(model: Structure) -> None:
    columns = [*model.space, *model.dependent, *model.derived]
    names = [column.name for column in columns]
    assert len(set(names)) == len(names)
    assert all(column.meaning.endswith(".") for column in columns)
    assert model.references
    assert model.title


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'cube'\. Known models: sphere, "):
        get_structure("cube")


@pytest.mark.parametrize("name", sorted(MODELS.keys() - DRAWN.keys()))
def test_what_is_a_closed_form_only_says_so(name: str) -> None:
    (theta,) = thetas(MODELS[name], 1)
    refusal = pytest.raises(ValueError, match=f"'{name}' cannot be drawn")
    with refusal:
        MODELS[name].suggested_grid(theta)
    with refusal:
        MODELS[name].refuse_unfit(theta, Grid(64, 0.5))
    with refusal:
        MODELS[name].realise(theta, Grid(64, 0.5), default_rng(0))


@every_drawn_model
def test_a_suggested_box_holds_the_structure(model: Structure) -> None:
    held = 0
    for theta in thetas(model, 20, seed=3):
        try:
            grid = model.suggested_grid(theta)
        except ValueError:
            # More pixels than memory holds.
            continue
        model.refuse_unfit(theta, grid)
        held += 1
    assert held >= 10


def _middle(model: Structure) -> Tensor:
    """About the middle of the prior, as far as a common box holds it."""
    theta = model.space.theta_from_latent(
        torch.zeros(1, len(model.space), dtype=torch.float64)
    )
    if model.name == "cellulose":
        theta[:, 3] = 0.8
    if model.name == "lnp":
        theta[:, :2] = torch.tensor([12.0, 0.12])
        theta[:, [6, 8]] = 0.25
    return theta


@every_drawn_model
def test_a_tiny_box_is_refused_before_anything_is_drawn(model: Structure) -> None:
    theta = _middle(model)[0]
    suggested = model.suggested_grid(theta)
    with pytest.raises(ValueError, match=r"box of .* is too small|holds"):
        model.refuse_unfit(theta, Grid(8, suggested.pixel, suggested.dimension))


@every_drawn_model
def test_what_is_measured_from_a_map_are_columns_near_their_values(
    model: Structure,
) -> None:
    pytest.importorskip("numba")
    theta = _middle(model)
    drawn = model.realise(theta[0], model.suggested_grid(theta[0]), default_rng(1))
    found = model.measured(drawn)
    row = torch.cat(
        [theta, model.dependent_values(theta), model.derived_values(theta)], 1
    )
    every = (*model.space, *model.dependent, *model.derived)
    known = {p.name: v for p, v in zip(every, row[0].tolist(), strict=True)}
    assert found.keys() <= known.keys()
    for name, value in found.items():
        # One box: its share of anything scatters by some percent, spreads by more.
        assert value == pytest.approx(known[name], rel=0.5), name


@every_model
def test_edges_are_the_distances_of_fringes(model: Structure) -> None:
    lengths = [i for i, p in enumerate(model.space) if p.unit == "nm"]
    theta = thetas(model, 20)
    edges = model.edges(theta)
    assert edges.shape[0] == 20
    assert bool((edges > 0).all())
    # Everything twice as long has edges twice as far apart.
    larger = theta.clone()
    larger[:, lengths] = 2 * larger[:, lengths]
    assert torch.allclose(model.edges(larger), 2 * edges)


@every_model
def test_near_a_point_curves_are_polynomials_in_the_smooth_coordinates(
    model: Structure,
) -> None:
    generator = Generator().manual_seed(5)
    step = torch.randn(400, len(model.space), generator=generator, dtype=torch.float64)
    theta = model.space.theta_from_latent(0.3 + 0.01 * step)
    q = torch.logspace(-1, 0.3, 40, dtype=torch.float64)
    curves = model.intensity(q, theta)
    shapes = curves / curves.mean(1, keepdim=True)
    # What the coordinates leave out moves no curve but in its height.
    places, even = model.smooth(theta), torch.zeros(400, dtype=torch.float64)
    error = (Emulator.fitted(places, shapes, even)(places)[0] / shapes - 1).abs()
    assert float(error.quantile(0.99)) < 2e-3
    assert float(error.median()) < 1e-4
