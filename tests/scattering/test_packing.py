"""Mirrors src/saxinfer/scattering/packing.py.

The closed form the table is held against is the Percus-Yevick equation of the
two-dimensional mixture, solved here: exact to third order in the density, and within
a fraction of a percent of the truth to phi = 0.3. The table knows nothing of it.
"""

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import special
from scipy.interpolate import CubicSpline
from torch import Tensor

from saxinfer.scattering import packing
from saxinfer.scattering.packing import U_NODES, X_NODES, X_STEP

Array = npt.NDArray[np.float64]
X = X_NODES.numpy()


def one(value: float) -> Tensor:
    return torch.tensor([value], dtype=torch.float64)


def table_spectrum(phi: float, rel_std: float) -> Array:
    return np.asarray(packing.spectrum(one(phi), one(rel_std))[0].numpy())


def disk_amplitude(x: Array, radius: Array) -> Array:
    y = np.maximum(x * radius, 1e-9)
    return np.asarray(2 * math.pi * radius**2 * special.j1(y) / y)


def size_classes(rel_std: float, count: int) -> tuple[Array, Array]:
    """Gauss-Hermite classes of the log-normal distribution: radii and shares."""
    rule = np.polynomial.hermite_e.hermegauss(count)
    z, w = (np.asarray(part, dtype=np.float64) for part in rule)
    sigma = math.sqrt(math.log1p(rel_std**2))
    return np.exp(sigma * z - sigma**2 / 2), w / float(w.sum())


def self_part(phi: float, rel_std: float, x: Array) -> Array:
    """Phi <f^2> / (pi <R^2>), by a trapezoid over ln R to nine sigma and beyond."""
    sigma = math.sqrt(math.log1p(rel_std**2))
    z = np.arange(-9, 12, 0.01)
    weight = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    squares = disk_amplitude(x[:, None], np.exp(sigma * z - sigma**2 / 2)) ** 2
    return np.asarray(phi * (squares @ weight) / (math.pi * (1 + rel_std**2)))


def pair_part_of(hole: Array, density: Array, radius: Array, x: Array) -> Array:
    """Sum f_i f_j rho_i rho_j h_ij, with hole = sqrt(rho_i rho_j) h_ij."""
    weighted = disk_amplitude(x[:, None], radius) * np.sqrt(density)
    return np.asarray(np.einsum("ki,kij,kj->k", weighted, hole, weighted))


def percus_yevick(phi: float, rel_std: float, x: Array, classes: int = 7) -> Array:
    """Solves the Ornstein-Zernike equation with the Percus-Yevick closure.

    c_ij = -(1 + gamma_ij) inside contact, 0 outside. gamma = h - c is continuous, so
    it is kept at Gauss points inside contact only, and iterated (Anderson).
    """
    radius, share = size_classes(rel_std, classes)
    density = phi * share / (math.pi * (share @ radius**2))
    root = np.sqrt(density[:, None] * density)
    i, j = np.triu_indices(classes)
    t, w = np.polynomial.legendre.leggauss(128)
    contact = (radius[i] + radius[j])[:, None]
    r, weight_r = contact * (t + 1) / 2, contact * w / 2
    tk, wk = np.polynomial.legendre.leggauss(20)
    k = (np.arange(80)[:, None] + (tk + 1) / 2).ravel()
    weight_k = np.tile(wk / 2, 80) * k / (2 * math.pi)

    def hole(gamma: Array, bessel: Array) -> tuple[Array, Array]:
        inside = -2 * math.pi * r * weight_r * (1 + gamma)
        direct = np.empty((bessel.shape[-1], classes, classes))
        direct[:, i, j] = np.einsum("pr,prk->kp", inside, bessel)
        direct[:, j, i] = direct[:, i, j]
        direct *= root
        total: Array = np.linalg.inv(np.eye(classes) - direct) @ direct
        return direct, total

    def step(gamma: Array) -> Array:
        direct, total = hole(gamma.reshape(r.shape), bessel)
        indirect = ((total - direct) / root)[:, i, j] * weight_k[:, None]
        return np.asarray(np.einsum("kp,prk->pr", indirect, bessel).ravel())

    bessel = special.j0(r[:, :, None] * k)
    gamma: Array = np.zeros(r.size)
    points: list[Array] = []
    misfits: list[Array] = []
    for _ in range(100):
        misfit = step(gamma) - gamma
        if np.abs(misfit).max() < 1e-8:
            break
        points, misfits = [*points[-8:], gamma], [*misfits[-8:], misfit]
        if len(points) == 1:
            gamma = gamma + misfit / 2
            continue
        dp = np.stack([p - gamma for p in points[:-1]], 1)
        df = np.stack([f - misfit for f in misfits[:-1]], 1)
        mix = np.linalg.lstsq(df, -misfit, rcond=None)[0]
        gamma = gamma + dp @ mix + 0.7 * (misfit + df @ mix)
    else:
        raise AssertionError("Percus-Yevick did not converge")
    _, total = hole(gamma.reshape(r.shape), special.j0(r[:, :, None] * x))
    return pair_part_of(total, density, radius, x)


