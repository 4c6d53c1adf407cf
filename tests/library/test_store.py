"""Libraries on disk: labelled, never overwritten, whole or said not to be."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from saxinfer.library import LibraryError, Recipe
from saxinfer.library.block import computed
from saxinfer.library.columns import columns_of
from saxinfer.library.store import SCHEMA, Store, open_library, refuse_existing

pytest.importorskip("zarr")
pytest.importorskip("xarray")

Tree = Callable[[Path], dict[str, bytes]]


def made(folder: Path, recipe: Recipe, *blocks: int, resume: bool = False) -> None:
    """Writes some blocks; finishes if none are missing."""
    with Store.opened(folder, recipe, resume=resume, command="made") as store:
        for number in blocks:
            store.write(computed(recipe, number))
        if not store.missing:
            store.finish()


def test_a_library_is_labelled(recipe: Recipe, tmp_path: Path) -> None:
    made(tmp_path / "a.zarr", recipe, 0, 1, 2)
    found = open_library(tmp_path / "a.zarr")
    assert dict(found.sizes) == {"curve": 600, "q": 30}
    names = [column.name for column in columns_of(recipe)]
    assert list(found.data_vars) == [*names, "intensity"]
    assert all(found[name].attrs["units"] for name in found.variables)
    assert all(found[name].attrs["long_name"] for name in found.variables)
    assert found["radius_mean"].attrs["units"] == "nm"
    assert found["radius_mean"].attrs["role"] == "parameter"
    assert (found["radius_mean"].attrs["low"], found["q"].attrs["units"]) == (
        0.5,
        "1/nm",
    )
    assert found.attrs["schema"] == SCHEMA
    assert found.attrs["command"] == "made"
    assert Recipe.from_json(found.attrs["recipe"]) == recipe
    assert "journal" not in [path.name for path in (tmp_path / "a.zarr").iterdir()]


def test_numbers_come_back_as_they_went_in(recipe: Recipe, tmp_path: Path) -> None:
    loud = replace(recipe, noise="hard")
    made(tmp_path / "a.zarr", loud, 2, 0, 1)
    found = open_library(tmp_path / "a.zarr")
    assert (found["q"].values == np.array(recipe.q)).all()
    for number in range(3):
        block, rows = computed(loud, number), slice(250 * number, 250 * number + 250)
        assert block.sigma is not None
        assert (found["intensity"].values[rows] == block.intensity).all()
        assert (found["sigma"].values[rows] == block.sigma).all()
        stored = np.stack([found[c.name].values for c in columns_of(loud)], 1)[rows]
        assert (stored == block.columns).all()


def test_a_column_of_zeros_is_stored_as_well(recipe: Recipe, tmp_path: Path) -> None:
    matched = Recipe(
        "core_shell_sphere", 5, windows=(("core_shell_angle", 0, 0),), q=recipe.q
    )
    made(tmp_path / "a.zarr", matched, 0)
    assert (tmp_path / "a.zarr" / "core_shell_angle" / "c" / "0").exists()
    assert (open_library(tmp_path / "a.zarr")["core_shell_angle"].values == 0).all()


def test_what_is_missing_is_known_after_any_stop(
    recipe: Recipe, tmp_path: Path, tree: Tree
) -> None:
    made(tmp_path / "whole.zarr", recipe, 0, 1, 2)
    folder = tmp_path / "a.zarr"
    made(folder, recipe, 1)
    with Store.opened(folder, recipe, resume=True, command="") as store:
        assert store.missing == [0, 2]
        assert store.curves == 250
    # Torn off while a chunk was written, after it and before the journal knew.
    (folder / "intensity" / "c" / "2" / "0.1234.partial").parent.mkdir()
    (folder / "intensity" / "c" / "2" / "0.1234.partial").write_bytes(b"half")
    (folder / "radius_mean" / "c" / "0").write_bytes(b"rubbish")
    made(folder, recipe, 2, 0, resume=True)
    assert tree(folder) == tree(tmp_path / "whole.zarr")
    with Store.opened(folder, recipe, resume=True, command="") as store:
        assert store.missing == []


def test_an_unfinished_library_is_not_opened(recipe: Recipe, tmp_path: Path) -> None:
    made(tmp_path / "a.zarr", recipe, 0, 2)
    with pytest.raises(LibraryError, match="Finish it with --resume"):
        open_library(tmp_path / "a.zarr")


def test_what_is_no_library_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="no such folder"):
        open_library(tmp_path / "a.zarr")
    (tmp_path / "a.zarr").mkdir()
    for content in (None, "{", "[]", '{"attributes": {"schema": "other"}}'):
        if content is not None:
            (tmp_path / "a.zarr" / "zarr.json").write_text(content)
        with pytest.raises(LibraryError, match="is not a library of curves"):
            open_library(tmp_path / "a.zarr")


def test_nothing_is_overwritten(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    made(tmp_path / "whole.zarr", recipe, 0, 1, 2)
    made(tmp_path / "half.zarr", recipe, 0)
    for name in ("file", "folder", "whole.zarr"):
        with pytest.raises(LibraryError, match="exists already, and nothing is ever"):
            refuse_existing(tmp_path / name)
    with pytest.raises(LibraryError, match="holds an unfinished library"):
        refuse_existing(tmp_path / "half.zarr")
    refuse_existing(tmp_path / "new.zarr")


def test_only_the_same_recipe_is_resumed(recipe: Recipe, tmp_path: Path) -> None:
    folder = tmp_path / "a.zarr"
    made(folder, recipe, 0)
    with pytest.raises(LibraryError, match="seed: it has 3, but 4 is"):
        made(folder, replace(recipe, seed=4), 1, resume=True)
    (tmp_path / "b").mkdir()
    with pytest.raises(LibraryError, match="holds no library that could be resumed"):
        made(tmp_path / "b", recipe, 1, resume=True)


def test_a_model_that_changed_meanwhile_is_noticed(
    recipe: Recipe, tmp_path: Path
) -> None:
    folder = tmp_path / "a.zarr"
    made(folder, recipe, 0)
    content = json.loads((folder / "zarr.json").read_text())
    content["attributes"]["fingerprint"][3] *= 1.001
    (folder / "zarr.json").write_text(json.dumps(content))
    with pytest.raises(LibraryError, match="was begun by another version"):
        made(folder, recipe, 1, resume=True)


def test_a_place_that_cannot_be_written_is_said(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LibraryError, match=r"cannot be made: .* Name another folder"):
        made(tmp_path / "file" / "a.zarr", recipe, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_that_may_not_grow_loses_nothing(
    recipe: Recipe, tmp_path: Path, tree: Tree
) -> None:
    pytest.importorskip("resource")
    made(tmp_path / "whole.zarr", recipe, 0, 1, 2)
    made(tmp_path / "a.zarr", recipe, 1)
    # The system refuses files above a size as it refuses a full disk's.
    program = f"""
        import resource, signal, sys
        from pathlib import Path
        from saxinfer.library import Recipe
        from saxinfer.library.block import computed
        from saxinfer.library.store import Store
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        recipe = Recipe.from_json({recipe.as_json()!r})
        block, folder = computed(recipe, 0), Path({str(tmp_path / "a.zarr")!r})
        with Store.opened(folder, recipe, resume=True, command="") as store:
            resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
            try:
                store.write(block)
            except OSError as error:
                sys.exit(f"refused: {{error.strerror}}, missing {{store.missing}}")
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "refused: File too large, missing [0, 2]"
    assert not list((tmp_path / "a.zarr").rglob("*.partial"))
    made(tmp_path / "a.zarr", recipe, 0, 2, resume=True)
    assert tree(tmp_path / "a.zarr") == tree(tmp_path / "whole.zarr")
