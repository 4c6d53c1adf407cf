"""The outermost handler: every error becomes one plain sentence and an exit code.

0    done
1    a defect of this program
2    wrong use, or output that cannot be written
3    an input could not be read; others were processed
130  stopped with Ctrl-C
"""

import shlex
import sys
import traceback
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, Final

import typer
from typer.core import TyperGroup

__all__ = [
    "DEFECT",
    "STOPPED",
    "UNREADABLE",
    "WRONG_USE",
    "PlainGroup",
    "WrongUseError",
    "command_line",
]

DEFECT: Final = 1
WRONG_USE: Final = 2
UNREADABLE: Final = 3
STOPPED: Final = 130


_ARGUMENTS: ContextVar[tuple[str, ...]] = ContextVar("arguments", default=())


def command_line() -> str:
    """The command line that is being run, as it can be pasted into a shell."""
    return shlex.join(["saxinfer", *_ARGUMENTS.get()])


class WrongUseError(Exception):
    """What was asked for cannot be done; the text is the sentence to print."""


class PlainGroup(TyperGroup):
    """A group of commands whose errors are sentences, not boxes or tracebacks."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Runs one command line; ends the process unless called by a program."""
        arguments = list(sys.argv[1:] if args is None else args)
        _ARGUMENTS.set(tuple(arguments))
        run = super().main

        def command() -> object:
            return run(
                # Called with nothing, it says what it can do.
                arguments or ["--help"],
                prog_name,
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )

        code = _exit_code(command, debug="--debug" in arguments)
        if standalone_mode:
            sys.exit(code)
        return code


def _exit_code(command: Callable[[], object], *, debug: bool) -> int:
    """Runs a command; says on stderr what went wrong."""
    try:
        result = command()
        code = result if isinstance(result, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except Exception as error:
        if debug:
            traceback.print_exc()
        sentence, code = _sentence(error)
        typer.echo(sentence, err=True)
        return code
    if code == STOPPED:
        typer.echo("Stopped. What was finished is kept.", err=True)
    return code


def _sentence(error: Exception) -> tuple[str, int]:
    """One sentence on an error, and its exit code."""
    # Usage errors of typer; their class is in no public module of all its versions.
    usage = getattr(error, "format_message", None)
    if usage is not None:
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "saxinfer"
        text = str(usage()).strip().rstrip(".")
        return f"{text}. See '{path} --help'.", WRONG_USE
    if isinstance(error, WrongUseError):
        return str(error), WRONG_USE
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        reason = (error.strerror or str(error)).lower()
        return f"{where}{reason}.", WRONG_USE
    text = " ".join(str(error).split()) or "no message"
    return (
        f"An unexpected error ({type(error).__name__}: {text}). Run again with --debug "
        "and report what it prints.",
        DEFECT,
    )
