"""Are the intervals what they say? Fits simulated curves with known parameters.

    python benchmarks/calibration.py MODEL TIER [--curves 200] [--seed 100] [--baseline]
                                     [--record]

draws curves from the priors and a tier of standard instruments, none of them seen in
training, fits each one by the same path as a measured file, and prints a table:
coverage of the 90 % intervals, R² of the posterior mean, samples out of bounds,
verdicts and their reasons, time and effective samples. With --baseline it trains the
paper's boosted trees (100 rounds, depth 5, learning rate 0.1, seed 42) on 10,000
curves of the same tier, given the same features, and prints their R² beside ours. With
--record the coverage goes into the card of the shipped estimator.

The figures of the release are in benchmarks/RESULTS.md.
"""

import argparse
import json
import math
import re
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

import numpy as np
import torch

from saxinfer.curve import Curve
from saxinfer.inference import run
from saxinfer.inference.card import ESTIMATORS
from saxinfer.instrument.tiers import POINTS, Tier, draw_setting, measure
from saxinfer.preprocess.features import features
from saxinfer.structures import get_structure

BASELINE_CURVES = 10_000


@dataclass
class Result:
    """What one fit said, beside the truth."""

    truth: np.ndarray
    mean: np.ndarray
    rank: np.ndarray
    outside: int
    verdict: str
    reasons: tuple[str, ...]
    effective: float
    efficiency: float
    seconds: float
    p_value: float
    refused: str = ""
    columns: tuple[str, ...] = field(default=())


def draw_curve(model: str, tier: Tier, seed: int) -> tuple[torch.Tensor, Curve]:
    """A curve that nobody has seen, with the parameters it was made from."""
    generator = torch.Generator().manual_seed(seed)
    structure = get_structure(model)
    theta = structure.space.sample(1, generator)
    fewest, most = POINTS[tier]
    share = float(torch.rand(1, generator=generator))
    points = round(fewest * (most / fewest) ** share)
    setting = draw_setting(tier, 1, points, generator)
    structure_curve = structure.intensity(setting.q, theta).clamp(min=1e-300)
    measured = measure(structure_curve, setting, generator)
    curve = Curve(
        q=measured.q[0],
        intensity=measured.intensity[0],
        sigma=measured.sigma[0],
        name=f"{model} {tier} {seed}",
    )
    truth = torch.cat([theta, structure.dependent_values(theta)], 1)[0]
    return truth, curve


def judge_one(job: tuple[str, Tier, int]) -> Result | None:
    """Fits one curve and ranks the truth in its posterior; None if it was refused."""
    model, tier, seed = job
    torch.set_num_threads(1)
    truth, curve = draw_curve(model, tier, seed)
    start = time.perf_counter()
    try:
        fit = run(curve, model, seed=seed)
    except ValueError:
        return None
    seconds = time.perf_counter() - start
    posterior = fit.posterior
    columns = posterior.of_kind("parameter")
    values = torch.stack([posterior.column(c.name) for c in columns], 1)
    rank = (posterior.weights[:, None] * (values < truth)).sum(0)
    low = torch.tensor([c.prior_low for c in columns], dtype=values.dtype)
    high = torch.tensor([c.prior_high for c in columns], dtype=values.dtype)
    slack = 1e-9 * (high - low)
    outside = int(((values < low - slack) | (values > high + slack)).sum())
    return Result(
        truth=truth.numpy(),
        mean=(posterior.weights[:, None] * values).sum(0).numpy(),
        rank=rank.numpy(),
        outside=outside,
        verdict=fit.quality.verdict,
        reasons=tuple(re.sub(r"\d[\d.e+-]*", "#", r) for r in fit.quality.reasons),
        effective=fit.quality.effective_samples,
        efficiency=fit.quality.sampling_efficiency,
        seconds=seconds,
        p_value=fit.quality.p_value or math.nan,
        columns=tuple(c.name for c in columns),
    )


def judge_many(
    model: str, tier: Tier, curves: int, seed: int, workers: int
) -> list[Result]:
    """Fits many curves in processes of one thread each."""
    jobs = [(model, tier, seed + index) for index in range(curves)]
    if workers == 1:
        return [result for job in jobs if (result := judge_one(job)) is not None]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        results = list(pool.map(judge_one, jobs, chunksize=4))
    return [result for result in results if result is not None]


