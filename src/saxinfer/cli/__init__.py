"""The command line: ``saxinfer``. One file a command."""

from typing import Annotated

import typer

from saxinfer.cli.fit import fit
from saxinfer.cli.models import models
from saxinfer.cli.plain import PlainGroup
from saxinfer.cli.train import train

__all__ = ["app", "main"]

app = typer.Typer(
    cls=PlainGroup,
    name="saxinfer",
    help="Physical parameters from small-angle scattering, with honest errors.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    invoke_without_command=True,
)
app.command()(fit)
app.command()(models)
app.command()(train)


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.")
    ] = False,
) -> None:
    """Physical parameters from small-angle scattering, with honest errors."""
    from saxinfer import __version__

    if version:
        typer.echo(f"saxinfer {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


def main() -> None:
    """Runs the command line of this process."""
    app()
