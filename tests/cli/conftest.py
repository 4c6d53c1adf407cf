"""Files to fit, and a fit that needs no estimator."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from saxinfer.cli import app

DRIVER = Path(__file__).with_name("driver.py")


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def made() -> ModuleType:
    return _load(Path(__file__).parents[1] / "report" / "made_fit.py")


@pytest.fixture
def curve_file(tmp_path: Path, made: ModuleType) -> Path:
    return _written(tmp_path / "first.dat", made)


def _written(path: Path, made: ModuleType) -> Path:
    curve = made.made_curve(60)
    columns = zip(curve.q, curve.intensity, curve.sigma, strict=True)
    rows = "\n".join(" ".join(f"{value:.8e}" for value in row) for row in columns)
    path.write_text(f"# q [1/nm]  I [1/cm]  sigma\n{rows}\n")
    return path


@pytest.fixture
def two_curves(curve_file: Path, made: ModuleType) -> tuple[Path, Path]:
    return curve_file, _written(curve_file.with_name("second.dat"), made)


@pytest.fixture
def bad_file(tmp_path: Path) -> Path:
    path = tmp_path / "bad.dat"
    path.write_text("this is no curve\n")
    return path


@pytest.fixture
def fake_fit(
    monkeypatch: pytest.MonkeyPatch, made: ModuleType
) -> list[dict[str, object]]:
    """Replaces inference; what it was called with is in the list."""
    driver = _load(DRIVER)
    calls: list[dict[str, object]] = []
    driver.replace_inference(monkeypatch.setattr, made, calls)
    monkeypatch.setattr("saxinfer.report.page.report_page", lambda fit: "<p>page</p>")
    return calls


@dataclass(frozen=True)
class Outcome:
    """What a command line left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def run() -> Callable[..., Outcome]:
    """Runs a command line within this process."""

    def run(*arguments: object) -> Outcome:
        found = CliRunner().invoke(app, [str(argument) for argument in arguments])
        return Outcome(found.exit_code, found.stdout, found.stderr)

    return run


@pytest.fixture
def start() -> Callable[..., "subprocess.Popen[str]"]:
    """Starts the command line in a process of its own, inference replaced."""

    def start(*arguments: object, seconds: float = 0.0) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, str(DRIVER), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "FIT_SECONDS": str(seconds)},
        )

    return start