def coverage(results: list[Result], level: float = 0.9) -> np.ndarray:
    """Share of truths inside of their central intervals, one for each column."""
    rank = np.stack([r.rank for r in results])
    edge = (1 - level) / 2
    inside: np.ndarray = ((rank >= edge) & (rank <= 1 - edge)).mean(0)
    return inside


def r_squared(truth: np.ndarray, guess: np.ndarray) -> np.ndarray:
    """Coefficient of determination of each column."""
    misfit = ((truth - guess) ** 2).sum(0)
    score: np.ndarray = 1 - misfit / ((truth - truth.mean(0)) ** 2).sum(0)
    return score


def our_r_squared(results: list[Result]) -> np.ndarray:
    """R² of the posterior means."""
    truth = np.stack([r.truth for r in results])
    return r_squared(truth, np.stack([r.mean for r in results]))


def baseline_r_squared(model: str, tier: Tier, seed: int, curves: int) -> np.ndarray:
    """R² of boosted trees on the same test curves, trained on 10,000 others."""
    from xgboost import XGBRegressor

    def table(first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        rows, truths = [], []
        for index in range(first, first + count):
            truth, curve = draw_curve(model, tier, index)
            assert curve.sigma is not None
            seen = features(curve.q[None], curve.intensity[None], curve.sigma[None])
            rows.append(seen[0].flatten().numpy())
            truths.append(truth.numpy())
        return np.stack(rows), np.stack(truths)

    train_x, train_y = table(10_000_000, BASELINE_CURVES)
    test_x, test_y = table(seed, curves)
    guesses = []
    for column in range(train_y.shape[1]):
        trees = XGBRegressor(
            objective="reg:squarederror",
            n_estimators=100,
            learning_rate=0.1,
            max_depth=5,
            random_state=42,
            tree_method="hist",
        )
        trees.fit(train_x, train_y[:, column])
        guesses.append(trees.predict(test_x))
    return r_squared(test_y, np.stack(guesses, 1))


def record(
    model: str,
    tier: Tier,
    seed: int,
    inside: dict[str, float],
    results: list[Result],
) -> None:
    """Writes the coverage into the card of the shipped estimator."""
    place = ESTIMATORS / model / "card.json"
    card = json.loads(place.read_text())
    card.setdefault("calibration", {})[tier] = {
        "curves": len(results),
        "first_seed": seed,
        "coverage_of_90_percent": {k: round(float(v), 3) for k, v in inside.items()},
        "samples_out_of_bounds": sum(r.outside for r in results),
    }
    place.write_text(json.dumps(card, indent=1) + "\n")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("tier", choices=("standard", "hard"))
    parser.add_argument("--curves", type=int, default=200)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--baseline", action="store_true")
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    results = judge_many(
        asked.model, asked.tier, asked.curves, asked.seed, asked.workers
    )
    columns = results[0].columns
    ours, inside = our_r_squared(results), coverage(results)
    theirs = (
        baseline_r_squared(asked.model, asked.tier, asked.seed, asked.curves)
        if asked.baseline
        else None
    )
    if asked.record:
        record(
            asked.model,
            asked.tier,
            asked.seed,
            dict(zip(columns, inside, strict=True)),
            results,
        )
    print(f"{asked.model}, {asked.tier} tier, {len(results)} of {asked.curves} curves")
    print("| column | coverage of 90 % | R² | R² boosted trees |\n|---|---|---|---|")
    for index, name in enumerate(columns):
        tree = "" if theirs is None else f"{theirs[index]:.3f}"
        print(f"| {name} | {inside[index]:.3f} | {ours[index]:.3f} | {tree} |")
    effective = np.array([r.effective for r in results])
    efficiency = np.array([r.efficiency for r in results])
    seconds = np.array([r.seconds for r in results])
    print(f"\nsamples out of bounds: {sum(r.outside for r in results)}")
    print(f"verdicts: {dict(Counter(r.verdict for r in results))}")
    for reason, count in Counter(x for r in results for x in r.reasons).items():
        print(f"reason in {count / len(results):.3f}: {reason}")
    print(f"p < 0.01: {np.mean([r.p_value < 0.01 for r in results]):.3f}")
    print(
        f"effective samples: median {np.median(effective):.0f}, below 100 in "
        f"{np.mean(effective < 100):.3f}"
    )
    print(f"efficiency: median {np.median(efficiency):.2f}")
    print(
        f"seconds a fit on one thread: median {np.median(seconds):.2f}, "
        f"95 % {np.quantile(seconds, 0.95):.2f}"
    )


if __name__ == "__main__":
    main()
