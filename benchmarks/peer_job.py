"""One contestant at a time, each in a process of its own, its result kept in a file.

A process starts afresh and has one thread, so that neither memory nor time of one
contestant touches another's. Ctrl-C ends the one that is running; what is finished has
its file.
"""

import json
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

__all__ = ["FailedError", "kept", "on_its_own"]


class FailedError(RuntimeError):
    """A contestant that ended without a result."""


def kept(place: Path, terms: dict[str, Any]) -> dict[str, Any] | None:
    """A result from its file, if it was made under the same terms.

    Args:
        place: The file.
        terms: What it must have been made from.
    """
    if not place.exists():
        return None
    stored = json.loads(place.read_text())
    same = stored["terms"] == json.loads(json.dumps(terms))
    found: dict[str, Any] = stored["found"]
    return found if same else None


def on_its_own(
    job: Callable[[], Any], place: Path, terms: dict[str, Any]
) -> dict[str, Any]:
    """Runs a job in a new process of one thread, and keeps what it found.

    Args:
        job: Gives a dataclass; it must be possible to pickle.
        place: File of the result.
        terms: What the result is made from, kept with it.

    Raises:
        FailedError: If the process ended without a result.
    """
    # Read by the libraries of the process when it starts.
    os.environ["OMP_NUM_THREADS"] = "1"
    place.unlink(missing_ok=True)
    process = get_context("spawn").Process(
        target=_entered, args=(job, place, terms), daemon=True
    )
    process.start()
    try:
        process.join()
    finally:
        if process.is_alive():
            process.terminate()
            process.join()
    found = kept(place, terms)
    if found is None:
        raise FailedError(f"it ended with exit status {process.exitcode}.")
    return found


def _entered(job: Callable[[], Any], place: Path, terms: dict[str, Any]) -> None:
    """What the new process does."""
    # The parent hears Ctrl-C, and ends this process; bumps would only stop sampling.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Peers warn of matters of their own.
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(1)
    try:
        found = asdict(job())
    except Exception:
        traceback.print_exc()
        sys.exit(1)
    new = place.with_suffix(".new")
    new.write_text(json.dumps({"terms": terms, "found": found}, indent=1) + "\n")
    new.replace(place)
