r"""Simulates the scattering of cellulose fibrils in real space, without saxinfer.

The cross-section of a fibril is drawn on a grid and Fourier transformed: crystals are
hard disks with log-normal radii, moved by Monte Carlo until they are in equilibrium;
around them a Gaussian random field is clipped into two amorphous phases. The squared
transform is averaged over rings and over several independent boxes. Nothing here knows
the closed form that ``saxinfer`` fits, so that a fit to this curve tests it.

    python examples/simulate_cellulose.py -o demo

writes ``cellulose.dat`` (q [1/nm], intensity, standard error) and ``cellulose.json``
(the true parameters). Needs numpy only; takes a few seconds.
"""

import argparse
import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

K_MAX = math.pi / 0.25
"""Band limit of the random field [1/nm], part of the model."""


@dataclass(frozen=True)
class Truth:
    """The free parameters of the structure, named as in ``saxinfer models cellulose``.

    Lengths are in nm, mu in 1/nm; densities are relative to the crystals'.
    """

    alpha_mean: float = 2.0
    alpha_std: float = 0.4
    pow_exp: float = 2.0
    mu: float = 0.6
    sld_grf1: float = 0.8
    sld_grf2: float = 0.2
    phi_crystal: float = 0.35
    phi_grf1: float = 0.25

    @property
    def level(self) -> float:
        """Where the field is clipped: phase 1 lies above."""
        return -NormalDist().inv_cdf(self.phi_grf1 / (1 - self.phi_crystal))


@dataclass(frozen=True)
class Box:
    """A periodic box and how it is sampled.

    Attributes:
        disks: Number of disks; with the area fraction it sets the edge.
        pixels: Grid points along an edge.
        copies: Independent boxes to average over.
        sweeps: Monte Carlo moves of each disk.
    """

    disks: int = 400
    pixels: int = 1024
    copies: int = 16
    sweeps: int = 150


@dataclass(frozen=True)
class Spectrum:
    """Ring averages of the planar spectrum.

    Attributes:
        q: Mean wavevector of a ring [1/nm].
        section: Planar spectrum S(q) [nm²].
        error: Relative standard error of ``section`` from the number of modes [1].
        edge: Edge of the box [nm].
        k_square: Mean of k² over the field's spectrum [1/nm²].
    """

    q: Array
    section: Array
    error: Array
    edge: float
    k_square: float


def radii_of(truth: Truth, count: int) -> Array:
    """Log-normal radii [nm] at equal steps of probability, largest first.

    The mean and the standard deviation are the nominal ones exactly.
    """
    width = math.sqrt(math.log1p((truth.alpha_std / truth.alpha_mean) ** 2))
    shares = (np.arange(count) + 0.5) / count
    normal = np.array([NormalDist().inv_cdf(share) for share in shares])
    radii = np.exp(width * normal)
    radii = (radii - radii.mean()) / radii.std()
    return np.sort(truth.alpha_mean + truth.alpha_std * radii)[::-1]


