"""Makes the table of scattering of polydisperse equilibrium hard disks.

Monte Carlo packings of hard disks with log-normal radii (mean 1, standard deviation
s) are drawn at Chebyshev nodes of area fraction phi and s. Of each packing,
F(k) = sum_j f(k R_j) exp(i k.r_j) with f = 2 pi R J1(kR) / k is taken at vectors k of
the box; |F|^2 / A less the self part sum_j f_j^2 / A is the *pair* part of the
spectrum, the only thing that is not known in closed form. A spline C_pair(u), fitted
through its exact Hankel transform, smooths the noise and makes the real-space and the
reciprocal-space tables transforms of one another.

Run ``python scripts/make_packing_table.py``; finished state points are kept in
``--work`` and are only extended when more ``--area`` is asked for. ``--quick`` runs a
tiny case in seconds and writes nothing into the package.
"""

import argparse
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import interpolate, linalg, special

from saxinfer.scattering import hard_disks, packing
from saxinfer.scattering.hard_disks import (
    Packing,
    lognormal_radii,
    random_start,
    sweeps_to_equilibrium,
)

Array = npt.NDArray[Any]

PHI_RANGE, PHI_COUNT = (0.05, 0.65), 9
STD_RANGE, STD_COUNT = (0.05, 0.40), 8
TABLE = Path(__file__).parents[1] / "src/saxinfer/scattering/packing.npz"

BLOCKS = 8  # configurations are dealt out to blocks: their scatter proves the errors
X_FULL = 4.0  # every box vector up to here, a random lattice of them beyond
RING = 0.02  # width of a ring in x


# --- Scattering of a packing -----------------------------------------------------


def disk_amplitude(k: Array, radius: Array) -> Array:
    """Returns 2 pi R J1(kR) / k, the amplitude of a disk."""
    y = np.maximum(k * radius, 1e-12)
    return np.asarray(2 * math.pi * radius**2 * special.j1(y) / y)


class Lattice:
    """Box vectors and what a packing's amplitude needs on them.

    The disks of a narrow class of radii share their mean amplitude, so that a class
    is one product of matrices exp(i kx x)^T exp(i ky y).
    """

    def __init__(self, radii: Array, box: float, mx: Array, my: Array) -> None:
        self.unit = 2 * math.pi / box
        self.area = box**2
        self.mx, self.my = mx, my
        k = self.unit * np.hypot(mx[:, None], my[None, :])
        self.k = k
        edges = np.linspace(radii[0], radii[-1], 41)
        cut = np.unique(np.searchsorted(radii, edges[1:-1]))
        self.parts = np.split(np.arange(len(radii)), cut)
        self.parts = [p for p in self.parts if len(p)]
        grid = np.linspace(0, k.max(), 6001)
        amplitude = [
            disk_amplitude(grid[:, None], radii[None, p]).mean(1) for p in self.parts
        ]
        self.amplitude = [np.interp(k, grid, a).astype(np.float32) for a in amplitude]
        self.self_part = (
            sum(
                len(p) * a.astype(float) ** 2
                for p, a in zip(self.parts, self.amplitude, strict=True)
            )
            / self.area
        )

    def pair_part(self, disks: Array) -> Array:
        """Returns |F|^2 / A less the self part, at every vector."""
        ex = np.exp(1j * self.unit * np.outer(disks[0], self.mx)).astype(np.complex64)
        ey = np.exp(1j * self.unit * np.outer(disks[1], self.my)).astype(np.complex64)
        total = np.zeros(self.k.shape, dtype=np.complex64)
        for part, amplitude in zip(self.parts, self.amplitude, strict=True):
            rows = slice(part[0], part[-1] + 1)
            total += amplitude * (ex[rows].T @ ey[rows])
        power = total.real.astype(float) ** 2 + total.imag.astype(float) ** 2
        return np.asarray(power / self.area - self.self_part)


