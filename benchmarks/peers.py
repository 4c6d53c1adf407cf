"""Peers beside us, in one run and one table, on the same curves.

    python benchmarks/peers.py [--curves 3] [--seed 6100] [--limit 1200]
                               [--structures core_shell_sphere cellulose]
                               [--parts posterior npe speed] [--model sphere]
                               [--budget 200000] [--npe-limit 300]
                               [--keep DIR] [--resume] [--ours] [-o FILE]

- *posterior*: time to a converged posterior of standard-tier curves: bumps DREAM and
  emcee with the curves of sasmodels as users run them, both with our own batched closed
  form and exact likelihood, and ours (benchmarks/peer_samplers.py, peer_start.py,
  peer_convergence.py and peer_target.py say how);
- *npe*: sbi's neural posterior estimation beside ours (benchmarks/npe_peer.py);
- *speed*: the table of benchmarks/speed.py.

Every contestant has a process of its own with one thread, and they run in turn. Each
finished one has a file in DIR; --resume goes on from these, if they were made of the
same likelihood and under the same limit. --ours runs ours anew and keeps the peers.

What is printed is also written to FILE: between the lines BEGIN and END where the file
has them, the whole file where it has not.

The peers are installed by pip install -c constraints.txt '.[peers]'. One curve and a
limit of 400 seconds take an hour, the defaults hours.
"""

import argparse
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from npe_peer import Judged, judged
from peer_job import FailedError, kept, on_its_own
from peer_samplers import SAMPLERS, Found, run_ours, run_peer
from peer_start import Start, start_of
from peer_table import Curves, machine, network_table, sampler_table, verdicts
from peer_target import Forward, Sought

# What the contestants are called, and where their curves come from.
FORWARDS: dict[str, Forward] = {"sasmodels": "sasmodels", "our forward": "ours"}

# Between these lines a file holds what was printed last.
BEGIN, END = "<!-- peers.py: begin -->", "<!-- peers.py: end -->"

# sasmodels stands in for this structure only.
WITH_SASMODELS = "core_shell_sphere"

NOTES = """
Seconds are of the processor. `>`: not converged within the limit; in brackets an
extrapolation from what was reached, no sooner than which it could have converged.
R-hat, effective: of the worst column when the run ended; of ours, R-hat of four
independent runs and the sum of the effective samples of as many as 1,000 need. R-hat of
groups: nested R-hat of four groups of chains, half of each taken off; nothing is asked
of single chains there. Start: Levenberg-Marquardt from the best of our own samples,
which the peers are told for nothing; part of the seconds. Means apart: largest distance
of a posterior mean of the structure's parameters from ours in posterior standard
deviations, 0.1 to 0.15 by chance alone for 1,000 effective samples a side; widths: the
ratio of standard deviations farthest from 1. Chains that end in one mode of several
have other means. GiB: peak memory, and what libraries and data take of it before
anything is sampled; torch is among these for all.
"""


def sampled_by(name: str, model: str, seed: int, limit: float, start: Start) -> Found:
    """One contestant on one curve.

    Args:
        name: Sampler and forward, or ``ours``.
        model: Name of the structure.
        seed: Of the curve.
        limit: Most seconds of the processor.
        start: Where the peers start.
    """
    if name == "ours":
        return run_ours(model, limit, seed)
    sampler, _, forward = name.partition(", ")
    sought = Sought.of(model, seed, FORWARDS[forward])
    return run_peer(sampler, sought, start, limit, seed)


def contestants(model: str) -> list[str]:
    """Ours first, then the peers, the faster forward before the slower."""
    forwards = [
        forward
        for forward in reversed(FORWARDS)
        if forward != "sasmodels" or model == WITH_SASMODELS
    ]
    return ["ours", *(f"{s}, {f}" for f in forwards for s in SAMPLERS)]


class Race:
    """Runs contestants in turn, or takes what they found from their files.

    Args:
        folder: Where the files lie.
        resume: Whether to take what is there.
        ours: Whether to take what is there of the peers only.
    """

    def __init__(self, folder: Path, *, resume: bool, ours: bool) -> None:
        self._folder, self._resume, self._ours = folder, resume, ours
        folder.mkdir(parents=True, exist_ok=True)

    def run(
        self, title: str, job: Callable[[], Any], terms: dict[str, Any]
    ) -> dict[str, Any] | None:
        """What a contestant found; None if it failed.

        Args:
            title: Of the contestant, for the file and for people.
            job: What it does.
            terms: What the result is made from.
        """
        place = self._folder / f"{re.sub(r'[^a-zA-Z0-9]+', '_', title)}.json"
        ours = terms["contestant"].startswith("ours")
        if (self._resume or self._ours) and not (self._ours and ours):
            found = kept(place, terms)
            if found is not None:
                print(f"{title}: kept", file=sys.stderr, flush=True)
                return found
        print(f"{title} ...", file=sys.stderr, flush=True)
        try:
            return on_its_own(job, place, terms)
        except FailedError as error:
            print(f"{title} failed: {error}", file=sys.stderr, flush=True)
            return None