class Packing:
    """Hard disks in several periodic boxes that evolve side by side.

    Args:
        radii: Radii of the disks, in units of the edge.
        copies: Number of boxes.
        rng: Source of randomness.
    """

    def __init__(self, radii: Array, copies: int, rng: np.random.Generator) -> None:
        self.rng = rng
        self.radii = radii.astype(np.float32)
        # One row a disk, one column a box.
        self.x = np.zeros((len(radii), copies), np.float32)
        self.y = np.zeros_like(self.x)
        for index in range(len(radii)):
            self._insert(index)

    def sweep(self, reach: float) -> float:
        """Tries to move every disk once; returns the share of moves that succeeded."""
        accepted = 0
        for index in range(len(self.radii)):
            shift = self.rng.uniform(-reach, reach, (2, self.x.shape[1]))
            x = (self.x[index] + shift[0].astype(np.float32)) % 1
            y = (self.y[index] + shift[1].astype(np.float32)) % 1
            free = self._is_free(index, x, y, len(self.radii))
            self.x[index] = np.where(free, x, self.x[index])
            self.y[index] = np.where(free, y, self.y[index])
            accepted += int(free.sum())
        return accepted / self.x.size

    def _insert(self, index: int) -> None:
        """Puts a disk where it overlaps none of the earlier ones, in every box."""
        todo = np.ones(self.x.shape[1], bool)
        while todo.any():
            x, y = self.rng.random((2, len(todo)), np.float32)
            done = todo & self._is_free(index, x, y, index)
            self.x[index] = np.where(done, x, self.x[index])
            self.y[index] = np.where(done, y, self.y[index])
            todo &= ~done

    def _is_free(self, index: int, x: Array, y: Array, count: int) -> Array:
        """Whether a disk put at (x, y) touches none of the first ``count`` others."""
        dx = self.x[:count] - x
        dy = self.y[:count] - y
        dx -= np.rint(dx)
        dy -= np.rint(dy)
        contact = np.square(self.radii[:count] + self.radii[index])
        if index < count:
            contact[index] = -1  # a disk does not touch itself
        clear: Array = (dx * dx + dy * dy >= contact[:, None]).all(0)
        return clear


def wavevectors(edge: float, pixels: int) -> Array:
    """|k| [1/nm] on the half plane that a real transform returns."""
    step = 2 * math.pi / edge
    along = step * np.fft.fftfreq(pixels, 1 / pixels)
    half = step * np.fft.rfftfreq(pixels, 1 / pixels)
    return np.hypot(along[:, None], half)


def random_field(filtered: Array, rng: np.random.Generator, pixels: int) -> Array:
    """A Gaussian field of unit variance whose spectrum is ``filtered`` squared."""
    noise = np.fft.rfft2(rng.standard_normal((pixels, pixels)))
    field: Array = np.fft.irfft2(filtered * noise, (pixels, pixels))
    return field


def covered(x: Array, y: Array, radii: Array, pixels: int) -> Array:
    """Which grid points lie in a disk; lengths in units of the edge."""
    mask = np.zeros((pixels, pixels), bool)
    for cx, cy, radius in zip(x * pixels, y * pixels, radii * pixels, strict=True):
        reach = math.ceil(radius)
        offset = np.arange(-reach, reach + 1)
        column, row = int(cx) + offset, int(cy) + offset
        inside = np.hypot((column - cx)[None, :], (row - cy)[:, None]) <= radius
        mask[np.ix_(row % pixels, column % pixels)] |= inside
    return mask


def simulate(truth: Truth, box: Box, rng: np.random.Generator) -> Spectrum:
    """Draws boxes, transforms them and averages over rings and boxes.

    Args:
        truth: Parameters of the structure.
        box: Size and sampling.
        rng: Source of randomness.

    Raises:
        ValueError: If the box is too small for the field or the grid too coarse.
    """
    radii = radii_of(truth, box.disks)
    edge = math.sqrt(math.pi * float(np.square(radii).sum()) / truth.phi_crystal)
    nyquist = math.pi * box.pixels / edge
    if edge * truth.mu < 60 or nyquist < 2 * K_MAX:
        raise ValueError(
            f"an edge of {edge:.0f} nm needs mu >= {60 / edge:.2f} 1/nm and at least "
            f"{2 * K_MAX * edge / math.pi:.0f} pixels. Change the number of disks."
        )
    packing = Packing(radii / edge, box.copies, rng)
    for _ in range(box.sweeps):
        packing.sweep(0.6 * truth.alpha_mean / edge)
    k = wavevectors(edge, box.pixels)
    filtered = np.where(k <= K_MAX, (k**2 + truth.mu**2) ** (-truth.pow_exp / 2), 0)
    # Columns between the first and the last stand for their mirror images too.
    twice = np.full(k.shape, 2.0)
    twice[:, [0, -1]] = 1.0
    power = twice * filtered**2
    k_square = float((power * k**2).sum() / power.sum())
    filtered = filtered * box.pixels / math.sqrt(power.sum())

    ring = np.rint(k * edge / (2 * math.pi)).astype(int)
    last = int(nyquist / 6 * edge / (2 * math.pi))
    modes = np.bincount(ring.ravel(), twice.ravel())
    total = np.zeros(len(modes))
    for copy in range(box.copies):
        field = random_field(filtered, rng, box.pixels)
        density = np.where(field > truth.level, truth.sld_grf1, truth.sld_grf2)
        place = packing.x[:, copy], packing.y[:, copy]
        density[covered(*place, packing.radii, box.pixels)] = 1.0
        amplitude = np.fft.rfft2(density - density.mean()) * (edge / box.pixels) ** 2
        square = np.abs(amplitude) ** 2 / edge**2
        total += np.bincount(ring.ravel(), (twice * square).ravel())
    mean_q = np.bincount(ring.ravel(), (twice * k).ravel()) / modes
    chosen = slice(2, last + 1)
    return Spectrum(
        q=mean_q[chosen],
        section=(total / modes)[chosen] / box.copies,
        # A mode and its mirror image are one; its square is exponentially distributed.
        error=1 / np.sqrt(modes[chosen] / 2 * box.copies),
        edge=edge,
        k_square=k_square,
    )