@dataclass
class Rings:
    """Sums of the pair part over rings of equal x, in blocks of configurations."""

    lattice: Lattice
    ring: Array
    chosen: Array
    x: Array
    modes: Array
    self_part: Array

    @classmethod
    def of(cls, lattice: Lattice, low: float, high: float) -> "Rings":
        """Sorts the lattice's vectors with low < k < high into rings."""
        twin = (lattice.mx[:, None] == 0) & (lattice.my[None, :] <= 0)
        chosen = (lattice.k > low) & (lattice.k < high) & ~twin
        k = lattice.k[chosen]
        _, ring = np.unique((k / RING).astype(int), return_inverse=True)
        modes = np.bincount(ring)
        x = np.bincount(ring, k) / modes
        own = np.bincount(ring, lattice.self_part[chosen]) / modes
        return cls(lattice, ring, chosen, x, modes, own)

    def measure(self, disks: Array) -> Array:
        """Returns the ring means of one configuration."""
        pair = self.lattice.pair_part(disks)[self.chosen]
        return np.asarray(np.bincount(self.ring, pair) / self.modes)


def rings_of(radii: Array, box: float, std: float, seed: int) -> list[Rings]:
    """Returns the full lattice below X_FULL and random ones above it.

    Where the sizes differ much the pair part beyond x = 10 is only the smooth tail of
    the contacts; nearly equal disks oscillate further.
    """
    unit = 2 * math.pi / box
    n = int(X_FULL / unit)
    full = Lattice(radii, box, np.arange(n + 1), np.arange(-n, n + 1))
    rings = [Rings.of(full, 0.0, X_FULL)]
    rng = np.random.default_rng(seed)
    tiers = [(X_FULL, 10.0, 48, 64)]
    if std < 0.2:
        tiers.append((10.0, min(26.0, 1.8 / std), 32, 48))
    for low, high, columns, rows in tiers:
        n = int(high / unit)
        mx = np.sort(rng.choice(np.arange(1, n + 1), columns, replace=False))
        my = np.sort(rng.choice(np.arange(-n, n + 1), rows, replace=False))
        rings.append(Rings.of(Lattice(radii, box, mx, my), low, high))
    return rings


# --- One state point -------------------------------------------------------------


def sweeps_between(phi: float) -> int:
    """Returns sweeps between measured configurations, more where disks are slow."""
    return int(8 + 60 * (phi / 0.65) ** 3)


def simulate(
    phi: float, std: float, area: float, seed: int, file: Path, number: int = 2000
) -> dict[str, Array]:
    """Draws configurations until their summed area reaches area; resumes from file.

    Args:
        phi: Area fraction.
        std: alpha_std / alpha_mean.
        area: Summed area of all configurations wanted [alpha_mean^2].
        seed: Of everything random in this state point.
        file: Where the state point is kept.
        number: Disks in the box.
    """
    radii = lognormal_radii(number, std)
    box = hard_disks.box(radii, phi)
    wanted = BLOCKS * math.ceil(area / box**2 / BLOCKS)
    rings = rings_of(radii, box, std, seed)
    width = sum(len(r.x) for r in rings)
    if file.exists():
        state = dict(np.load(file))
    else:
        packing = random_start(radii, phi, np.random.default_rng(seed))
        packing.run(sweeps_to_equilibrium(phi), tune=True)
        state = {
            "phi": np.array(phi),
            "std": np.array(std),
            "box": np.array(box),
            "disks": packing.disks,
            "step": np.array(packing.step),
            "done": np.array(0),
            "x": np.concatenate([r.x for r in rings]),
            "modes": np.concatenate([r.modes for r in rings]),
            "self": np.concatenate([r.self_part for r in rings]),
            "sum": np.zeros((BLOCKS, width)),
            "configs": np.zeros(BLOCKS),
        }
    done = int(state["done"])
    if done >= wanted:
        return state
    rng = np.random.default_rng([seed, 1 + done])
    packing = Packing(state["disks"], box, rng, float(state["step"]))
    for index in range(done, wanted):
        packing.run(sweeps_between(phi))
        # Blocks are stretches of time: their scatter shows slow relaxation too.
        block = (index - done) * BLOCKS // (wanted - done)
        pair = np.concatenate([r.measure(packing.disks) for r in rings])
        state["sum"][block] += pair
        state["configs"][block] += 1
    state["done"] = np.array(wanted)
    state["disks"] = packing.disks
    part = file.with_suffix(".part.npz")
    np.savez_compressed(part, **state)
    part.replace(file)
    return state


def chebyshev_nodes(low: float, high: float, count: int) -> Array:
    """Returns the Gauss-Chebyshev points of [low, high], ascending."""
    t = -np.cos(math.pi * (np.arange(count) + 0.5) / count)
    return np.asarray((low + high) / 2 + (high - low) / 2 * t)


