"""``saxinfer simulate``: options reach the recipe, and nothing stops it for good."""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from saxinfer import library
from saxinfer.cli import app
from saxinfer.crew import Crew

pytest.importorskip("zarr")

Run = Callable[..., Any]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the library was asked for, which is not made."""
    found: list[dict[str, Any]] = []

    def make_library(recipe: Any, folder: Path, crew: Any, **options: Any) -> int:
        found.append({"recipe": recipe, "folder": folder, "crew": crew, **options})
        for done in range(0, recipe.count + 1):
            options["progress"](done, recipe.count)
        return int(recipe.count)

    monkeypatch.setattr(library, "make_library", make_library)
    return found


def test_what_is_usual_needs_no_option(run: Run, asked: list[dict[str, Any]]) -> None:
    done = run("simulate", "sphere", "-n", "40", "-o", "a.zarr")
    assert done.code == 0
    assert done.out == "Library: a.zarr (40 curves)\n"
    recipe = asked[0]["recipe"]
    assert (recipe.engine, recipe.noise, recipe.seed) == ("closed-form", "none", 0)
    assert (recipe.windows, recipe.box, asked[0]["resume"]) == ((), None, False)
    assert np.allclose(recipe.q, np.geomspace(0.02, 3, 500), rtol=1e-12)
    assert asked[0]["crew"] == Crew(0, "")
    lines = done.err.splitlines()
    assert len(lines) == 21
    assert lines[0] == "  0 %  0 of 40 curves, starting"
    assert lines[10].startswith(" 50 %  20 of 40 curves, ")
    assert lines[10].endswith("a second, 0:00:00 left")


def test_every_option_reaches_the_library(
    run: Run, asked: list[dict[str, Any]]
) -> None:
    line = (
        "simulate sphere -n 5 -o a.zarr -p radius_std=1 -p radius_mean=2..3 "
        "--q 0.1..2 --points 20 --spacing linear --noise hard --seed 9 --workers 3 "
        "--cluster tcp://host:1 --resume"
    )
    assert run(*line.split()).code == 0
    recipe = asked[0]["recipe"]
    assert recipe.windows == (("radius_mean", 2, 3), ("radius_std", 1, 1))
    assert np.allclose(recipe.q, np.linspace(0.1, 2, 20), rtol=1e-12)
    assert (recipe.noise, recipe.seed, asked[0]["resume"]) == ("hard", 9, True)
    assert asked[0]["crew"] == Crew(3, "tcp://host:1")
    assert asked[0]["folder"] == Path("a.zarr")


def test_structures_have_a_box(run: Run, asked: list[dict[str, Any]]) -> None:
    line = "simulate cellulose -n 5 -o a.zarr --engine structure"
    assert run(*line.split()).code == 0
    more = "--pixels 800 --pixel 0.12 --average 4 --points 90"
    assert run(*line.split(), *more.split()).code == 0
    assert run(*line.split(), "--q", "0.2..3", "--points", "12").code == 0
    usual, other, explicit = (call["recipe"] for call in asked)
    assert usual.box == library.Box(1024, 0.125, 2, rings=83, average=1)
    assert other.box == library.Box(800, 0.12, 2, rings=90, average=4)
    assert (usual.q, other.q) == ((), ())
    assert np.allclose(explicit.q, np.geomspace(0.2, 3, 12), rtol=1e-12)


def test_q_can_be_that_of_a_file(
    run: Run, asked: list[dict[str, Any]], curve_file: Path, made: ModuleType
) -> None:
    line = ("simulate", "sphere", "-n", "5", "-o", "a.zarr", "--q-like", curve_file)
    assert run(*line).code == 0
    q = made.made_curve(60).q
    assert np.allclose(asked[0]["recipe"].q, q, rtol=1e-7)
    low, high = float(q[5]) * 0.999, float(q[40]) * 1.001
    assert run(*line, "--q", f"{low}..{high}").code == 0
    assert np.allclose(asked[1]["recipe"].q, q[5:41], rtol=1e-7)


def test_json_is_one_document(run: Run, asked: list[dict[str, Any]]) -> None:
    found = json.loads(
        run("simulate", "sphere", "-n", "5", "-o", "a.zarr", "--json").out
    )
    assert found["schema"] == "saxinfer/simulate/1"
    assert (found["library"], found["made"], found["kept"]) == ("a.zarr", 5, 0)
    assert found["recipe"]["q"]["points"] == 500


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("spere -n 5", "Unknown model 'spere'. Known models: sphere, "),
        ("sphere -n 0", "Invalid value for '-n' / '--count'"),
        ("sphere -n 5 -p radius=3", "no free parameter 'radius'. The parameters are"),
        ("sphere -n 5 -p radius_mean=3..999", "3 to 999 nm is not a range within"),
        ("sphere -n 5 -p radius_mean", "-p needs name=value or name=low..high"),
        ("sphere -n 5 --q 3..1", "--q needs a lower end below the upper"),
        ("sphere -n 5 --q 3", "--q needs LO..HI in 1/nm"),
        ("sphere -n 5 --q 4..", "--q needs 0 < LO < HI in 1/nm, but got '4..'"),
        ("sphere -n 5 --q 0.0001..1", "q must lie within 0.003 to 12 1/nm"),
        ("sphere -n 5 --points 3", "at least 10 points of q, got 3"),
        ("sphere -n 5 --points 1", "at least 10 points of q, got 1"),
        ("sphere -n 5 --pixels 64", "--pixels, --pixel and --average are about drawn"),
        ("sphere -n 5 --noise loud", "Invalid value for '--noise'"),
        ("sphere -n 5 --seed -1", "seed must be from 0"),
        ("sphere -n 5 --q-like no.dat", "no.dat: no such file or directory."),
        ("sphere -n 5 --q-like x --points 9", "does not go with --points"),
        ("cellulose -n 5 --engine structure --pixels 63", "pixels must be an even"),
        ("cellulose -n 5 --engine structure --q 1..", "needs both ends of --q"),
        ("cellulose -n 5 --engine structure", "Or narrow the prior: -p mu=0.4"),
        ("sphere -n 5 --cluster no.yaml", "no.yaml: cannot be read"),
    ],
)
def test_wrong_use_is_one_sentence_and_writes_nothing(
    run: Run,
    options: str,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("simulate", *options.split(), "-o", "a.zarr")
    assert done.code == 2
    assert sentence in done.err
    assert done.out == ""
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.zarr").mkdir()
    done = run("simulate", "sphere", "-n", "5", "-o", tmp_path / "a.zarr")
    assert done.code == 2
    assert "exists already, and nothing is ever overwritten" in done.err


def test_a_defect_stays_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **options: Any) -> int:
        raise ValueError("matrix is singular")

    monkeypatch.setattr(library, "make_library", broken)
    done = run("simulate", "sphere", "-n", "5", "-o", "a.zarr")
    assert done.code == 1
    assert "An unexpected error (ValueError: matrix is singular)" in done.err


# Ten blocks of a quarter of a second each.
LINE = "simulate core_shell_sphere -n 2400 -o a.zarr --points 400 --noise standard"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """All files of a library that nothing has stopped."""
    folder = tmp_path_factory.mktemp("whole") / "a.zarr"
    line = [str(folder) if word == "a.zarr" else word for word in LINE.split()]
    done = CliRunner().invoke(app, [*line, "--workers", "2"])
    assert done.exit_code == 0, done.stderr
    return files(folder)


def files(folder: Path) -> dict[str, bytes]:
    """What is in them, but for the command line of the first start."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if path.name == "zarr.json" and path.parent == folder:
                attributes = json.loads(content)
                assert attributes["attributes"].pop("command").startswith("saxinfer")
                content = json.dumps(attributes).encode()
            found[str(path.relative_to(folder))] = content
    return found


