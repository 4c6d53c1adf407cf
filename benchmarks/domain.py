"""Does the domain check cry wolf, and does it see what it is for?

    python benchmarks/domain.py MODEL TIER [--kinds none,step,...] [--curves 200]
                                [--first 7000] [--workers 2] [--out FILE.jsonl]

draws curves from the priors and a tier of standard instruments, none of them seen in
training, breaks them, and fits each one by the same path as a measured file:

- ``none``: nothing is broken; the tier's own number of points. Alarms are false ones.
- ``step``: the intensity beyond some q is higher or lower.
- ``background``: one that rises or falls with q, or a hump, is added.
- ``foreign``: randomly oriented cylinders or ellipsoids of revolution are added.
- ``sigma_doubled``, ``sigma_halved``: the stated errors are twice or half of the real.

All but the first have 500 points. A misfit is scaled to an effect of 6 standard
deviations, a foreign structure of 11: the distance of the broken curve, over the real
errors, to the nearest one of the model, which least squares find from the truth
(benchmarks/profiled.py). Shapes of which nine tenths are followed, or that would have
to be as large as the curve, are drawn anew; their number is printed. Parameters far
from the truth may follow more: from draws of the fit the distance is searched for as
well, and rates are printed for curves where nine tenths of the effect stay.

One line a fit is written to FILE; a run that was stopped goes on from there. The
thresholds are those of ``saxinfer.inference.verdict``; none was chosen on seeds from
7000 on.
"""

import argparse
import json
import math
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from misfits import SHAPES
from profiled import Model
from saxinfer.crew.processes import in_processes
from saxinfer.curve import Curve
from saxinfer.inference import run
from saxinfer.inference.verdict import (
    LARGEST_SIGMA_FACTOR,
    MISFIT_P,
    SMALLEST_P,
    STRANGE_P,
)
from saxinfer.instrument.tiers import POINTS, Tier, draw_setting, measure
from saxinfer.posterior import Posterior
from saxinfer.structures import get_structure

KINDS = ("none", "step", "background", "foreign", "sigma_doubled", "sigma_halved")
EFFECT = {"step": 6.0, "background": 6.0, "foreign": 11.0}
BROKEN_POINTS = 500

# Share that must be left of a misfit's square, its largest size over the curve, tries.
LEFT, LARGEST, TRIES = 0.1, 1.0, 200

# Draws of a fit from which it is measured what is left, and the share of the effect
# from which on that counts as the effect that was asked for.
DRAWS, REACHED = 8, 0.9


@dataclass(frozen=True)
class Job:
    """One curve to break and to fit."""

    model: str
    tier: Tier
    kind: str
    seed: int

    @property
    def key(self) -> str:
        """What tells it from others."""
        return f"{self.model} {self.tier} {self.kind} {self.seed}"


@dataclass
class Mock:
    """A curve over its mean, and what is behind it.

    Attributes:
        model: All curves of the model, on the same points.
        theta: Parameters.
        truth: The curve without noise.
        intensity: The curve.
        sigma: Its stated errors.
    """

    model: Model
    theta: Tensor
    truth: Tensor
    intensity: Tensor
    sigma: Tensor

    @property
    def q(self) -> Tensor:
        """Scattering vector [1/nm]."""
        return self.model.q


def draw(job: Job, generator: Generator) -> Mock:
    """A curve as the tier's instruments measure it."""
    structure = get_structure(job.model)
    fewest, most = POINTS[job.tier]
    share = float(torch.rand(1, generator=generator))
    points = round(fewest * (most / fewest) ** share)
    if job.kind != "none":
        points = BROKEN_POINTS
    coordinates = torch.randn(
        1, len(structure.space), generator=generator, dtype=torch.float64
    ).clamp(-4.5, 4.5)
    theta = structure.space.theta_from_latent(structure.latent(coordinates))
    setting = draw_setting(job.tier, 1, points, generator)
    curve = structure.intensity(setting.q, theta).clamp(min=1e-300)
    made = measure(curve, setting, generator)
    q, truth = made.q[0], made.truth[0]
    factor, model_error = setting.nuisance[0, 4:6]
    real = factor * made.sigma[0]
    error = (real.square() + (model_error * truth).square()).sqrt()
    return Mock(
        model=Model(structure, q, error),
        theta=theta[0],
        truth=truth,
        intensity=made.intensity[0],
        sigma=made.sigma[0],
    )


