"""A study is kept fit by fit, and goes on where it was."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from saxinfer.inference.direct import Demand
from saxinfer.inference.effort import Effort, Rounds
from saxinfer.judging import CalibrationError, JudgedCurve, drawn, prior_of
from saxinfer.judging.study import Study, Trial, begin, calibrate
from saxinfer.judging.subject import Subject

# As little work as gives a posterior at all.
LITTLE = Effort(
    scan=10,
    first=2,
    starts=2,
    draws=60,
    rounds=Rounds(1, 12, 400.0),
    more_rounds=Rounds(1, 12, 400.0),
    demand=Demand(most=0),
    walkers=60,
    steps=5,
    enough=5,
)

SUBJECT = Subject("sphere", "npe+refine", None, "0123456789ab")
STUDY = Study(SUBJECT, curves=20, seed=3, effort=LITTLE)


def keep(folder: Path, rows: range) -> None:
    """Fits on disk as a run leaves them that was stopped."""
    (folder / "fits").mkdir(parents=True, exist_ok=True)
    for row in rows:
        made = JudgedCurve(
            row, 60, 1.5, 0.02, 0.01, (5.0, 1.0), (5.0, 1.0), (0.1, 0.1),
            (5 * row % 100, 7 * row % 100), 3 * row % 100, "good",
        )  # fmt: skip
        (folder / "fits" / f"{row:06d}.json").write_text(made.as_json())


def test_one_fit_of_ours_is_ranked_and_kept(tmp_path: Path) -> None:
    keep(tmp_path, range(19))
    told: list[tuple[int, int]] = []
    found = calibrate(
        STUDY, tmp_path, progress=lambda done, of: told.append((done, of))
    )
    assert told == [(19, 20), (20, 20)]
    last = found.curves[19]
    assert not last.refused
    assert last.truth == tuple(drawn("sphere", "standard", 3, 19).truth.tolist())
    assert len(last.ranks) == len(prior_of("sphere").columns)
    assert last.verdict in ("good", "poor", "out_of_domain")
    assert last.joint is not None
    kept = (tmp_path / "fits" / "000019.json").read_text()
    assert JudgedCurve.from_json(kept) == last


@pytest.mark.slow
def test_a_fit_is_the_same_in_any_process() -> None:
    here, there = Trial(STUDY, 1).judged(), Trial(STUDY, 1).judged()
    assert replace(here, seconds=0) == replace(there, seconds=0)


def test_what_is_kept_is_not_fitted_again(tmp_path: Path) -> None:
    keep(tmp_path, range(20))
    found = calibrate(STUDY, tmp_path)
    assert [curve.row for curve in found.curves] == list(range(20))
    assert found.assessment.count == 20


def test_a_folder_is_taken_once_and_may_go_on_to_more_curves(tmp_path: Path) -> None:
    begin(tmp_path / "out", STUDY, resume=False)
    with pytest.raises(CalibrationError, match="Add --resume"):
        begin(tmp_path / "out", STUDY, resume=False)
    begin(tmp_path / "out", STUDY, resume=True)
    begin(tmp_path / "out", replace(STUDY, curves=40), resume=True)
    held = json.loads((tmp_path / "out" / "experiment.json").read_text())
    assert held == replace(STUDY, curves=40).described()
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["experiment.json"]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (replace(STUDY, curves=20), "curves: it has 30, but 20 is asked for"),
        (replace(STUDY, curves=30, seed=4), "seed: it has 3, but 4"),
        (replace(STUDY, curves=30, tier="hard"), "tier: it has standard, but hard"),
        (
            replace(STUDY, curves=30, subject=replace(SUBJECT, estimator="new")),
            "estimator: it has 0123456789ab, but new",
        ),
    ],
)
def test_a_folder_with_another_calibration_is_refused(
    tmp_path: Path, other: Study, words: str
) -> None:
    begin(tmp_path, replace(STUDY, curves=30), resume=False)
    with pytest.raises(CalibrationError, match=words):
        begin(tmp_path, other, resume=True)


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    for text in ("no json", '["a list"]', '{"schema": "saxinfer/paper/1"}'):
        (tmp_path / "experiment.json").write_text(text)
        with pytest.raises(CalibrationError, match="holds another calibration"):
            begin(tmp_path, STUDY, resume=True)


def test_too_few_curves_are_refused_beforehand_and_afterwards(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="fewer than 20 curves tell nothing"):
        replace(STUDY, curves=19)
    keep(tmp_path, range(20))
    refused = JudgedCurve(0, 9, 0.5, None, 0.0, (1.0, 1.0), refused="too few points.")
    (tmp_path / "fits" / "000000.json").write_text(refused.as_json())
    with pytest.raises(CalibrationError, match="because: too few points"):
        calibrate(STUDY, tmp_path)