def fingerprint(model: str, seed: int) -> list[float]:
    """Values of a curve's posterior density, to tell whether it is still the same."""
    sought = Sought.of(model, seed, "ours")
    trial = np.random.default_rng(1).standard_normal((4, sought.size)) / 2
    return [float(f"{value:.6g}") for value in sought.log_density(trial)]


def posteriors(race: Race, asked: argparse.Namespace) -> str:
    """The table of all samplers on all curves."""
    found: dict[tuple[str, str], Curves] = {
        (model, name): {} for model in asked.structures for name in contestants(model)
    }
    seeds = range(asked.seed, asked.seed + asked.curves)
    for model in asked.structures:
        for seed in seeds:
            title, mark = f"{model}, {seed}", fingerprint(model, seed)
            terms = {"contestant": "start", "density": mark}
            known = race.run(f"{title}, start", partial(start_of, model, seed), terms)
            if known is None:
                continue
            start = Start(**known)
            for name in contestants(model):
                terms = {"contestant": name, "limit": asked.limit, "density": mark}
                job = partial(sampled_by, name, model, seed, asked.limit, start)
                result = race.run(f"{title}, {name}", job, terms)
                if result is not None:
                    found[model, name][seed] = Found(**result)
    return (
        f"### Time to a converged posterior, limit {asked.limit:g} s\n\n"
        f"{verdicts(found)}\n\n{sampler_table(found)}\n{NOTES}"
    )


def networks(race: Race, asked: argparse.Namespace) -> str:
    """The table of networks."""
    found: dict[str, Judged] = {}

    def trained(title: str, network: str, budget: int) -> None:
        terms = {"contestant": title, "budget": budget, "limit": asked.npe_limit}
        job = partial(judged, network, asked.model, budget, asked.npe_limit, asked.seed)
        result = race.run(f"npe, {asked.model}, {title}", job, terms)
        if result is not None:
            found[title] = Judged(**result)

    trained("ours", "ours", asked.budget)
    trained("sbi", "sbi", asked.budget)
    if len(found) == 2:
        share = found["sbi"].seconds / found["ours"].seconds
        trained("ours, sbi's time", "ours", round(share * found["ours"].curves))
    return (
        f"### Neural posterior estimation of {asked.model}\n\n"
        f"{network_table(found)}\n\n"
        "Of curves of either tier, half each, that no network has seen, in latent "
        "coordinates; a network that learnt nothing has an RMSE of 1. Seconds are of "
        "the processor.\n"
    )


def speeds() -> str:
    """The table of benchmarks/speed.py."""
    script = Path(__file__).with_name("speed.py")
    done = subprocess.run(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, check=False
    )
    return f"### Curves a second\n\n{done.stdout}"


def write(place: Path, text: str) -> None:
    """Writes a file, or what stands between its lines BEGIN and END."""
    held = place.read_text() if place.exists() else ""
    before, begin, rest = held.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        before, after = "# Peers beside us\n\n", "\n"
    new = place.with_name(f"{place.name}.new")
    new.write_text(f"{before}{BEGIN}\n\n{text.strip()}\n\n{END}{after}")
    new.replace(place)


def parsed() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--curves", type=int, default=3)
    parser.add_argument("--seed", type=int, default=6100)
    parser.add_argument("--limit", type=float, default=1200.0)
    parser.add_argument(
        "--structures", nargs="+", default=["core_shell_sphere", "cellulose"]
    )
    parts = ("posterior", "npe", "speed")
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts))
    parser.add_argument("--model", default="sphere", help="Of the networks.")
    parser.add_argument("--budget", type=int, default=200_000)
    parser.add_argument("--npe-limit", type=float, default=300.0)
    parser.add_argument("--keep", type=Path, default=Path("runs/peers"))
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--ours", action="store_true")
    parser.add_argument("-o", "--output", type=Path)
    return parser.parse_args()


def main() -> None:
    """Prints the table."""
    asked = parsed()
    # So that the contestant that is running ends with this process.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    race = Race(asked.keep, resume=asked.resume, ours=asked.ours)
    made = {
        "posterior": lambda: posteriors(race, asked),
        "npe": lambda: networks(race, asked),
        "speed": speeds,
    }
    try:
        text = "\n".join([machine() + "\n", *(made[part]() for part in asked.parts)])
    except KeyboardInterrupt:
        print("Stopped. --resume goes on from what is finished.", file=sys.stderr)
        sys.exit(130)
    print(text)
    if asked.output is not None:
        write(asked.output, text)


if __name__ == "__main__":
    main()
