"""Mirrors src/saxinfer/structures/interacting.py."""

import importlib
import math
import shutil
import warnings

import numpy as np
import pytest
import torch
from numpy.random import default_rng
from torch import Generator, Tensor
from torch.autograd.functional import jacobian

from saxinfer.inference.emulator import Emulator
from saxinfer.instrument.observation import Observation
from saxinfer.instrument.sampling import Sampling
from saxinfer.scattering.grid import Grid
from saxinfer.scattering.hard_spheres import compressibility
from saxinfer.structures import MODELS, Structure, get_structure
from saxinfer.structures.interacting import Interacting

NAMES = ("sphere@hardsphere", "core_shell_sphere@hardsphere", "lnp@hardsphere")
Q = torch.logspace(-2, 1, 64, dtype=torch.float64)
every_model = pytest.mark.parametrize(
    "model", [get_structure(name) for name in NAMES], ids=NAMES
)


def thetas(model: Structure, count: int, seed: int = 0) -> Tensor:
    return model.space.sample(count, Generator().manual_seed(seed))


def particles(model: Structure) -> Structure:
    return MODELS[model.name.partition("@")[0]]


@every_model
def test_without_neighbours_the_curve_is_that_of_the_particles(
    model: Structure,
) -> None:
    theta = thetas(model, 40)
    theta[:, -1] = 0
    dilute = particles(model).intensity(Q, theta[:, :-1])
    assert torch.equal(model.intensity(Q, theta), dilute)


@every_model
def test_unknowns_are_those_of_the_particles_and_a_volume_fraction(
    model: Structure,
) -> None:
    *alone, share = model.space
    assert tuple(alone) == particles(model).space.parameters
    assert (share.name, share.unit, share.prior) == ("volume_fraction", "1", "uniform")
    assert model.space.bounds("volume_fraction") == (0.0, 0.5)
    names = [p.name for p in (*model.space, *model.dependent, *model.derived)]
    assert len(set(names)) == len(names)
    assert "ilute" not in model.title.replace("not dilute", "")


@every_model
def test_the_intensity_is_finite_and_positive_over_the_whole_prior(
    model: Structure,
) -> None:
    signs = torch.randint(
        0, 2, (64, len(model.space)), generator=Generator().manual_seed(0)
    )
    corners = model.space.theta_from_latent(4.5 * (2.0 * signs - 1).double())
    for theta in (thetas(model, 200), corners):
        for q in (Q, torch.logspace(-5, -2, 20, dtype=torch.float64)):
            intensity = model.intensity(q, theta)
            assert bool(intensity.isfinite().all())
            assert bool((intensity > 0).all())


@every_model
def test_order_lowers_the_start_by_the_compressibility_of_the_fluid(
    model: Structure,
) -> None:
    theta = thetas(model, 60)
    q = torch.tensor([1e-5], dtype=torch.float64)
    ratio = model.intensity(q, theta) / particles(model).intensity(q, theta[:, :-1])
    least = compressibility(theta[:, -1:])
    assert bool((ratio >= least * (1 - 1e-9)).all())
    if model.name != "lnp@hardsphere":
        # Inside of the others something is left that fluctuates.
        assert torch.allclose(ratio, least, rtol=1e-3)


def test_what_fluctuates_inside_is_left_as_it_is() -> None:
    model = get_structure("lnp@hardsphere")
    theta = thetas(model, 20)
    # A mean particle without contrast: there is nothing to be in order.
    theta[:, 3], theta[:, 4] = 0.0, 1.0
    dilute = MODELS["lnp"].intensity(Q, theta[:, :-1])
    assert torch.allclose(model.intensity(Q, theta), dilute, rtol=1e-12)


@every_model
def test_a_grid_for_each_row_gives_what_a_shared_one_does(model: Structure) -> None:
    theta = thetas(model, 30)
    shared = model.intensity(Q, theta)
    own = model.intensity(Q.expand(30, -1).contiguous(), theta)
    assert torch.allclose(shared, own, rtol=1e-6)
    alone = model.intensity(Q, theta[7:8])[0]
    assert torch.allclose(shared[7], alone, rtol=2e-3)


@every_model
def test_single_precision_follows_double_precision(model: Structure) -> None:
    theta = thetas(model, 60)
    double = model.intensity(Q, theta)
    single = model.intensity(Q.float(), theta.float())
    assert single.dtype == torch.float32
    gap = (single.double() / double).log().abs()
    assert float(gap.median()) < 1e-4
    assert float((gap > 0.05).double().mean()) < 0.01


@every_model
@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad")
def test_gradients_are_those_of_finite_differences(model: Structure) -> None:
    grid = Q[::4]

    def log_curve(point: Tensor) -> Tensor:
        return model.intensity(grid, point[None])[0].log()

    for point in thetas(model, 5, seed=1):
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
    places, even = model.smooth(theta), torch.zeros(400, dtype=torch.float64)
    error = (Emulator.fitted(places, shapes, even)(places)[0] / shapes - 1).abs()
    # Where rings of neighbours meet fringes, curves bend more than those of particles.
    assert float(error.quantile(0.99)) < 5e-3
    assert float(error.median()) < 1e-4


