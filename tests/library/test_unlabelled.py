"""Mirrors src/saxinfer/library/unlabelled.py."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from saxinfer.library import LibraryError, Recipe
from saxinfer.library.block import computed
from saxinfer.library.store import Store, open_library
from saxinfer.library.unlabelled import open_unlabelled

pytest.importorskip("zarr")
pytest.importorskip("xarray")


@pytest.fixture
def library(recipe: Recipe, tmp_path: Path) -> Path:
    folder = tmp_path / "a.zarr"
    noisy = replace(recipe, noise="standard")
    with Store.opened(folder, noisy, resume=False, command="made") as store:
        for number in store.missing:
            store.write(computed(noisy, number))
        store.finish()
    return folder


def test_curves_are_those_of_the_library(library: Path) -> None:
    found, whole = open_unlabelled(library), open_library(library)
    assert (found.intensity == whole["intensity"].values).all()
    assert found.sigma is not None
    assert (found.sigma == whole["sigma"].values).all()
    assert (found.q == whole["q"].values).all()
    assert len(open_unlabelled(library, 7).intensity) == 7


def test_nothing_but_three_arrays_is_needed(library: Path) -> None:
    before = open_unlabelled(library)
    for place in library.iterdir():
        if place.is_dir() and place.name not in ("q", "intensity", "sigma"):
            shutil.rmtree(place)
    (library / "zarr.json").write_text("no longer a group")
    after = open_unlabelled(library)
    assert np.array_equal(before.intensity, after.intensity)
    shutil.rmtree(library / "sigma")
    assert open_unlabelled(library).sigma is None


def test_a_library_that_was_stopped_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    folder = tmp_path / "a.zarr"
    with Store.opened(folder, recipe, resume=False, command="made") as store:
        store.write(computed(recipe, 0))
    with pytest.raises(LibraryError, match="not complete"):
        open_unlabelled(folder)


def test_q_in_another_unit_is_refused(library: Path) -> None:
    place = library / "q" / "zarr.json"
    about = json.loads(place.read_text())
    about["attributes"]["units"] = "1/A"
    place.write_text(json.dumps(about))
    with pytest.raises(LibraryError, match="must be in 1/nm"):
        open_unlabelled(library)


def test_a_folder_without_curves_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="holds no array 'q'"):
        open_unlabelled(tmp_path)
