"""Intervals are held against the truth of simulated curves, by the path of every fit.

With 200 curves a right 90 % interval covers 0.90 ± 0.06 of them for all but one
parameter in 200 (binomial). The quick versions only find what is badly broken.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "calibration.py"


def benchmark() -> ModuleType:
    """The script whose table the release records, as its own processes find it too."""
    folder = str(SCRIPT.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(SCRIPT.stem)


@pytest.mark.parametrize(
    ("model", "count"), [("sphere", 8), ("core_shell_sphere", 8), ("cellulose", 4)]
)
def test_the_first_size_of_every_model_is_found(model: str, count: int) -> None:
    script = benchmark()
    results = script.judge_many(model, "standard", count, 9000, 1)
    truth = np.array([r.truth[0] for r in results])
    mean = np.array([r.mean[0] for r in results])
    assert len(results) == count
    assert sum(r.outside for r in results) == 0
    # In a curve of a noisy window a size may be lost; in most it is known to percents.
    assert np.median(np.abs(mean / truth - 1)) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("tier", ["standard", "hard"])
@pytest.mark.parametrize("model", ["sphere", "core_shell_sphere", "cellulose"])
def test_ninety_per_cent_intervals_hold_ninety_per_cent(model: str, tier: str) -> None:
    script = benchmark()
    results = script.judge_many(model, tier, 200, 100, 2)
    assert sum(r.outside for r in results) == 0
    inside = script.coverage(results)
    assert np.abs(inside - 0.9).max() <= 0.06
    if model == "cellulose" and tier == "standard":
        assert script.our_r_squared(results)[0] >= 0.95
