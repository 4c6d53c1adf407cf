"""Whatever goes wrong is one sentence on stderr and an exit code."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from saxinfer.cli.plain import PlainGroup, WrongUseError

Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (WrongUseError("Say it otherwise."), 2, "Say it otherwise."),
        (PermissionError(13, "Permission denied", "out"), 2, "out: permission denied."),
        (OSError("disk gone"), 2, "disk gone"),
        (ZeroDivisionError("division by zero"), 1, "ZeroDivisionError"),
        (KeyboardInterrupt(), 130, "Stopped."),
    ],
)
@pytest.mark.parametrize("debug", [True, False])
def test_every_error_has_its_sentence_and_code(
    error: BaseException,
    code: int,
    words: str,
    debug: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = typer.Typer(cls=PlainGroup, rich_markup_mode=None, add_completion=False)

    @app.command()
    def fail(debug: bool = False) -> None:
        raise error

    @app.command()
    def other() -> None:
        pass

    done = CliRunner().invoke(app, ["fail", "--debug"] if debug else ["fail"])
    assert done.exit_code == code
    assert words in done.stderr
    if not debug:
        assert done.stderr.count("\n") == 1
        assert "╭" not in done.stderr


@pytest.mark.parametrize("arguments", [[], ["--help"], ["fit", "--help"]])
def test_help_is_help(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.code == 0
    assert "Usage:" in done.out
    assert done.err == ""


def test_the_version_is_told(run: Run) -> None:
    assert run("--version").out.startswith("saxinfer ")


def test_an_unknown_command_is_one_sentence(run: Run) -> None:
    done = run("fitt")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "fitt" in done.err


def test_the_package_is_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "saxinfer", "nonsense"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "nonsense" in done.stderr