@pytest.mark.parametrize("phi", [0.0, 0.2, 0.4, 0.5])
def test_equal_spheres_are_interpolated_rightly_within_their_reach(phi: float) -> None:
    model = get_structure("sphere@hardsphere")
    q = torch.logspace(-2, 0.3, 1500, dtype=torch.float64)
    one = torch.ones_like(q)
    sampling = Sampling(Observation.of(q, one, 0.02 * one, None, "measured"), 13.0)
    theta = torch.tensor([[10.0, 0.05, phi]], dtype=torch.float64)
    rung = int(sampling.rung(model.reach(theta)))
    nodes = sampling.nodes(rung)
    assert len(nodes) < len(q)
    found = sampling.at_points(model.intensity(nodes, theta), rung)
    assert torch.allclose(found, model.intensity(q, theta), rtol=5e-4)


@every_model
def test_the_rest_is_that_of_the_particles(model: Structure) -> None:
    theta, base = thetas(model, 12), particles(model)
    alone = theta[:, :-1]
    assert torch.equal(model.edges(theta), base.edges(alone))
    assert torch.equal(model.derived_values(theta), base.derived_values(alone))
    assert model.dependent_values(theta).shape == (12, len(model.dependent))
    phases = model.phase_values(theta)
    assert torch.equal(phases.nan_to_num(), base.phase_values(alone).nan_to_num())
    volume, theirs = model.mean_volume(theta), base.mean_volume(alone)
    assert volume is not None
    assert theirs is not None
    assert torch.equal(volume, theirs)
    assert model.unit_contrast == base.unit_contrast
    assert torch.equal(model.smooth(theta)[:, -1], theta[:, -1])
    assert base.name in model.special_cases


@every_model
def test_a_mirror_scatters_the_same(model: Structure) -> None:
    theta = thetas(model, 12)
    if model.name == "core_shell_sphere@hardsphere":
        # Both ends of the angle are the same hollow sphere.
        theta[:, 3] = -math.pi / 2
    mirrored = model.mirrors(theta)
    assert mirrored.shape[1:] == theta.shape
    for other in mirrored:
        same = model.intensity(Q, other)
        assert torch.allclose(same, model.intensity(Q, theta), rtol=1e-6)


@every_model
def test_lookalikes_are_those_of_the_particles_as_close_together(
    model: Structure,
) -> None:
    theta = thetas(model, 12)
    base = get_structure(model.name.partition("@")[0])
    alike = model.lookalikes(theta)
    assert torch.equal(alike[..., :-1], base.lookalikes(theta[:, :-1]))
    assert all(torch.equal(other[:, -1], theta[:, -1]) for other in alike)


@every_model
def test_it_is_a_closed_form_only(model: Structure) -> None:
    (theta,) = thetas(model, 1)
    refusal = pytest.raises(ValueError, match=f"'{model.name}' cannot be drawn")
    with refusal:
        model.suggested_grid(theta)
    with refusal:
        model.realise(theta, Grid(64, 0.5), default_rng(0))


@pytest.mark.parametrize(
    "name", ["wood@hardsphere", "cube@hardsphere", "sphere@squarewell", "sphere@"]
)
def test_what_cannot_be_combined_is_refused_with_what_can(name: str) -> None:
    with pytest.raises(ValueError, match=rf"'{name}'.*lnp@hardsphere"):
        get_structure(name)


def test_a_model_that_is_not_of_spheres_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'wood' cannot be combined.*sphere@hard"):
        Interacting(MODELS["wood"])


def test_equal_spheres_agree_with_sasmodels() -> None:
    if not any(shutil.which(compiler) for compiler in ("cc", "gcc", "clang")):
        pytest.skip("sasmodels needs a C compiler")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            core = importlib.import_module("sasmodels.core")
            direct = importlib.import_module("sasmodels.direct_model")
        except ImportError:
            pytest.skip("sasmodels is not installed")
        model = core.load_model("sphere@hardsphere", dtype="double", platform="dll")
        q = np.geomspace(0.01, 2, 200)
        kernel = model.make_kernel([0.1 * q])
        for phi in (0.05, 0.3, 0.5):
            settings = {
                "scale": 1,
                "background": 0,
                "sld": 2,
                "sld_solvent": 1,
                "radius": 50.0,
                "volfraction": phi,
            }
            # A unit of volume fraction; contrast 1e-4 nm⁻², 1e7 from 1/nm to 1/cm.
            theirs = direct.call_kernel(kernel, settings) / phi / 0.1
            # A spread of 1e-5: theirs has none.
            theta = torch.tensor([[5.0, 5e-5, phi]], dtype=torch.float64)
            ours = get_structure("sphere@hardsphere").intensity(
                torch.from_numpy(q), theta
            )[0]
            envelope = theirs + 1e-6 * theirs.max()
            assert (np.abs(ours.numpy() - theirs) / envelope).max() < 1e-4, phi
