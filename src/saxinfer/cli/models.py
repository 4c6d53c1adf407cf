"""``saxinfer models``: what can be fitted."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saxinfer.cli.arguments import AsJson, Debug
from saxinfer.cli.plain import WrongUseError

if TYPE_CHECKING:
    from saxinfer.parameter import Parameter
    from saxinfer.structures import Structure

__all__ = ["models"]


def models(
    name: Annotated[str, typer.Argument(help="One model, in full.")] = "",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """List the models, or one model's parameters, units, priors and references."""
    from saxinfer.structures import MODELS, get_structure

    if name:
        try:
            structure = get_structure(name)
        except ValueError as error:
            raise WrongUseError(str(error)) from None
        if as_json:
            typer.echo(_json(_described(structure)))
        else:
            _print_one(structure)
        return
    if as_json:
        typer.echo(_json([_described(structure) for structure in MODELS.values()]))
        return
    for structure in MODELS.values():
        typer.echo(f"{structure.name:20} {structure.title}")
    typer.echo(f"{'NAME@hardsphere':20} One of spheres, not dilute: sphere@hardsphere")
    typer.echo(f"{'sasmodels:NAME':20} Any form factor of sasmodels, such as cylinder")


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)


def _described(structure: "Structure") -> dict[str, Any]:
    space = structure.space
    return {
        "name": structure.name,
        "title": structure.title,
        "parameters": [_parameter(p, space.bounds(p.name)) for p in space],
        "dependent": [_parameter(p, (p.low, p.high)) for p in structure.dependent],
        "derived": [_parameter(p, (p.low, p.high)) for p in structure.derived],
        "references": list(structure.references),
    }


def _parameter(parameter: "Parameter", bounds: tuple[float, float]) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "unit": parameter.unit,
        "low": bounds[0],
        "high": bounds[1],
        "prior": parameter.prior,
        "relative_to": parameter.base or None,
        "meaning": parameter.meaning,
    }


def _print_one(structure: "Structure") -> None:
    from rich.console import Console
    from rich.table import Table

    from saxinfer.report.wording import number, unit_in_table

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=120)
    console.print(f"{structure.name}: {structure.title}")
    described = _described(structure)
    for block in ("parameters", "dependent", "derived"):
        if not described[block]:
            continue
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in (block, "unit", "range", "prior", "meaning"):
            table.add_column(heading)
        for row in described[block]:
            prior = row["prior"] if block == "parameters" else ""
            if row["relative_to"]:
                prior += f", times {row['relative_to']}"
            span = f"{number(row['low'])} to {number(row['high'])}"
            unit = unit_in_table(row["unit"])
            table.add_row(row["name"], unit, span, prior, row["meaning"])
        console.print(table)
    for reference in structure.references:
        console.print(f"Reference: {reference}")
