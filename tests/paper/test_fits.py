"""Fits run in processes of their own, and each is kept as soon as it is done."""

import importlib.util
import json
import multiprocessing
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from saxinfer.crew import Crew
from saxinfer.inference import FitOptions
from saxinfer.inference.direct import Demand
from saxinfer.inference.effort import Effort, Rounds
from saxinfer.paper.data import Experiment, LabelledCurves, paper_recipe
from saxinfer.paper.fits import (
    FitJob,
    FittedCurve,
    fit_curves,
    predictions_of,
)

# As little work as gives a posterior at all.
LITTLE = Effort(
    scan=10,
    first=2,
    starts=2,
    draws=20,
    rounds=Rounds(1, 12, 400.0),
    more_rounds=Rounds(1, 12, 400.0),
    demand=Demand(most=0),
    walkers=10,
    steps=5,
    enough=5,
)


@pytest.fixture(scope="module")
def curves() -> LabelledCurves:
    path = Path(__file__).parents[1] / "report" / "made_paper.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    made: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    experiment = Experiment(paper_recipe(20, pixels=768, points=16), 3)
    found: LabelledCurves = made.made_curves(experiment)
    return found


@pytest.fixture(scope="module")
def options() -> FitOptions:
    return FitOptions(windows={"mu": (0.625, 1.0)}, absolute=True, effort=LITTLE)


@pytest.fixture(scope="module")
def kept(
    curves: LabelledCurves,
    options: FitOptions,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, tuple[FittedCurve, ...]]:
    """A curve that was fitted, and one for which an impossible prior was asked."""
    folder = tmp_path_factory.mktemp("fits")
    impossible = replace(options, windows={"mu": (5.0, 6.0)})
    asked = ((4, options), (1, impossible))
    jobs = [FitJob.of(curves, row, each, seed=3) for row, each in asked]
    return folder, fit_curves(jobs, folder, Crew(1))


def test_a_fit_is_kept_as_it_was_found(
    kept: tuple[Path, tuple[FittedCurve, ...]],
) -> None:
    folder, found = kept
    assert [fit.row for fit in found] == [4, 1]
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["000001.json", "000004.json"]
    for fit in found:
        assert (
            FittedCurve.from_json((folder / f"{fit.row:06d}.json").read_text()) == fit
        )
    assert multiprocessing.active_children() == []


def test_a_fit_has_the_ten_columns_in_order_within_the_prior(
    curves: LabelledCurves, kept: tuple[Path, tuple[FittedCurve, ...]]
) -> None:
    found = predictions_of(kept[1])
    assert found.value.shape == (1, 10)
    low, high = curves.bounds.T
    ordered = (low - 1e-9, found.least, found.low, found.high, found.most, high + 1e-9)
    for below, above in pairwise(ordered):
        assert (below <= above).all()
    # The spread is at most 0.4 of the mean half-size.
    assert (found.value[:, 1] < found.value[:, 0]).all()


def test_what_is_kept_is_not_fitted_again(
    curves: LabelledCurves, options: FitOptions, tmp_path: Path
) -> None:
    ones = (1.0,) * 10
    only = FittedCurve(4, ones, ones, ones, ones, ones, "good", 1.0, 1.0)
    (tmp_path / "000004.json").write_text(json.dumps(asdict(only)))
    told: list[tuple[int, int]] = []
    job = FitJob.of(curves, 4, options, seed=3)
    found = fit_curves(
        [job], tmp_path, Crew(1), lambda done, of: told.append((done, of))
    )
    assert found == (only,)
    assert told == [(1, 1)]


@pytest.mark.slow
def test_a_fit_is_the_same_in_any_process_order_and_company(
    curves: LabelledCurves,
    options: FitOptions,
    kept: tuple[Path, tuple[FittedCurve, ...]],
    tmp_path: Path,
) -> None:
    told: list[tuple[int, int]] = []
    jobs = [FitJob.of(curves, row, options, seed=3) for row in (2, 0, 4)]
    found = fit_curves(
        jobs, tmp_path, Crew(2), progress=lambda done, of: told.append((done, of))
    )
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert marginals(found[2]) == marginals(kept[1][0])
    assert marginals(found[1]) != marginals(found[2])


def test_a_refused_curve_is_a_result_without_predictions(
    kept: tuple[Path, tuple[FittedCurve, ...]],
) -> None:
    _, found = kept
    assert "5 to 6 1/nm is not a range within the prior" in found[1].refused
    assert not found[0].refused
    assert predictions_of(found).rows.tolist() == [4]


def test_every_row_and_every_seed_has_randomness_of_its_own(
    curves: LabelledCurves, options: FitOptions
) -> None:
    seeds = {
        FitJob.of(curves, row, options, seed).seed
        for row in range(10)
        for seed in range(10)
    }
    assert len(seeds) == 100


def marginals(fit: FittedCurve) -> list[tuple[float, ...]]:
    """All of a fit that does not depend on the clock."""
    return [fit.mean, fit.low, fit.high, fit.least, fit.most, (fit.effective,)]


def test_marginals_are_read_column_by_column() -> None:
    fit = FittedCurve(7, (1.0, 2.0), (0.5, 1.5), (1.5, 2.5), (0.0, 1.0), (3.0, 4.0))
    found = predictions_of([fit, FittedCurve(8, refused="too few points.")])
    assert found.rows.tolist() == [7]
    expected = np.array([[1.0, 2.0], [0.5, 1.5], [1.5, 2.5], [0.0, 1.0], [3.0, 4.0]])
    for part, values in zip(
        (found.value, found.low, found.high, found.least, found.most),
        expected,
        strict=True,
    ):
        assert part[0].tolist() == values.tolist()
    assert found.sd is None


def test_spreads_of_posteriors_are_read_where_all_have_them() -> None:
    ends = ((1.0,),) * 5
    fits = [FittedCurve(row, *ends, sd=(0.2,)) for row in (3, 4)]
    found = predictions_of(fits)
    assert found.sd is not None
    assert found.sd.tolist() == [[0.2], [0.2]]
    kept = FittedCurve.from_json(json.dumps(asdict(fits[0])))
    assert kept == fits[0]
