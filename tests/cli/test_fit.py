"""``saxinfer fit``: what is asked is done, what cannot be done is said."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FILES = {"report.html", "fit.json", "fit.h5", "summary.csv"}
Run = Callable[..., Any]
Start = Callable[..., "subprocess.Popen[str]"]
Calls = list[dict[str, Any]]

# One process fits in the one that was called, where inference can be replaced.
HERE = ("--workers", "1")


@pytest.fixture
def three_entries(
    made: ModuleType, curve_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    curves = [
        replace(made.made_curve(), name=name, entry=i)
        for i, name in enumerate(("one", "two", "third"))
    ]
    monkeypatch.setattr("saxinfer.formats.load", lambda path, q_unit: curves)
    return curve_file


def names(path: Path) -> set[str]:
    return {child.name for child in path.iterdir()}


def test_one_curve_gives_a_table_and_a_report(
    run: Run, fake_fit: Calls, curve_file: Path, tmp_path: Path
) -> None:
    done = run("fit", curve_file, "--model", "sphere", "-o", tmp_path / "out")
    assert done.code == 0
    assert "radius mean" in done.out
    assert "nm" in done.out
    assert "Good" in done.out
    assert "report.html" in done.out
    assert names(tmp_path / "out") == FILES


def test_options_reach_the_fit(run: Run, fake_fit: Calls, curve_file: Path) -> None:
    done = run(
        *("fit", curve_file, "--model", "sphere", "--seed", "5", "--q-range", "0.1.."),
        *("-p", "radius_mean=4..6", "-p", "radius_std=0.5", "--json"),
        *("--contrast", "3"),
    )
    assert done.code == 0
    (call,) = fake_fit
    assert call["seed"] == 5
    assert call["options"].q_range == (0.1, None)
    assert call["options"].contrast == pytest.approx(3e-4)
    assert call["options"].windows == {
        "radius_mean": (4.0, 6.0),
        "radius_std": (0.5, 0.5),
    }
    assert call["options"].command.startswith("saxinfer fit ")
    assert "--seed 5" in call["options"].command


def test_json_is_one_document_and_nothing_else(
    run: Run, fake_fit: Calls, two_curves: tuple[Path, Path], bad_file: Path
) -> None:
    done = run("fit", *two_curves, bad_file, *HERE, "--model", "sphere", "--json")
    first, second, bad = json.loads(done.out)
    assert first["model"] == second["model"] == "sphere"
    assert bad["error"].startswith("bad.dat: ")
    assert "bad.dat" in done.err
    assert done.code == 3


def test_good_files_are_done_beside_bad_ones(
    run: Run,
    fake_fit: Calls,
    two_curves: tuple[Path, Path],
    bad_file: Path,
    tmp_path: Path,
) -> None:
    out, gone = tmp_path / "out", tmp_path / "gone.dat"
    first, second = two_curves
    files = (first, bad_file, gone, second)
    done = run("fit", *files, *HERE, "--model", "sphere", "--output", out)
    assert done.code == 3
    assert done.err.count("\n") == len(fake_fit) + 2
    assert "gone.dat: no such file" in done.err
    assert names(out) == {
        "first",
        "second",
        "index.html",
        "fit.json",
        "summary.csv",
    }
    assert len((out / "summary.csv").read_text("utf-8").splitlines()) == 5


def test_a_fit_that_refuses_or_breaks_does_not_stop_the_others(
    run: Run, fake_fit: Calls, two_curves: tuple[Path, Path]
) -> None:
    first, second = two_curves
    refused = first.rename(first.with_name("refused.dat"))
    broken = refused.with_name("broken.dat")
    broken.write_text(refused.read_text())
    files = (refused, broken, second)
    done = run("fit", *files, *HERE, "--model", "sphere", "--json")
    assert done.code == 3
    errors = [found.get("error") for found in json.loads(done.out)]
    assert errors[0] == (
        "refused.dat: at least 10 points are needed, got 3. Widen --q-range."
    )
    assert "matrix is singular" in errors[1]
    assert "--debug" in errors[1]
    assert errors[2] is None


def test_without_a_model_the_models_are_listed(run: Run, curve_file: Path) -> None:
    done = run("fit", curve_file)
    assert done.code == 2
    assert done.err.startswith("Name a model with --model, or choose")
    assert "--model auto" in done.err
    assert "sphere" in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "sphear"], ["Unknown model 'sphear'", "sphere"]),
        (["--model", "sphere", "-p", "r=3"], ["'r'", "radius_mean, radius_std"]),
        (["--model", "sphere", "-p", "radius_mean=1..900"], ["900", "nm"]),
        (["--model", "sphere", "-p", "radius_mean"], ["name=low..high"]),
        (["--model", "sphere", "-p", "radius_mean=a"], ["'a'", "numbers"]),
        (["--model", "sphere", "--contrast", "3e10"], ["got 3e+06 1/nm²", "1e-4"]),
        (["--model", "sphere", "--contrast", "x"], ["334e/nm3", "'x'"]),
        (["--model", "cellulose", "--contrast", "3"], ["'cellulose'", "Leave"]),
        (["--model", "auto", "--contrast", "3"], ["name one model"]),
        (["--model", "sphere", "--q-range", "3..1"], ["3..1", "1/nm"]),
        (["--model", "sphere", "--q-range", "3"], ["LO..HI"]),
        (["--model", "sphere", "--seed", "x"], ["--seed", "integer"]),
        (["--modle", "sphere"], ["--modle", "saxinfer fit --help"]),
    ],
)
def test_wrong_use_is_one_plain_sentence(
    run: Run, curve_file: Path, arguments: list[str], words: list[str]
) -> None:
    done = run("fit", curve_file, *arguments)
    assert done.code == 2
    assert done.err.count("\n") == 1
    for word in words:
        assert word in done.err
    assert done.out == ""


@pytest.mark.parametrize(("entry", "count"), [("", 3), ("1", 1), ("third", 1)])
def test_an_entry_is_chosen_by_index_or_name(
    run: Run, fake_fit: Calls, three_entries: Path, entry: str, count: int
) -> None:
    chosen = ["--entry", entry] if entry else []
    done = run("fit", three_entries, *HERE, "--model", "sphere", *chosen, "--json")
    assert done.code == 0
    assert len(fake_fit) == count


def test_an_entry_that_is_not_there_lists_those_that_are(
    run: Run, fake_fit: Calls, curve_file: Path
) -> None:
    done = run("fit", curve_file, "--model", "sphere", "--entry", "7")
    assert done.code == 3
    assert "no entry '7'; there are 0 (first)" in done.err


def test_a_background_is_subtracted(
    run: Run, fake_fit: Calls, two_curves: tuple[Path, Path]
) -> None:
    first, second = two_curves
    done = run(
        "fit", first, "--model", "sphere", "--background", f"{second}:0", "--json"
    )
    assert done.code == 0
    # The two files are alike.
    assert float(fake_fit[0]["curve"].intensity.abs().max()) < 1e-12


def test_a_background_that_cannot_be_read_stops_before_the_fits(
    run: Run, fake_fit: Calls, curve_file: Path, bad_file: Path
) -> None:
    done = run("fit", curve_file, "--model", "sphere", "--background", bad_file)
    assert done.code == 3
    assert done.err.startswith("bad.dat: ")
    assert fake_fit == []


def test_an_unwritable_output_is_found_out_before_the_fits(
    run: Run, fake_fit: Calls, curve_file: Path
) -> None:
    done = run("fit", curve_file, "--model", "sphere", "-o", curve_file / "below")
    assert done.code == 2
    assert "Cannot write to" in done.err
    assert fake_fit == []


def test_an_estimator_that_is_none_is_refused_before_the_fits(
    run: Run, curve_file: Path, tmp_path: Path
) -> None:
    done = run("fit", curve_file, "--model", "sphere", "--estimator", tmp_path)
    assert done.code == 2
    assert done.err.startswith("no trained estimator for 'sphere'")
    assert "saxinfer train" in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--method", "forest"], ["Unknown method 'forest'", "npe+refine, xgboost"]),
        (["--method", "xgboost"], ["saxinfer train sphere --method xgboost -o DIR"]),
        (
            ["--method", "xgboost", "--estimator", "none"],
            ["no trained trees for 'sphere' in none", "--method xgboost -o none"],
        ),
        (
            ["--method", "xgboost", "-p", "radius_mean=4..6"],
            ["cannot narrow radius_mean", "Leave -p out"],
        ),
    ],
)
def test_a_method_that_cannot_be_used_is_refused_before_the_fits(
    run: Run, fake_fit: Calls, curve_file: Path, arguments: list[str], words: list[str]
) -> None:
    done = run("fit", curve_file, "--model", "sphere", *arguments)
    assert done.code == 2
    assert done.err.count("\n") == 1
    for word in words:
        assert word in done.err
    assert fake_fit == []


def test_the_default_method_reaches_the_fit(
    run: Run, fake_fit: Calls, curve_file: Path
) -> None:
    run("fit", curve_file, "--model", "sphere")
    assert fake_fit[0]["options"].method == "npe+refine"


def test_many_curves_are_told_one_a_line(
    run: Run, fake_fit: Calls, two_curves: tuple[Path, Path]
) -> None:
    done = run("fit", *two_curves, *HERE, "--model", "sphere")
    assert done.code == 0
    lines = done.out.splitlines()
    assert sum(line.startswith(("first", "second")) for line in lines) == 2


def test_ctrl_c_leaves_no_half_written_result(
    start: Start, two_curves: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = (*HERE, "--model", "sphere", "-o", out)
    process = start("fit", *two_curves, *options, seconds=60)
    assert process.stderr is not None
    assert process.stderr.readline() == "fitting first\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "Stopped" in err
    assert not out.exists()


def test_a_process_ends_with_the_code_and_without_a_traceback(
    start: Start, bad_file: Path
) -> None:
    process = start("fit", bad_file, "--model", "sphere")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert err.startswith("bad.dat: ")
    assert err.count("\n") == 1
    assert out == ""


@pytest.mark.skipif(sys.platform == "win32", reason="no such device")
def test_a_full_disk_is_said_in_one_sentence(
    run: Run,
    fake_fit: Calls,
    curve_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(fit: object, path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("saxinfer.report.nxcansas.write_nxcansas", full)
    done = run("fit", curve_file, "--model", "sphere", "-o", tmp_path / "out")
    assert done.code == 2
    assert "no space left on device" in done.err
    assert not (tmp_path / "out").exists()


def test_a_series_is_the_same_by_one_process_and_by_two(
    two_curves: tuple[Path, Path], bad_file: Path, tmp_path: Path
) -> None:
    asked = ("fit", *two_curves, bad_file, "--model", "sphere", "--seed", "3")
    for count in (1, 2):
        out = tmp_path / f"by-{count}"
        command = (*asked, "--workers", count, "-o", out)
        done = subprocess.run(
            [sys.executable, "-m", "saxinfer", *map(str, command)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 3, done.stderr
        assert done.stderr.startswith("bad.dat: ")
        expected = {"first", "second", "index.html", "fit.json", "summary.csv"}
        assert names(out) == expected
        assert names(out / "first") == names(out / "second") == FILES
    one, two = (
        json.loads((tmp_path / f"by-{count}" / "fit.json").read_text("utf-8"))
        for count in (1, 2)
    )
    assert [Path(found["file"]).name for found in two] == [
        "first.dat",
        "second.dat",
        "bad.dat",
    ]
    for here, there in zip(one, two, strict=True):
        for part in ("parameters", "nuisance", "evidence", "error"):
            assert here.get(part) == there.get(part)


@pytest.mark.slow
def test_ctrl_c_ends_all_processes_of_a_series(
    two_curves: tuple[Path, Path], processes: ModuleType, tmp_path: Path
) -> None:
    first, second = two_curves
    copies = [first.with_name(f"copy{n}.dat") for n in range(20)]
    for copy in copies:
        copy.write_text(second.read_text())
    out = tmp_path / "out"
    command = ("fit", first, *copies, "--model", "sphere", "--workers", 2, "-o", out)
    process = processes.saxinfer(*command, cwd=tmp_path)
    processes.waited_for(lambda: (out / "first").exists() or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "Stopped" in err
    assert not processes.group_members(process.pid)
    finished = [path for path in out.iterdir() if path.is_dir()]
    assert 0 < len(finished) < 21
    assert all(names(path) == FILES for path in finished)
    assert (out / "index.html").exists()


@pytest.mark.slow
def test_a_series_is_fitted_by_a_cluster(
    two_curves: tuple[Path, Path], machines: Any, processes: ModuleType, tmp_path: Path
) -> None:
    pytest.importorskip("distributed")
    machines.start_scheduler()
    machines.start_worker()
    asked = ("fit", *two_curves, "--model", "sphere", "--json")
    told = []
    for more in ((), ("--cluster", machines.address)):
        done = processes.saxinfer(*asked, *more, cwd=tmp_path)
        out, err = done.communicate(timeout=300)
        assert done.returncode == 0, err
        told.append([found["parameters"] for found in json.loads(out)])
    assert told[0] == told[1]


def test_a_cluster_that_is_none_is_said(
    run: Run, fake_fit: Calls, two_curves: tuple[Path, Path]
) -> None:
    pytest.importorskip("distributed")
    asked = ("fit", *two_curves, "--model", "sphere", "--cluster", "tcp://127.0.0.1:9")
    done = run(*asked)
    assert done.code == 2
    assert "no Dask scheduler answers" in done.err
    assert "0 of 2 curves were fitted" in done.err