@dataclass(frozen=True)
class Attempts:
    """The library of ``LINE``, made in processes that are stopped in between."""

    processes: Any
    folder: Path
    rng: random.Random

    def stopped(self, number: int, *options: str) -> tuple[int, str]:
        """Runs until some more is done and a moment has passed, then stops it all.

        Returns the exit code, and what was said on stderr.
        """
        line = (*LINE.split(), "--workers", self.rng.choice((1, 2)), *options)
        process = self.processes.saxinfer(*line, cwd=self.folder)
        wanted = min(9, self._blocks() + self.rng.randrange(1, 3))
        self.processes.waited_for(lambda: self._blocks() >= wanted)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(self.rng.uniform(0, 0.2))
        os.killpg(process.pid, number)
        _, said = process.communicate(timeout=self.processes.PATIENCE)
        self.processes.waited_for(
            lambda: self.processes.group_members(process.pid) == []
        )
        return process.returncode, said

    def finished(self) -> dict[str, bytes]:
        """Runs to the end; what there is then."""
        process = self.processes.saxinfer(*LINE.split(), "--resume", cwd=self.folder)
        _, said = process.communicate(timeout=self.processes.PATIENCE)
        assert process.returncode == 0, said
        return files(self.folder / "a.zarr")

    def _blocks(self) -> int:
        return int(self.processes.finished_blocks(self.folder / "a.zarr"))


