"""Mirrors library/__init__.py: a library is made, and finished if it was stopped."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from saxinfer import library
from saxinfer.crew import Crew
from saxinfer.library import LibraryError, Recipe, make_library, open_library
from saxinfer.library.block import computed

pytest.importorskip("zarr")

Tree = Callable[[Path], dict[str, bytes]]


class StoppedError(Exception):
    """Whatever may happen while a library is made."""


def test_a_stopped_library_becomes_what_it_would_have_been(
    recipe: Recipe, tmp_path: Path, tree: Tree
) -> None:
    told: list[int] = []

    def stop(done: int, total: int) -> None:
        if done == 250:
            raise StoppedError

    def tell(done: int, total: int) -> None:
        told.append(done)

    whole, stopped = tmp_path / "new" / "whole.zarr", tmp_path / "stopped.zarr"
    # To resume what was never begun is to begin it.
    assert make_library(recipe, whole, Crew(2), resume=True) == 600
    with pytest.raises(StoppedError):
        make_library(recipe, stopped, Crew(1), progress=stop)
    with pytest.raises(LibraryError, match="Add --resume to finish it"):
        make_library(recipe, stopped, Crew(1))
    assert make_library(recipe, stopped, Crew(1), resume=True, progress=tell) == 350
    assert told == [250, 500, 600]
    assert tree(stopped) == tree(whole)
    assert make_library(recipe, stopped, Crew(1), resume=True) == 0
    assert tree(stopped) == tree(whole)


def test_drawn_curves_are_the_same_from_two_processes(
    drawn: Recipe, tmp_path: Path
) -> None:
    make_library(drawn, tmp_path / "a.zarr", Crew(2))
    found = open_library(tmp_path / "a.zarr")
    blocks = [computed(drawn, number) for number in range(2)]
    intensity = np.concatenate([block.intensity for block in blocks])
    sigma = np.concatenate([block.sigma for block in blocks if block.sigma is not None])
    assert found["intensity"].values.tobytes() == intensity.tobytes()
    assert found["sigma"].values.tobytes() == sigma.tobytes()
    assert (intensity > 0).all()
    assert np.isfinite(sigma).all()


def test_a_structure_that_fails_in_between_is_named(
    drawn: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = drawn.narrowed("radius_mean", 4.0, 12.0)
    with pytest.raises(LibraryError, match="cannot be drawn") as refusal:
        make_library(wide, tmp_path / "a.zarr", Crew(1))
    assert list(tmp_path.iterdir()) == []
    # As if the rehearsal had not come so far.
    monkeypatch.setattr(library, "rehearse", lambda recipe: None)
    with pytest.raises(LibraryError, match="0 of 24 curves are kept") as failure:
        make_library(wide, tmp_path / "a.zarr", Crew(1))
    same = str(refusal.value).partition(" Or narrow")[0]
    assert str(failure.value).startswith(same)
    with pytest.raises(LibraryError, match="is not complete"):
        open_library(tmp_path / "a.zarr")
