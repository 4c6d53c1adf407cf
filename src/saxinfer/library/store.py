"""Libraries on disk: zarr folders that xarray opens, and that survive being killed.

The arrays are cut into chunks of one block each, and only whole blocks are written, by
one process. When all chunks of a block are on disk its number goes into a journal; a
block that is not in the journal counts for nothing and is written again. When all are
in, the attribute ``complete`` is set and the journal removed. So what is left after a
kill at any moment differs from the complete library in nothing but blocks that are
yet to be made.

This module is the only one that knows zarr and xarray.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from saxinfer.library.block import Block, has_sigma, q_of
from saxinfer.library.columns import Column, columns_of
from saxinfer.library.error import LibraryError
from saxinfer.library.journal import Journal
from saxinfer.library.recipe import Recipe
from saxinfer.version import VERSION

if TYPE_CHECKING:
    import xarray
    import zarr

__all__ = ["SCHEMA", "Store", "open_library", "refuse_existing"]

SCHEMA = "saxinfer/library/1"

INTENSITY_UNIT = "nm³"
"""Of every closed form: a unit of volume fraction and of contrast squared."""


class Store:
    """A library that is being made.

    Args:
        folder: Where it is.
        recipe: What it is to hold.
        journal: Which blocks it holds already.
    """

    def __init__(self, folder: Path, recipe: Recipe, journal: Journal) -> None:
        self.folder, self.recipe, self._journal = folder, recipe, journal
        self._arrays: dict[str, Any] = {}

    @classmethod
    @contextmanager
    def opened(
        cls, folder: Path, recipe: Recipe, *, resume: bool, command: str
    ) -> Iterator["Store"]:
        """A new library, or with ``resume`` an unfinished one, while it is made.

        Raises:
            LibraryError: If the folder exists (without ``resume``), holds something
                else, or cannot be written.
        """
        if resume and folder.exists():
            _refuse_other(folder, recipe)
        else:
            refuse_existing(folder)
            with _told(f"{folder}: cannot be made"):
                _create(folder, recipe, command)
        with _told(f"{folder}: cannot be written"):
            journal = Journal.opened(folder / "journal")
        with journal:
            # Left by a process that was killed while it wrote.
            for torn in folder.rglob("*.partial"):
                torn.unlink()
            yield cls(folder, recipe, journal)

    @property
    def missing(self) -> list[int]:
        """Numbers of the blocks that are yet to be made."""
        if _attributes(self.folder)["complete"]:
            return []
        done = self._journal.done
        return [number for number in range(self.recipe.blocks) if number not in done]

    @property
    def curves(self) -> int:
        """Number of curves that are kept."""
        missing = self.missing
        return self.recipe.count - sum(self.recipe.held(number) for number in missing)

    def write(self, block: Block) -> None:
        """Stores a block, then marks it as done.

        Raises:
            OSError: If it cannot be written; nothing that was done is touched.
        """
        names = [column.name for column in columns_of(self.recipe)]
        parts = dict(zip(names, block.columns.T, strict=True))
        parts["intensity"] = block.intensity
        if block.sigma is not None:
            parts["sigma"] = block.sigma
        start = block.number * self.recipe.block
        for name, values in parts.items():
            self._array(name)[start : start + len(values)] = values
            place = self.folder / name / "c" / str(block.number)
            _settle(place if values.ndim == 1 else place / "0")
        self._journal.add(block.number)

    def finish(self) -> None:
        """Declares the library complete and tidies up."""
        import zarr

        zarr.open_group(self.folder, mode="r+").attrs["complete"] = True
        _settle(self.folder / "zarr.json")
        self._journal.remove()

    def _array(self, name: str) -> Any:  # noqa: ANN401
        """A variable; it is opened once."""
        if name not in self._arrays:
            self._arrays[name] = _stored(self.folder / name)
        return self._arrays[name]


def refuse_existing(folder: Path) -> None:
    """Raises a LibraryError if there is something in the way."""
    if not os.path.lexists(folder):
        return
    attributes = _attributes(folder)
    if attributes.get("schema") == SCHEMA and not attributes.get("complete"):
        raise LibraryError(
            f"{folder}: holds an unfinished library. Add --resume to finish it, or "
            "name another folder with -o."
        )
    raise LibraryError(
        f"{folder}: exists already, and nothing is ever overwritten. Name another "
        "folder with -o."
    )


def open_library(path: str | Path) -> "xarray.Dataset":
    """Opens a complete library; numbers are read when they are asked for.

    Args:
        path: The folder that ``saxinfer simulate`` made.

    Returns:
        Data set of the dimensions ``curve`` and ``q`` with one variable for each
        parameter, ``intensity`` and, if there are standard errors, ``sigma``; units in
        their attributes, the recipe (JSON) in those of the data set.

    Raises:
        LibraryError: If it is not a library, or not complete.
    """
    xr = _xarray()
    folder = Path(path)
    if not folder.exists():
        raise LibraryError(f"{folder}: there is no such folder.")
    attributes = _attributes(folder)
    if attributes.get("schema") != SCHEMA:
        raise LibraryError(
            f"{folder}: is not a library of curves, which say that they are "
            f"'{SCHEMA}'. Make one with 'saxinfer simulate'."
        )
    if not attributes.get("complete"):
        raise LibraryError(
            f"{folder}: the library is not complete. Finish it with --resume and the "
            f"same options: {attributes.get('command') or 'saxinfer simulate'}"
        )
    found: xarray.Dataset = xr.open_zarr(folder, consolidated=False, chunks=None)
    columns = columns_of(Recipe.from_json(attributes["recipe"]))
    curves = [name for name in ("intensity", "sigma") if name in found]
    ordered: xarray.Dataset = found[[*(column.name for column in columns), *curves]]
    return ordered


def _xarray() -> Any:  # noqa: ANN401
    """The library for labelled arrays, and the one for their files."""
    try:
        import xarray
        import zarr  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "libraries of curves need xarray and zarr. Install them with "
            "pip install 'saxinfer[library]'."
        ) from error
    return xarray


def _attributes(folder: Path) -> dict[str, Any]:
    """Attributes of a zarr group; none where there is no such group."""
    try:
        found = json.loads((folder / "zarr.json").read_text())["attributes"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _refuse_other(folder: Path, recipe: Recipe) -> None:
    """Raises a LibraryError unless the folder holds a library of the recipe."""
    attributes = _attributes(folder)
    if attributes.get("schema") != SCHEMA:
        raise LibraryError(
            f"{folder}: holds no library that could be resumed. Name another folder "
            "with -o."
        )
    difference = recipe.difference(attributes["recipe"])
    if difference:
        raise LibraryError(
            f"{folder}: holds another library ({difference}). Resume it with its own "
            f"options, those of: {attributes['command']}"
        )
    for then, now in (
        (np.array(attributes["fingerprint"]), np.array(_fingerprint(recipe))),
        (_stored(folder / "q")[:], q_of(recipe)),
    ):
        if then.shape != now.shape or not np.allclose(then, now, rtol=1e-6, atol=0):
            raise LibraryError(
                f"{folder}: was begun by another version ({attributes['version']}), "
                "which made other curves of the same options. Make it anew in another "
                "folder."
            )


def _fingerprint(recipe: Recipe) -> list[float]:
    """Closed-form values at fixed points, by which a change of the model is noticed."""
    model = recipe.structure
    theta = model.space.sample(4, torch.Generator().manual_seed(20))
    q = torch.tensor([0.02, 0.2, 1.0, 4.0], dtype=torch.float64)
    found: list[float] = model.intensity(q, theta).flatten().tolist()
    return found


def _create(folder: Path, recipe: Recipe, command: str) -> None:
    """Makes an empty library; it appears at once or not at all."""
    _xarray()
    nascent = folder.with_name(f".{folder.name}.nascent")
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.rmtree(nascent, ignore_errors=True)
        _layout(nascent, recipe, command)
        nascent.rename(folder)
    except OSError:
        shutil.rmtree(nascent, ignore_errors=True)
        raise


def _layout(folder: Path, recipe: Recipe, command: str) -> None:
    """Writes all attributes, and all arrays without their numbers."""
    import zarr

    group = zarr.create_group(
        folder, zarr_format=3, attributes=_provenance(recipe, command)
    )
    q = q_of(recipe)
    about_q = {"units": "1/nm", "long_name": "Scattering vector."}
    _add(group, "q", ("q",), q.shape, q.shape, about_q)[:] = q
    one, chunk = (recipe.count,), (recipe.block,)
    for column in columns_of(recipe):
        _add(group, column.name, ("curve",), one, chunk, _label(recipe, column))
    curves = {"intensity": "Scattered intensity."}
    if has_sigma(recipe):
        curves["sigma"] = "Standard error of the intensity."
    for name, meaning in curves.items():
        label = {"units": INTENSITY_UNIT, "long_name": meaning}
        shapes = (*one, len(q)), (*chunk, len(q))
        _add(group, name, ("curve", "q"), *shapes, label)


def _stored(path: Path) -> Any:  # noqa: ANN401
    """A variable, of which chunks are written whatever is in them."""
    import zarr

    with zarr.config.set({"array.write_empty_chunks": True}):
        return zarr.open_array(path, mode="r+")


def _add(
    group: "zarr.Group",
    name: str,
    dimensions: tuple[str, ...],
    shape: tuple[int, ...],
    chunks: tuple[int, ...],
    attributes: dict[str, Any],
) -> Any:  # noqa: ANN401
    """One variable; what is not written yet reads as NaN."""
    return group.create_array(
        name,
        shape=shape,
        chunks=chunks,
        dtype="f8",
        dimension_names=dimensions,
        attributes=attributes,
        fill_value=np.nan,
    )


def _label(recipe: Recipe, column: Column) -> dict[str, Any]:
    """Unit, meaning, role and range of a column."""
    parameter = column.parameter
    low, high = parameter.low, parameter.high
    if column.role == "parameter":
        low, high = recipe.space.bounds(parameter.name)
    return {
        "units": parameter.unit,
        "long_name": parameter.meaning,
        "role": column.role,
        "low": float(low),
        "high": float(high),
    }


def _provenance(recipe: Recipe, command: str) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "title": f"Simulated curves: {recipe.structure.title}",
        "complete": False,
        "recipe": recipe.as_json(),
        "command": command,
        "version": VERSION,
        "made_with": f"numpy {np.__version__}, torch {torch.__version__}",
        "fingerprint": _fingerprint(recipe),
        "references": list(recipe.structure.references),
    }


def _settle(path: Path) -> None:
    """Waits until a file is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Turns what the disk says into a sentence."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise LibraryError(f"{what}: {reason}. Name another folder with -o.") from None