def simulate_all(work: Path, area: float) -> None:
    """Simulates every node of the table, with a line of progress each."""
    states = [
        (phi, std)
        for phi in chebyshev_nodes(*PHI_RANGE, PHI_COUNT)
        for std in chebyshev_nodes(*STD_RANGE, STD_COUNT)
    ]
    begin = time.perf_counter()
    for i, (phi, std) in enumerate(states):
        simulate(phi, std, area, 1000 + i, work / f"state_{i:02d}.npz")
        spent = time.perf_counter() - begin
        bar = "#" * ((i + 1) * 30 // len(states))
        print(
            f"[{bar:30}] {i + 1}/{len(states)} phi = {phi:.4f} s = {std:.4f} "
            f"{spent:.0f} s, {spent / (i + 1) * (len(states) - i - 1):.0f} s to go",
            flush=True,
        )


# --- From noisy rings to smooth functions ----------------------------------------

DEGREE = 5
U_MAX = 40.0
CONTACT = (2.5, 3.5, 4.5)


def knots() -> Array:
    """Returns the spline's knots: fine about contact, coarser far out."""
    fine = np.arange(0, 7.0, 0.125)
    far = [7.0]
    while far[-1] < U_MAX:
        far.append(far[-1] + min(0.4, 0.125 + 0.03 * (far[-1] - 7.0)))
    far = list(7 + (np.array(far) - 7) * (U_MAX - 7) / (far[-1] - 7))
    inner = np.concatenate([fine, far])
    return np.concatenate([np.zeros(DEGREE), inner, np.full(DEGREE, U_MAX)])


def basis(u: Array) -> Array:
    """Returns the basis functions of C_pair at u, ``[u, function]``.

    B-splines, and a few with the singularity u^2.5 at the origin: two points close
    together lie in two disks only if they straddle a contact. That makes the tail
    S_pair ~ x^-4.5, which unequal sizes do not damp.
    """
    inside = np.clip(u, 0, U_MAX * (1 - 1e-15))
    splines = interpolate.BSpline.design_matrix(inside, knots(), DEGREE).toarray()
    power = np.array(CONTACT)
    contact = u[:, None] ** power * np.exp(-(u[:, None] ** 2) / 4)
    return np.concatenate([splines, contact], axis=1)


def gauss_panels(edges: Array, order: int) -> tuple[Array, Array]:
    """Returns nodes and weights of Gauss-Legendre quadrature on each panel."""
    t, w = np.polynomial.legendre.leggauss(order)
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (1 + t)).ravel(), (half * w).ravel()


def hankel(x: Array) -> Array:
    """Returns 2 pi int B(u) J0(xu) u du of every basis function B."""
    order = int(x.max() * 0.42 / 2) + 8
    edges = np.unique(np.concatenate([knots(), [1e-3, 1e-2]]))
    u, w = gauss_panels(edges, order)
    weighted = 2 * math.pi * (u * w)[:, None] * basis(u)
    rows = [special.j0(np.outer(part, u)) @ weighted for part in np.array_split(x, 8)]
    return np.concatenate(rows)


def self_spectrum(std: Array, x: Array) -> Array:
    """Returns <f^2> / (pi <R^2>) of log-normal disks, ``[std, x]``."""
    return np.stack([_self_spectrum(float(s), x) for s in std])


def _lognormal(std: float, step: float) -> tuple[Array, Array]:
    sigma = math.sqrt(math.log1p(std**2))
    z = np.arange(-9, 13, step)
    weight = np.exp(-(z**2) / 2)
    return np.exp(sigma * z - sigma**2 / 2), weight / weight.sum()


def _self_spectrum(std: float, x: Array) -> Array:
    radius, weight = _lognormal(std, 0.005)
    squares = disk_amplitude(x[:, None], radius) ** 2 @ weight
    return np.asarray(squares / (math.pi * (1 + std**2)))


def self_covariance(std: Array, u: Array) -> Array:
    """Returns <overlap of two equal disks u apart> / (pi <R^2>), ``[std, u]``."""
    rows = []
    for s in std:
        radius, weight = _lognormal(float(s), 0.002)
        half = np.minimum(u[:, None] / (2 * radius), 1)
        lens = np.arccos(half) - half * np.sqrt(1 - half**2)
        rows.append(lens @ (2 * radius**2 * weight) / (math.pi * (1 + s**2)))
    return np.stack(rows)