def scaled(mock: Mock, kind: str, shape: Tensor) -> Tensor | None:
    """A shape as large as its effect is to be, or None if it cannot be."""
    effect, model = EFFECT[kind], mock.model
    most = min(
        LARGEST / float((shape / mock.truth).abs().max()),
        effect / math.sqrt(LEFT) / float((shape / model.error).norm()),
    )
    factor = model.amplitude(mock.truth, mock.theta, shape, effect, most)
    return factor * shape if math.isfinite(factor) else None


def broken(job: Job) -> tuple[Curve, Mock, dict[str, Any]]:
    """The curve of a job, what is behind it, and what was done to it."""
    generator = Generator().manual_seed(job.seed)
    mock = draw(job, generator)
    done: dict[str, Any] = {
        "points": len(mock.q),
        "known_sigma": float((mock.sigma / mock.model.error).square().mean()),
    }
    intensity, sigma = mock.intensity, mock.sigma
    if job.kind == "sigma_doubled":
        sigma = 2 * sigma
    if job.kind == "sigma_halved":
        sigma = sigma / 2
    if job.kind in SHAPES:
        for tried in range(TRIES):
            shape = SHAPES[job.kind](mock.q, mock.truth, generator)
            added = scaled(mock, job.kind, shape)
            if added is not None:
                size = float((added / mock.truth).abs().max())
                intensity = intensity + added
                mock.truth = mock.truth + added
                done |= {"size": size, "drawn_anew": tried}
                break
        else:
            done["drawn_anew"] = TRIES
    name = f"{job.model} {job.tier} {job.kind} {job.seed}"
    return Curve(mock.q, intensity, sigma, name=name), mock, done


def judged(job: Job) -> dict[str, Any]:
    """Fits the curve of a job; what the domain check says of it."""
    torch.set_num_threads(1)
    curve, mock, done = broken(job)
    found = {"key": job.key, "kind": job.kind, **done}
    if job.kind in SHAPES and "size" not in done:
        return found | {"refused": "no shape of this size was found"}
    start = time.perf_counter()
    try:
        fit = run(curve, job.model, seed=job.seed)
    except ValueError as error:
        return found | {"refused": str(error)}
    if job.kind in SHAPES:
        found["left"] = _left(mock, fit.posterior, job.seed)
    factor = fit.posterior.summary("sigma_factor")
    return found | {
        "seconds": time.perf_counter() - start,
        "verdict": fit.quality.verdict,
        "reasons": list(fit.quality.reasons),
        "misfit_p": fit.quality.misfit_p,
        "domain_p": fit.quality.domain_p,
        "p_value": fit.quality.p_value,
        "effective": fit.quality.effective_samples,
        "sigma_factor": [factor.q05, factor.median, factor.q95],
        "model_error": fit.posterior.summary("model_error").median,
    }


def _left(mock: Mock, posterior: Posterior, seed: int) -> float:
    """Distance of the broken curve to the model, from the truth and the fit's draws."""
    columns = [posterior.column(name) for name in mock.model.structure.space.names]
    generator = Generator().manual_seed(seed)
    rows = torch.multinomial(posterior.weights, DRAWS, generator=generator)
    starts = torch.cat([torch.stack(columns, 1)[rows], mock.theta[None]])
    return mock.model.distance(mock.truth, starts)