def all_parameters(truth: Truth, k_square: float) -> dict[str, float]:
    """The ten parameters: the free ones and the two that follow from them."""
    mean_square = truth.alpha_mean**2 + truth.alpha_std**2
    disks = 2 * truth.alpha_mean * truth.phi_crystal / mean_square
    interface = 0.5 * math.sqrt(k_square / 2) * math.exp(-0.5 * truth.level**2)
    return {
        **asdict(truth),
        "phi_grf2": 1 - truth.phi_crystal - truth.phi_grf1,
        "surface_area": disks + (1 - truth.phi_crystal) * interface,
    }


def measure(
    spectrum: Spectrum, noise: float, background: float, rng: np.random.Generator
) -> Array:
    """Columns q, intensity and standard error of randomly turned, long fibrils.

    Args:
        spectrum: Planar spectrum.
        noise: Relative counting error of a point [1].
        background: Flat background as a share of the intensity at the largest q [1].
        rng: Source of the noise.
    """
    powder = math.pi / spectrum.q * spectrum.section
    intensity = powder + background * powder[-1]
    counting = noise * intensity
    speckle = spectrum.error * powder
    measured = intensity + counting * rng.standard_normal(len(intensity))
    return np.column_stack([spectrum.q, measured, np.hypot(counting, speckle)])


def write(
    folder: Path, columns: Array, truth: dict[str, float], settings: dict[str, Any]
) -> Path:
    """Writes ``cellulose.dat`` and ``cellulose.json``; returns the first."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "cellulose.dat"
    header = "Simulated cellulose fibrils, powder average\n"
    header += "q [1/nm]  I [a.u.]  sigma [a.u.]"
    np.savetxt(data, columns, fmt="%.6e", header=header)
    known = {"parameters": truth, "settings": settings}
    data.with_suffix(".json").write_text(json.dumps(known, indent=2) + "\n")
    return data


def main() -> None:
    """Simulates one curve and writes it."""
    parser = argparse.ArgumentParser(description="Simulate one cellulose curve.")
    parser.add_argument("-o", "--output", type=Path, default=Path("demo"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--noise", type=float, default=0.02, help="relative, a point")
    parser.add_argument("--background", type=float, default=0.1, help="share at q_max")
    parser.add_argument("--copies", type=int, default=16, help="boxes to draw")
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    truth, box = Truth(), replace(Box(), copies=given.copies)
    spectrum = simulate(truth, box, rng)
    columns = measure(spectrum, given.noise, given.background, rng)
    settings = {
        **asdict(box),
        "edge_nm": spectrum.edge,
        "k_max_per_nm": K_MAX,
        "seed": given.seed,
        "noise": given.noise,
        "background": given.background,
    }
    known = all_parameters(truth, spectrum.k_square)
    data = write(given.output, columns, known, settings)
    print(f"Wrote {data} and the true parameters beside it, {data.stem}.json.")


if __name__ == "__main__":
    main()