def coherence(std: float, x: Array) -> Array:
    """Returns |<R^1.5 exp(2ixR)>| / <R^1.5>: how far unequal disks stay in phase."""
    radius, weight = _lognormal(std, 0.005)
    wave = np.exp(2j * x[:, None] * radius) @ (radius**1.5 * weight)
    return np.asarray(np.abs(wave) / (weight @ radius**1.5))


@dataclass
class Fit:
    """The pair part of one state point, as B-spline coefficients over phi^2."""

    coefficients: Array
    covariance: Array
    chi_square: float
    freedom: float


def support(phi: float) -> float:
    """Returns the distance beyond which C_pair is taken to vanish."""
    return min(U_MAX, 7 + 36 * (phi / 0.6) ** 2)


def missing_self_part(state: dict[str, Array]) -> Array:
    """Returns the exact self part less that of the finite sample of radii.

    The largest of N log-normal disks are not large enough: at s = 0.4, <R^4> of 2,000
    of them is 0.25 % low. Against S(0), a twentieth of the self part, that counts.
    """
    radii, box = state["disks"][2], float(state["box"])
    grid = np.linspace(0, state["x"].max(), 500)
    sample = (disk_amplitude(grid[:, None], radii) ** 2).sum(1) / box**2
    exact = float(state["phi"]) * _self_spectrum(float(state["std"]), grid)
    return np.interp(state["x"], grid, exact - sample)


def fit(state: dict[str, Array]) -> Fit:
    """Fits C_pair to the ring means of one state point.

    Minimises the squared misfit of the exact transform, in units of its statistical
    error S / sqrt(modes), plus a penalty on fourth differences that grows with
    distance; its strength is chosen by generalised cross-validation. C_pair(0) =
    -phi^2 with vanishing slope and curvature: two points close together do not lie in
    two disks.
    """
    phi, std, x = float(state["phi"]), float(state["std"]), state["x"]
    measured = state["sum"].sum(0) / state["configs"].sum()
    missing = missing_self_part(state)
    count = state["modes"] * state["configs"].sum()
    matrix = hankel(x) * phi**2
    size = matrix.shape[1]
    free = np.zeros(size, dtype=bool)
    free[3 : np.searchsorted(knots()[DEGREE + 1 :], support(phi)) - 3] = True
    free[-len(CONTACT) :] = True
    fixed = matrix[:, :3].sum(1) * -1.0
    # Where nothing was simulated the pair part is at most that of the contact step.
    high = np.arange(x.max(), 78, 0.3)
    own = phi * _self_spectrum(std, high)
    bound = own * (8 * phi * high**-1.5 * coherence(std, high) + 1e-4)
    high_matrix = hankel(high) * phi**2
    high_matrix[:, -len(CONTACT) :] = 0.0
    high_fixed = high_matrix[:, :3].sum(1) * -1.0
    place = np.arange(size)
    centre = np.array(
        [knots()[i + 1 : i + 1 + DEGREE].mean() for i in place[: -len(CONTACT)]]
    )
    difference = np.diff(np.eye(size)[: -len(CONTACT)], 4, axis=0)
    reach = support(phi) / 6
    weight = np.exp(np.minimum(centre[2:-2], support(phi)) / reach)
    start = np.where(place < 3, -1.0, 0.0)
    roughness = difference[:, free] * weight[:, None]
    rough_start = -(difference @ start) * weight
    spectrum = np.asarray(state["self"])
    for _ in range(3):
        error = spectrum / np.sqrt(count)
        # Linear response: what a few larger disks add to the self part, the fluid
        # around them screens by (S / S_self)^2.
        screened = 1 - np.clip(spectrum / state["self"], 0, 1) ** 2
        mean = measured - screened * missing
        a = np.concatenate(
            [matrix[:, free] / error[:, None], high_matrix[:, free] / bound[:, None]]
        )
        y = np.concatenate([(mean - fixed) / error, -high_fixed / bound])
        q, r = np.linalg.qr(a)
        left = y @ y - (q.T @ y) @ (q.T @ y)
        trials = [
            _solve(r, q.T @ y, math.sqrt(strength), roughness, rough_start)
            for strength in 10.0 ** np.arange(-2, 8.1, 0.5)
        ]
        score = [(left + t[1]) / (len(y) - t[2]) ** 2 for t in trials]
        solution, _, freedom, inverse = trials[int(np.argmin(score))]
        coefficients = start.copy()
        coefficients[free] = solution
        spectrum = np.maximum(
            state["self"] + matrix @ coefficients, 1e-3 * state["self"]
        )
    chi = float(np.mean(((mean - matrix @ coefficients) / error) ** 2))
    covariance = np.zeros((size, size))
    covariance[np.ix_(free, free)] = inverse
    return Fit(coefficients, covariance, chi, float(freedom))


