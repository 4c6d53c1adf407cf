"""``saxinfer realise``: draw one structure, look at it, and at its curve."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saxinfer.cli.arguments import AsJson, Debug, Seed, windows
from saxinfer.cli.plain import WrongUseError, command_line

if TYPE_CHECKING:
    from torch import Tensor

    from saxinfer.report.structure_folder import DrawnStructure
    from saxinfer.scattering.grid import Grid
    from saxinfer.structures import Structure

__all__ = ["realise"]

# More pixels than this take minutes and gigabytes.
MOST_PIXELS = 2**28


def realise(
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Where the files go."),
    ],
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-p",
            metavar="NAME=VALUE",
            help="Set a parameter; what is not set is in the middle of its prior.",
        ),
    ] = None,
    pixels: Annotated[
        int | None, typer.Option("--pixels", help="Pixels along the box, even.")
    ] = None,
    pixel: Annotated[
        float | None, typer.Option("--pixel", metavar="NM", help="Edge of a pixel, nm.")
    ] = None,
    shape: Annotated[
        str, typer.Option("--shape", help="Crystals of cellulose: disk or square.")
    ] = "disk",
    seed: Seed = 0,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Draw one structure: pictures, its curve by both engines, what it measures."""
    structure = _structure(model, shape)
    theta = _theta(structure, parameter or [])
    grid = _grid(structure, theta, pixels, pixel)
    from saxinfer.report.structure_folder import structure_document, write_structure

    found = _drawn(structure, theta, grid, seed)
    try:
        files = write_structure(found, output)
    except ImportError as error:
        raise WrongUseError(_sentence(error)) from None
    if as_json:
        document = {**structure_document(found), "files": [str(f) for f in files]}
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))
        return
    _print(found)
    typer.echo("Files: " + ", ".join(str(file) for file in files))


def _structure(model: str, shape: str) -> "Structure":
    from saxinfer.structures import get_structure
    from saxinfer.structures.cellulose import Cellulose

    try:
        structure = get_structure(model)
    except ValueError as error:
        raise WrongUseError(str(error)) from None
    if shape == "disk":
        return structure
    if shape != "square" or not isinstance(structure, Cellulose):
        raise WrongUseError(
            f"--shape is disk, or square for cellulose, but got '{shape}' for {model}."
        )
    return Cellulose(shape="square")


def _theta(structure: "Structure", texts: list[str]) -> "Tensor":
    """Parameters in their units: those given, the others in their prior's middle."""
    import torch

    space = structure.space
    try:
        for name, (low, high) in windows(texts).items():
            if low != high:
                raise WrongUseError(
                    f"-p needs one value for a drawing, but got '{name}={low:g}.."
                    f"{high:g}'. Give {name}=VALUE."
                )
            space = space.narrow(name, low, high)
    except ValueError as error:
        raise WrongUseError(str(error)) from None
    latent = torch.zeros(1, len(space.free), dtype=torch.float64)
    theta = space.theta_from_latent(latent)
    if not bool(space.admits(theta)):
        values = zip(space.names, theta[0].tolist(), strict=True)
        told = ", ".join(f"{name}={value:.4g}" for name, value in values)
        raise WrongUseError(
            f"the prior of {structure.name} does not allow these together: {told}. "
            f"See 'saxinfer models {structure.name}'."
        )
    return theta[0]


def _grid(
    structure: "Structure", theta: "Tensor", pixels: int | None, pixel: float | None
) -> "Grid":
    """The box that was asked for, or one that suits the structure."""
    from saxinfer.scattering.grid import Grid

    try:
        suggested = structure.suggested_grid(theta)
        size = suggested.pixel if pixel is None else pixel
        grid = Grid.covering(suggested.edge, size, suggested.dimension)
        if pixels is not None:
            grid = Grid(pixels, size, suggested.dimension)
        structure.refuse_unfit(theta, grid)
    except ValueError as error:
        raise WrongUseError(_sentence(error)) from None
    if grid.pixels**grid.dimension > MOST_PIXELS:
        raise WrongUseError(
            f"a box of {grid.edge:.4g} nm with pixels of {grid.pixel:.4g} nm has "
            f"{grid.pixels} of them along an edge: more than memory holds. Take "
            "larger pixels with --pixel, or a smaller structure."
        )
    return grid


def _drawn(
    structure: "Structure", theta: "Tensor", grid: "Grid", seed: int
) -> "DrawnStructure":
    """Draws and measures."""
    import numpy as np
    import torch

    from saxinfer.report.structure_folder import DrawnStructure
    from saxinfer.scattering.measured import Measured

    try:
        drawn = structure.realise(theta, grid, np.random.default_rng(seed))
    except (ValueError, ImportError) as error:
        raise WrongUseError(_sentence(error)) from None
    measured = Measured.of(drawn)
    last = structure.valid_to
    closed = measured.rings.mean_of(
        lambda k: structure.intensity(torch.from_numpy(k.clip(max=last)), theta[None])[
            0
        ].numpy()
    )
    closed[measured.rings.q > last] = np.nan
    return DrawnStructure(
        model=structure.name,
        nominal=_columns(structure, theta),
        found=structure.measured(drawn),
        drawn=drawn,
        measured=measured,
        intensity=structure.drawn_intensity(drawn, measured.rings),
        closed=closed,
        seed=seed,
        command=command_line(),
    )


def _columns(structure: "Structure", theta: "Tensor") -> dict[str, tuple[str, float]]:
    """Unit and value of parameters, dependent and derived columns."""
    import torch

    row = theta[None]
    values = torch.cat(
        [row, structure.dependent_values(row), structure.derived_values(row)], 1
    )[0].tolist()
    every = (*structure.space, *structure.dependent, *structure.derived)
    return {p.name: (p.unit, v) for p, v in zip(every, values, strict=True)}


def _print(found: "DrawnStructure") -> None:
    """What was asked for and what came out, side by side."""
    from rich.console import Console
    from rich.table import Table

    from saxinfer.report.wording import number, unit_in_table

    console = Console(highlight=False, markup=False)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in (found.model, "unit", "nominal", "measured"):
        table.add_column(heading)
    for name, (unit, value) in found.nominal.items():
        measured = found.found.get(name)
        shown = "" if measured is None else number(measured)
        table.add_row(name, unit_in_table(unit), number(value), shown)
    for edge in (edge for edge in found.measured.boundaries if edge.density):
        told = f"{number(edge.density)} ± {number(edge.error, 2)}"
        table.add_row(f"boundary {' | '.join(edge.phases)}", "nm⁻¹", "", told)
    console.print(table)
    grid = found.drawn.grid
    console.print(
        f"Box {grid.edge:.4g} nm, pixel {grid.pixel:.4g} nm; the spectrum is right to "
        f"a percent up to {found.measured.trusted:.3g} nm⁻¹."
    )


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:1].upper() + text[1:]