def test_killed_and_interrupted_it_can_be_finished(
    processes: ModuleType, whole: dict[str, bytes], tmp_path: Path
) -> None:
    attempts = Attempts(processes, tmp_path, random.Random(1))
    assert attempts.stopped(signal.SIGKILL)[0] == -signal.SIGKILL
    with pytest.raises(library.LibraryError, match="not complete"):
        library.open_library(tmp_path / "a.zarr")
    # As a terminal sends Ctrl-C: to the whole group.
    code, said = attempts.stopped(signal.SIGINT, "--resume")
    assert code == 130
    assert said.splitlines()[-1] == "Stopped. What was finished is kept."
    assert "Traceback" not in said
    assert attempts.finished() == whole


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_killed_at_many_moments_it_can_be_finished(
    seed: int, processes: ModuleType, whole: dict[str, bytes], tmp_path: Path
) -> None:
    attempts = Attempts(processes, tmp_path, random.Random(seed))
    for _ in range(4):
        attempts.stopped(signal.SIGKILL, "--resume")
    assert attempts.finished() == whole


@pytest.mark.slow
def test_workers_follow_a_parent_that_is_killed(
    processes: ModuleType, tmp_path: Path
) -> None:
    process = processes.saxinfer(*LINE.split(), "--workers", 2, cwd=tmp_path)
    processes.waited_for(lambda: processes.finished_blocks(tmp_path / "a.zarr") >= 1)
    assert len(processes.group_members(process.pid)) >= 3
    process.kill()
    process.communicate()
    processes.waited_for(lambda: processes.group_members(process.pid) == [])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes, where one may be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if mount is None or umount is None:
        pytest.skip("1 check not made: mount is not installed")
    options = ("-t", "tmpfs", "-o", "size=2m", "none", str(place))
    done = subprocess.run([mount, *options], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("1 check not made: mounting a small disk needs root")
    yield place
    os.chdir(tmp_path)
    subprocess.run([umount, str(place)], check=True)


def test_a_full_disk_is_said_and_loses_nothing(
    run: Run,
    processes: ModuleType,
    small_disk: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = ("simulate", "sphere", "-n", 1000, "-o", "a.zarr", "--workers", 1)
    process = processes.saxinfer(*line, cwd=small_disk)
    _, said = process.communicate(timeout=processes.PATIENCE)
    assert process.returncode == 2
    reason = os.strerror(errno.ENOSPC).lower()
    last = said.splitlines()[-1]
    assert last.startswith(f"a.zarr: cannot be written: {reason}. ")
    kept = 250 * processes.finished_blocks(small_disk / "a.zarr")
    assert kept > 0
    assert last.endswith(
        f"{kept} of 1,000 curves are kept; finish the library with --resume."
    )
    remount = ("mount", "-o", "remount,size=64m", str(small_disk))
    subprocess.run(remount, check=True)
    monkeypatch.chdir(small_disk)
    done = run(*line, "--resume")
    assert done.out == f"Library: a.zarr (1,000 curves, of which {kept} were there)\n"
    found = library.open_library(small_disk / "a.zarr")
    assert bool(np.isfinite(found["intensity"].values).all())