def _solve(
    r: Array, y: Array, root: float, rough: Array, rough_y: Array
) -> tuple[Array, float, float, Array]:
    """Solves the penalised problem; returns solution, misfit, freedom, covariance."""
    scale = np.linalg.norm(r, axis=0)
    stacked = np.concatenate([r, root * rough]) / scale
    q, upper = np.linalg.qr(stacked)
    inverse = np.linalg.pinv(upper, rcond=1e-13) / scale[:, None]
    solution = inverse @ (q.T @ np.concatenate([y, root * rough_y]))
    misfit = float(np.sum((y - r @ solution) ** 2))
    freedom = float(np.sum(q[: len(r)] ** 2))
    return solution, misfit, freedom, inverse @ inverse.T


# --- The table -------------------------------------------------------------------

SELF_TERMS = 32


def chebyshev_fit(span: tuple[float, float], nodes: Array, terms: int) -> Array:
    """Returns the matrix that turns values at nodes into Chebyshev coefficients."""
    t = (2 * nodes - span[0] - span[1]) / (span[1] - span[0])
    return np.linalg.pinv(np.polynomial.chebyshev.chebvander(t, terms - 1))


def slowness(state: dict[str, Array]) -> float:
    """Returns the variance between blocks over that of independent configurations.

    Exceeds one where configurations remember their predecessors; x < 1 only, where
    the memory is longest.
    """
    low = state["x"] < 1
    block = (state["sum"] / state["configs"][:, None])[:, low]
    total = state["self"][low] + block.mean(0)
    expected = total**2 / state["modes"][low] / state["configs"].mean()
    return max(1.0, float(np.mean(block.var(0, ddof=1) / expected)))


@dataclass
class Pool:
    """All state points together.

    Attributes:
        coefficients: Of C_pair / phi^2 at every state point, ``[state, function]``.
        covariance: Of each state point's own fit.
        weight: Turns values at the state points into Chebyshev coefficients,
            ``[term, state]``.
        gain, factor: Of the update by the prior, kept for the errors.
    """

    coefficients: Array
    covariance: Array
    weight: Array
    gain: Array
    factor: Array


def expected(std_terms: int, phi_terms: int, x: Array) -> Array:
    """Returns how large a Chebyshev coefficient of S_pair / phi^2 may be.

    An analytic function's coefficients fall geometrically: in phi towards the
    singularity of the dense fluid, in s the more slowly the larger x, for what counts
    there is x s. Rates and size are generous readings of the significant ones.
    """
    envelope = 8 * _self_spectrum(0.2, x) * (1 + x**2) ** -0.75
    in_phi = np.clip(0.33 + 0.17 * (x - 1), 0.33, 0.5) ** np.arange(phi_terms)[:, None]
    in_std = np.clip(0.3 + 0.1 * x, 0.3, 0.65) ** np.arange(std_terms)[:, None]
    return np.asarray(
        (envelope * in_phi[:, None] * in_std).reshape(phi_terms * std_terms, -1)
    )


def pool(fits: list[Fit], slow: list[float], phi: Array, std: Array) -> Pool:
    """Lets the state points share what they know.

    The table is a polynomial of full degree, but most of its high orders are below
    the noise: a prior of zero mean and width ``expected`` on the coefficients, at a
    few x, takes that noise out. It is one Gaussian update of the fits.
    """
    in_phi = chebyshev_fit(PHI_RANGE, phi, len(phi))
    in_std = chebyshev_fit(STD_RANGE, std, len(std))
    weight = np.kron(in_phi, in_std)
    x = np.arange(0, 8.01, 0.2)
    transform = hankel(x)
    own = np.stack([f.coefficients for f in fits])
    covariance = np.stack([f.covariance * v for f, v in zip(fits, slow, strict=True)])
    gain = covariance @ transform.T
    width = expected(len(std), len(phi), x)
    spread = np.einsum(
        "ki,li,ijh->kjlh", weight, weight, transform @ gain, optimize=True
    ).reshape(width.size, width.size)
    spread[np.diag_indices(width.size)] += width.ravel() ** 2
    factor = np.linalg.cholesky(spread)
    misfit = linalg.cho_solve((factor, True), (weight @ own @ transform.T).ravel())
    shift = np.einsum("imj,ki,kj->im", gain, weight, misfit.reshape(width.shape))
    return Pool(own - shift, covariance, weight, gain, factor)