def measured(path: Path, jobs: list[Job], workers: int) -> list[dict[str, Any]]:
    """Does the jobs that are not in the file yet, and reads all that were asked for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text().splitlines() if path.exists() else []
    rows = {row["key"]: row for line in before if (row := _row(line)) is not None}
    left = [job for job in jobs if job.key not in rows]
    start = time.perf_counter()
    with path.open("a") as file, closing(in_processes(judged, left, workers)) as done:
        if before and not path.read_text().endswith("\n"):
            file.write("\n")
        for count, row in enumerate(done, 1):
            rows[row["key"]] = row
            file.write(json.dumps(row) + "\n")
            file.flush()
            rate = count / (time.perf_counter() - start)
            rest = (len(left) - count) / rate / 60
            print(
                f"\r{count} of {len(left)}, {60 * rate:.1f} a minute, {rest:.0f} min "
                "left ",
                end="",
                file=sys.stderr,
            )
    print(file=sys.stderr)
    return [rows[job.key] for job in jobs if job.key in rows]


def _row(line: str) -> dict[str, Any] | None:
    """One fit, or None where a run was stopped amid a line."""
    try:
        row: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError:
        return None
    return row


def rate(hits: list[bool]) -> str:
    """A share with its binomial standard error, in per cent."""
    if not hits:
        return "–"
    count = len(hits)
    share = sum(hits) / count
    # Wilson's, so that a share of none or all has an error too.
    error = math.sqrt(share * (1 - share) / count + 1 / (4 * count**2))
    return f"{100 * share:.1f} ± {100 * error / (1 + 1 / count):.1f}"


def _alarms(row: dict[str, Any]) -> dict[str, bool]:
    """Which parts of the check raised an alarm."""
    parts = {
        "features": (row["domain_p"], STRANGE_P),
        "shapes": (row["misfit_p"], MISFIT_P),
        "predictive": (row["p_value"], SMALLEST_P),
    }
    found = {name: p is not None and p < least for name, (p, least) in parts.items()}
    return found | {"together": any(found.values())}


def _stated(row: dict[str, Any]) -> str:
    """What is said of the stated errors."""
    low, factor, high = row["sigma_factor"]
    far = not 1 / LARGEST_SIGMA_FACTOR <= factor <= LARGEST_SIGMA_FACTOR
    if not far or low <= 1 <= high:
        return ""
    return "understated" if factor > 1 else "overstated"


def print_table(rows: list[dict[str, Any]], kinds: list[str]) -> None:
    """Rates of alarms of each kind of curve, in per cent."""
    names = ("features", "shapes", "predictive", "together")
    print(f"| curves | fitted | {' | '.join(names)} | not good | errors called wrong |")
    print("|" + "---|" * (len(names) + 4))
    for kind in kinds:
        done = [r for r in rows if r["kind"] == kind and "refused" not in r]
        alarms = [_alarms(row) for row in done]
        cells = [rate([alarm[name] for alarm in alarms]) for name in names]
        cells.append(rate([row["verdict"] != "good" for row in done]))
        wanted = {"sigma_doubled": "overstated", "sigma_halved": "understated"}
        if kind in wanted:
            cells.append(rate([_stated(row) == wanted[kind] for row in done]))
        else:
            cells.append(rate([bool(_stated(row)) for row in done]))
        print(f"| {kind} | {len(done)} | {' | '.join(cells)} |")
    for kind in kinds:
        _print_left(
            kind, [row for row in rows if row["kind"] == kind and "left" in row]
        )
    for kind in ("sigma_doubled", "sigma_halved"):
        done = [r for r in rows if r["kind"] == kind and "refused" not in r]
        if done:
            _print_known(kind, done)
    refused = Counter(row["refused"] for row in rows if "refused" in row)
    for why, count in refused.items():
        print(f"refused, {count}: {why}")
    anew = {
        k: sum(r.get("drawn_anew", 0) for r in rows if r["kind"] == k) for k in kinds
    }
    print(f"shapes drawn anew: { {k: n for k, n in anew.items() if n} }")


def _print_left(kind: str, done: list[dict[str, Any]]) -> None:
    """Alarms where no parameters of the fit follow the misfit, and where some do."""
    for name, reached in (("stays", True), ("is less, at other parameters,", False)):
        part = [r for r in done if (r["left"] >= REACHED * EFFECT[kind]) is reached]
        if part:
            hits = [row["verdict"] != "good" for row in part]
            print(f"{kind}, effect {name} after the fit ({len(part)}): {rate(hits)}")


def _print_known(kind: str, done: list[dict[str, Any]]) -> None:
    """Errors called wrong, by how much of the variance of a point they make up."""
    said = {"sigma_doubled": "overstated", "sigma_halved": "understated"}[kind]
    for low, high in ((0.0, 0.1), (0.1, 0.3), (0.3, 1.01)):
        part = [row for row in done if low <= row["known_sigma"] < high]
        hits = [_stated(row) == said for row in part]
        print(
            f"{kind}, counting being {low:g} to {min(high, 1):g} of the variance "
            f"({len(part)} curves): {rate(hits)}"
        )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("tier", choices=("standard", "hard"))
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--curves", type=int, default=200)
    parser.add_argument("--first", type=int, default=7000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    kinds = asked.kinds.split(",")
    if unknown := set(kinds) - set(KINDS):
        parser.error(f"unknown kinds: {', '.join(unknown)}; known: {', '.join(KINDS)}")
    seeds = range(asked.first, asked.first + asked.curves)
    jobs = [
        Job(asked.model, asked.tier, kind, seed) for kind in kinds for seed in seeds
    ]
    path = asked.out or Path("runs") / f"domain-{asked.model}-{asked.tier}.jsonl"
    rows = measured(path, jobs, asked.workers)
    print(
        f"{asked.model}, {asked.tier} tier, seeds {seeds[0]} to {seeds[-1]}, per cent"
    )
    print_table(rows, kinds)
    seconds = [row["seconds"] for row in rows if "seconds" in row]
    print(f"seconds a fit: median {np.median(seconds):.1f}")


if __name__ == "__main__":
    main()
