"""Mirrors src/saxinfer/inference/label_free/curves.py."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.curve import Curve
from saxinfer.inference.label_free.curves import (
    Unlabelled,
    from_curves,
    read_unlabelled,
)
from saxinfer.preprocess.features import BINS, CHANNELS

Made = Callable[..., tuple[Tensor, list[Curve]]]


def written(path: Path, curve: Curve) -> Path:
    assert curve.sigma is not None
    columns = zip(curve.q, curve.intensity, curve.sigma, strict=True)
    rows = "\n".join(" ".join(f"{value:.9e}" for value in row) for row in columns)
    path.write_text(f"# q [1/nm]  I [1/cm]  sigma\n{rows}\n")
    return path


def test_curves_keep_nothing_but_points_and_features(few: Unlabelled) -> None:
    assert few.features.shape == (20, CHANNELS, BINS)
    assert {tuple(each.q.shape) for each in few.points} == {(1, 40)}
    assert few.refused == 0


def test_a_curve_too_short_to_fit_is_left_out_and_counted(made: Made) -> None:
    _, curves = made(3, 1)
    short = Curve(curves[0].q[:5], curves[0].intensity[:5])
    assert from_curves([*curves, short], "made").refused == 1
    with pytest.raises(ValueError, match="None of 1 curves can be learnt from"):
        from_curves([short], "made")


def test_a_tenth_is_held_back_the_same_for_the_same_seed(few: Unlabelled) -> None:
    learnt, held = few.parted(1)
    assert (len(learnt), len(held)) == (18, 2)
    assert few.parted(1)[1].digest == held.digest
    assert few.parted(2)[1].digest != held.digest
    with pytest.raises(ValueError, match="4 curves are needed"):
        few.some([0, 1]).parted(1)


def test_a_chosen_point_of_each_interval_stands_for_all_of_it(made: Made) -> None:
    curves = from_curves(made(2, 1, points=200)[1], "made")
    (alike,) = curves.compared([1, 0], 128, Generator().manual_seed(0))
    assert alike.points.q.shape == (2, 128)
    assert alike.points.number.sum(-1).tolist() == [200, 200]
    assert bool((torch.diff(alike.points.q) > 0).all())
    (whole,) = curves.compared([1, 0], 0, None)
    assert torch.equal(whole.points.q[0], curves.points[1].q[0])


def test_the_mean_over_chosen_points_is_that_of_all(made: Made) -> None:
    curves = from_curves(made(1, 1, points=200)[1], "made")
    generator, total = Generator().manual_seed(0), 0.0
    for _ in range(400):
        (alike,) = curves.compared([0], 20, generator)
        total += float((alike.points.number * alike.points.q).sum()) / 400
    # Intervals of ten points: the mean of 400 draws of twenty is known to 0.2 %.
    assert total == pytest.approx(float(curves.points[0].q.sum()), rel=0.01)


def test_curves_of_different_lengths_are_worked_on_apart(made: Made) -> None:
    curves = from_curves([*made(2, 1)[1], *made(1, 2, points=60)[1]], "made")
    found = list(curves.compared([0, 2, 1], 400, Generator().manual_seed(0)))
    assert [each.rows.tolist() for each in found] == [[0, 2], [1]]


def test_files_and_folders_are_read(made: Made, tmp_path: Path) -> None:
    for index, curve in enumerate(made(4, 1)[1]):
        written(tmp_path / f"{index}.dat", curve)
    (tmp_path / "notes.txt").write_text("nothing measured here\n")
    folder = read_unlabelled([tmp_path])
    files = read_unlabelled(sorted(tmp_path.glob("*.dat")))
    assert len(folder) == len(files) == 4
    assert folder.digest == files.digest
    assert "1 files that are no curves" in folder.source
    with pytest.raises(ValueError, match=r"notes\.txt"):
        read_unlabelled([tmp_path / "notes.txt"])
    with pytest.raises(FileNotFoundError):
        read_unlabelled([tmp_path / "missing.dat"])