def pooled_variance(pooled: Pool, state: int, transform: Array) -> Array:
    """Returns the variance of S_pair / phi^2 of a state point after pooling."""
    own = pooled.covariance[state]
    before = np.einsum("xi,ij,xj->x", transform, own, transform)
    seen = transform @ pooled.gain[state]
    known = np.einsum("k,xj->kjx", pooled.weight[:, state], seen)
    half = linalg.solve_triangular(
        pooled.factor, known.reshape(-1, len(transform)), lower=True
    )
    return np.asarray(before - (half**2).sum(0))


def build(work: Path, table: Path) -> None:
    """Fits every state point and writes the table."""
    states = [dict(np.load(f)) for f in sorted(work.glob("state_??.npz"))]
    phi, std = (
        np.array(sorted({float(s[name]) for s in states})) for name in ("phi", "std")
    )
    x, u = packing.X_NODES.numpy(), packing.U_NODES.numpy()
    fits, slow = [fit(s) for s in states], [slowness(s) for s in states]
    pooled = pool(fits, slow, phi, std)
    transform = hankel(x)
    some = np.append(np.arange(0, len(x) - 1, 8), len(x) - 1)
    error = []
    for i, state in enumerate(states):
        density, spread = float(state["phi"]), float(state["std"])
        pair = transform[some] @ pooled.coefficients[i]
        total = density * _self_spectrum(spread, x[some]) + density**2 * pair
        variance = pooled_variance(pooled, i, transform[some])
        error.append(density**2 * np.sqrt(variance) / total)
        low, middle = x[some] < 0.5, (x[some] > 0.5) & (x[some] < 4)
        print(
            f"phi = {density:.4f} s = {spread:.4f}: {state['done']} packings, "
            f"chi^2 {fits[i].chi_square:.3f}, {fits[i].freedom:.0f} parameters, "
            f"memory {slow[i]:.2f}, error {error[-1][low].mean():.4f} below x = 0.5, "
            f"{error[-1][middle].mean():.4f} to 4",
            flush=True,
        )
    shape = len(phi), len(std), -1
    terms = pooled.weight @ pooled.coefficients
    pair_u = (terms @ basis(u).T).reshape(shape)
    pair_u[:, :, 0] = 0
    pair_u[0, 0, 0] = -1
    nodes = chebyshev_nodes(*STD_RANGE, SELF_TERMS)
    in_self = chebyshev_fit(STD_RANGE, nodes, SELF_TERMS)
    own_u = in_self @ self_covariance(nodes, u)
    own_u[:, 0] = np.eye(SELF_TERMS)[0]
    np.savez_compressed(
        table,
        self_spectrum=in_self @ self_spectrum(nodes, x),
        self_covariance=own_u,
        pair_spectrum=(terms @ transform.T).reshape(shape),
        pair_covariance=pair_u,
        error=np.interp(x, x[some], np.sqrt(np.mean(np.square(error), axis=0))),
    )


def main() -> None:
    """Simulates what is missing, then writes the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--work", type=Path, default=Path("build/packing"))
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--area", type=float, default=4e6)
    parser.add_argument("--quick", action="store_true", help="a tiny case, in seconds")
    parser.add_argument("--fit-only", action="store_true", help="simulate nothing")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    if args.quick:
        state = simulate(0.3, 0.2, 1e5, 1, args.work / "quick.npz", number=300)
        fitted = fit(state)
        print(f"chi^2 {fitted.chi_square:.3f}, {fitted.freedom:.0f} parameters")
        return
    if not args.fit_only:
        simulate_all(args.work, args.area)
    build(args.work, args.table)


if __name__ == "__main__":
    main()
