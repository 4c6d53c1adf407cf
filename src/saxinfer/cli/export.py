"""``saxinfer export``: a closed form for other programs."""

import json
from pathlib import Path
from typing import Annotated

import typer

from saxinfer.cli.arguments import AsJson, Debug
from saxinfer.cli.plain import WrongUseError

__all__ = ["export"]


def export(
    model: Annotated[str, typer.Argument(help="Model, see 'saxinfer models'.")],
    to: Annotated[str, typer.Option("--to", help="For which program: sasview.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The file; saxinfer_MODEL.py if left out."),
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write a model's closed form as a plug-in for SasView and sasmodels."""
    from saxinfer.report.sasview import plugin
    from saxinfer.structures import get_structure

    if to != "sasview":
        raise WrongUseError(f"no plug-ins for '{to}' are written. Say --to sasview.")
    try:
        get_structure(model)
        text = plugin(model)
    except ValueError as error:
        raise WrongUseError(str(error)) from None
    place = output or Path(f"saxinfer_{model}.py")
    if place.suffix != ".py":
        raise WrongUseError(f"a plug-in is a Python file: name it {place}.py.")
    try:
        place.write_text(text, "utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise WrongUseError(f"{place} cannot be written: {reason}.") from None
    if as_json:
        told = {"schema": "saxinfer/export/1", "model": model, "to": to}
        typer.echo(json.dumps(told | {"file": str(place)}, indent=2))
    else:
        typer.echo(f"Plug-in: {place}")