def script() -> ModuleType:
    pytest.importorskip("numba")
    path = Path(__file__).parents[2] / "scripts/make_packing_table.py"
    spec = importlib.util.spec_from_file_location("make_packing_table", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_packing_table"] = module
    spec.loader.exec_module(module)
    return module


def pull(state: dict[str, Array], high: float) -> Array:
    """Misfit of simulated ring means to the table, in broad rings, over its error."""
    x, phi, std = state["x"], float(state["phi"]), float(state["std"])
    count = state["modes"] * state["configs"].sum()
    pair = state["sum"].sum(0) / state["configs"].sum()
    coordinate = np.arcsinh(X / packing.X_SCALE)
    ratio = CubicSpline(coordinate, table_spectrum(phi, std) - self_part(phi, std, X))
    model = ratio(np.arcsinh(x / packing.X_SCALE)) + state["self"]
    misfit = (pair + state["self"]) / model - 1
    ring = np.digitize(x, np.arange(0.3, high, 0.5))
    seen = x < high
    total = np.bincount(ring[seen], (misfit * count)[seen])
    return np.asarray(total / np.sqrt(np.bincount(ring[seen], count[seen])))


# The statistical error of the table is 0.2 % at phi = 0.1 and 0.6 % at 0.3 (1 sigma,
# below x = 0.5, where few waves fit into the box), and a third of it above.
@pytest.mark.parametrize(("rel_std", "classes"), [(0.05, 5), (0.17, 7)])
@pytest.mark.parametrize(
    ("phi", "tolerance"), [(0.05, 0.01), (0.1, 0.01), (0.2, 0.012), (0.3, 0.02)]
)
def test_equilibrium_disks_scatter_as_percus_yevick_says(
    phi: float, tolerance: float, rel_std: float, classes: int
) -> None:
    x = X[(X > 0.02) & (X < 3.6)][::6]
    theory = self_part(phi, rel_std, x) + percus_yevick(phi, rel_std, x, classes)
    measured = table_spectrum(phi, rel_std)[(X > 0.02) & (X < 3.6)][::6]
    np.testing.assert_allclose(measured, theory, rtol=tolerance)


def test_at_low_density_only_the_second_virial_coefficient_counts() -> None:
    phi, rel_std = 0.05, 0.3
    x = X[X < 4][::8]
    radius, share = size_classes(rel_std, 11)
    density = phi * share / (math.pi * (share @ radius**2))
    contact = radius[:, None] + radius
    y = np.maximum(x[:, None, None] * contact, 1e-9)
    mayer = -2 * math.pi * contact**2 * special.j1(y) / y
    root = np.sqrt(density[:, None] * density)
    hole = np.linalg.solve(np.eye(11) - root * mayer, root * mayer)
    own = self_part(phi, rel_std, x)
    virial = own + pair_part_of(hole, density, radius, x)
    measured = table_spectrum(phi, rel_std)[X < 4][::8]
    # The third coefficient leaves 1.38 phi^2 / S(0) = (9.38 - 8) phi^2 S(0) at x = 0
    # and a few times phi^2 elsewhere.
    np.testing.assert_allclose(measured, virial, rtol=5 * phi**2 + 0.01)


@pytest.mark.parametrize("phi", [0.1, 0.3, 0.5, 0.6])
@pytest.mark.parametrize("rel_std", [0.1, 0.3])
def test_the_forward_limit_is_the_compressibility(phi: float, rel_std: float) -> None:
    area = math.pi * (1 + rel_std**2)
    number = phi / area
    powers = torch.tensor([0.0, 1.0, 2.0], dtype=torch.float64)
    weight = torch.tensor([1.0, 2 * math.pi, math.pi], dtype=torch.float64)

    def excess(n: Tensor) -> Tensor:
        """Free energy of Henderson's equation of state, extended to mixtures."""
        void = 1 - n[2]
        bracket = void.log() / 8 + 9 / 8 * n[2] / void
        return -n[0] * void.log() + n[1] ** 2 / (4 * math.pi * n[2]) * bracket

    def moment(power: Tensor) -> Tensor:
        growth: Tensor = (1 + rel_std**2) ** (power * (power - 1) / 2)
        return growth

    n = number * weight * moment(powers)
    stiffness = torch.autograd.functional.hessian(excess, n)  # type: ignore[no-untyped-call]
    free = number * weight[:, None] * weight * moment(powers[:, None] + powers)
    response = torch.linalg.solve(
        torch.eye(3, dtype=torch.float64) + free @ stiffness, free
    )
    # The equation of state is good to 1 %. The table extrapolates to x = 0 from the
    # few longest waves of the box: to 1 % of S(0), but at phi = 0.6, where S(0) is a
    # thirtieth of the self part, to 6 % (1 sigma).
    tolerance = 0.03 if phi < 0.5 else 0.12
    assert table_spectrum(phi, rel_std)[0] == pytest.approx(
        float(response[2, 2]), rel=tolerance
    )


@pytest.mark.parametrize(("phi", "rel_std"), [(0.1, 0.05), (0.3, 0.2), (0.6, 0.4)])
def test_spectrum_is_the_hankel_transform_of_covariance(
    phi: float, rel_std: float
) -> None:
    nodes = U_NODES.numpy()
    values = packing.covariance(one(phi), one(rel_std))[0].numpy()
    t, w = np.polynomial.legendre.leggauss(8)
    half = np.diff(nodes)[:, None] / 2
    u = (nodes[:-1, None] + half * (1 + t)).ravel()
    weighted = 2 * math.pi * u * (half * w).ravel() * CubicSpline(nodes, values)(u)
    x = X[X < 12][::5]
    transform = special.j0(np.outer(x, u)) @ weighted
    measured = table_spectrum(phi, rel_std)[X < 12][::5]
    # What remains is the cubic between the nodes.
    scale = phi * math.pi
    np.testing.assert_allclose(transform, measured, rtol=1e-3, atol=1e-5 * scale)


def test_the_variance_is_that_of_an_indicator_function() -> None:
    phi = torch.linspace(0.05, 0.65, 13, dtype=torch.float64)
    variance = packing.covariance(phi, torch.full_like(phi, 0.17))[:, 0]
    torch.testing.assert_close(variance, phi * (1 - phi), rtol=1e-14, atol=0)


def test_the_tail_is_porods_with_the_exact_boundary_length() -> None:
    phi, rel_std = 0.4, 0.3
    length = 2 * phi / (1 + rel_std**2)  # boundary per area, in units of alpha_mean
    x = X[-1]
    # S = L_A / x^3 for a sharp boundary, less the contacts' x^-4.5.
    assert table_spectrum(phi, rel_std)[-1] * x**3 == pytest.approx(
        2 * length, rel=0.01
    )


def test_it_is_positive_on_the_whole_domain() -> None:
    phi, rel_std = torch.meshgrid(
        torch.linspace(0.05, 0.65, 61, dtype=torch.float64),
        torch.linspace(0.05, 0.4, 36, dtype=torch.float64),
        indexing="ij",
    )
    assert bool((packing.spectrum(phi.flatten(), rel_std.flatten()) > 0).all())


@pytest.mark.parametrize("curve", [packing.spectrum, packing.covariance])
def test_gradients_are_right(curve: object) -> None:
    phi = torch.tensor([0.05, 0.33, 0.64], dtype=torch.float64, requires_grad=True)
    std = torch.tensor([0.06, 0.22, 0.4], dtype=torch.float64, requires_grad=True)

    def some(phi: Tensor, std: Tensor) -> Tensor:
        assert callable(curve)
        values: Tensor = curve(phi, std)[:, ::37]
        return values

    # A finite difference would step over the domain's edge at 0.05 and 0.4.
    inside = phi.detach().clamp(0.051, 0.64), std.detach().clamp(0.06, 0.39)
    assert torch.autograd.gradcheck(some, [v.requires_grad_() for v in inside])
    some(phi, std).sum().backward()  # type: ignore[no-untyped-call]
    assert phi.grad is not None
    assert bool(phi.grad.isfinite().all())


@pytest.mark.parametrize(
    ("phi", "rel_std", "name"), [(0.7, 0.2, "phi"), (0.3, 0.5, "rel_std")]
)
def test_outside_the_table_it_refuses(phi: float, rel_std: float, name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must lie between"):
        packing.spectrum(one(phi), one(rel_std))


def test_nodes_are_uniform_in_asinh_and_fine_enough_to_interpolate() -> None:
    coordinate = torch.asinh(X_NODES / packing.X_SCALE)
    torch.testing.assert_close(
        coordinate.diff(), torch.full((len(X) - 1,), X_STEP, dtype=torch.float64)
    )
    # Six points of the nearly equal disks' oscillating self part, at mid interval.
    middle = np.sinh((np.arange(2, len(X) - 3) + 0.5) * X_STEP)
    lagrange = np.array([3, -25, 150, 150, -25, 3]) / 256
    own = np.convolve(self_part(0.3, 0.05, X), lagrange, mode="valid")
    exact = self_part(0.3, 0.05, middle)
    np.testing.assert_allclose(own, exact, rtol=1e-4, atol=1e-7 * exact[0])


def test_the_stated_error_covers_every_node() -> None:
    error = packing.relative_error()
    assert error.shape == X_NODES.shape
    assert bool((error > 0).all())


def test_a_small_fresh_simulation_agrees(tmp_path: Path) -> None:
    state = script().simulate(0.22, 0.3, 2e5, 5, tmp_path / "s.npz", number=500)
    pulls = pull(state, 6.0)
    # Twelve rings: chi^2 has mean 12 and standard deviation 5.
    assert float((pulls**2).sum()) < 32


@pytest.mark.slow
@pytest.mark.parametrize(("phi", "rel_std"), [(0.4, 0.3), (0.58, 0.1)])
def test_a_large_fresh_simulation_off_the_nodes_agrees(
    tmp_path: Path, phi: float, rel_std: float
) -> None:
    state = script().simulate(phi, rel_std, 2e6, 5, tmp_path / "s.npz")
    count = state["modes"] * state["configs"].sum()
    edges = np.arange(0.3, 8.0, 0.5)
    ring = np.digitize(state["x"], edges)
    own = 1 / np.sqrt(np.bincount(ring, count)[: len(edges)])
    table = np.interp(np.append(0.15, edges[1:]), X, packing.relative_error().numpy())
    misfit = pull(state, 8.0)[: len(edges)] * own
    # Memory between configurations doubles the variance at high density.
    assert float((misfit**2 / (2 * (own**2 + table**2))).mean()) < 2.5


@pytest.mark.slow
def test_the_densest_packings_forget_how_they_began(tmp_path: Path) -> None:
    monte_carlo = script()
    phi, rel_std, number, configurations = 0.645, 0.055, 1000, 100
    peaks, errors = [], []
    hard_disks = monte_carlo.hard_disks
    for begin in (hard_disks.random_start, hard_disks.ordered_start):
        start = hard_disks.lognormal_radii(number, rel_std)
        packing_ = begin(start, phi, np.random.default_rng(11))
        packing_.run(3000, tune=True)
        radii = packing_.disks[2]
        rings = monte_carlo.rings_of(radii, packing_.box, rel_std, 1)[0]
        peak = (rings.x > 2.8) & (rings.x < 3.4)
        values = []
        for _ in range(configurations):
            packing_.run(70)
            power = rings.measure(packing_.disks) + rings.self_part
            values.append(np.average(power[peak], weights=rings.modes[peak]))
        # The scatter of ten stretches of time includes their memory.
        blocks = np.reshape(values, (10, -1)).mean(1)
        peaks.append(blocks.mean())
        errors.append(blocks.std(ddof=1) / math.sqrt(10))
    assert abs(peaks[0] - peaks[1]) < 4 * math.hypot(*errors)
    assert peaks[0] == pytest.approx(peaks[1], rel=0.03)
