"""The command line: ``saxinfer``. One file a command."""

from typing import Annotated

import typer

from saxinfer.cli.calibrate import calibrate
from saxinfer.cli.export import export
from saxinfer.cli.fit import fit
from saxinfer.cli.identify import identify
from saxinfer.cli.models import models
from saxinfer.cli.plain import PlainGroup
from saxinfer.cli.realise import realise
from saxinfer.cli.reproduce import reproduce
from saxinfer.cli.simulate import simulate
from saxinfer.cli.train import train
from saxinfer.crew import keep_memory

__all__ = ["app", "main"]

app = typer.Typer(
    cls=PlainGroup,
    name="saxinfer",
    help="Physical parameters from small-angle scattering, with honest errors.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(calibrate)
app.command()(export)
app.command()(fit)
app.command()(identify)
app.command()(models)
app.command()(realise)
app.command()(reproduce)
app.command()(simulate)
app.command()(train)


def _print_version(wanted: bool) -> bool:
    from saxinfer import __version__

    if wanted:
        typer.echo(f"saxinfer {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version and stop.",
        ),
    ] = False,
) -> None:
    """Physical parameters from small-angle scattering, with honest errors."""


def main() -> None:
    """Runs the command line of this process."""
    keep_memory()
    app()
