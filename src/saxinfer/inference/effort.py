"""How much work a fit spends on sampling, all in one place."""

from dataclasses import dataclass, field, replace
from functools import partial

from saxinfer.inference.direct import Demand

__all__ = ["Effort", "Rounds", "Sketches"]


@dataclass(frozen=True)
class Rounds:
    """How long a mixture is adapted.

    Attributes:
        most: Largest number of rounds.
        new: Samples of a round around which components are added.
        roughly: Effective samples of all rounds at which to stop early.
    """

    most: int
    new: int
    roughly: float


@dataclass(frozen=True)
class Sketches:
    """How long a mixture is adapted on a sketch.

    Attributes:
        most: Largest number of rounds.
        draws: Draws from the mixture in each.
        exact: Of these, how many exact curves are worked out.
        new: Samples around which components are added.
        plenty: Effective samples for each draw from the mixture at which to stop.
    """

    most: int = 6
    draws: int = 1000
    exact: int = 200
    new: int = 24
    plenty: float = 0.25


@dataclass(frozen=True)
class Effort:
    """How much work to spend.

    Attributes:
        scan: Structures of the prior that are tried beside the proposals.
        first: Proposals that climb to their modes.
        believed: Where solutions lie side by side, proposals climb as they come too; so
            many curves may be worked out in a step of all their climbs.
        starts: Proposals that climb if the first find no good fit, or a posterior that
            is hard to cover.
        wide_scan: Structures of the prior that are tried where these find none either.
        sketches: Of adapting a mixture on a sketch.
        worth: Effective samples for each draw from a mixture, on a sketch, from which
            on it is worth exact curves.
        draws: Curves of the structure a round of importance sampling.
        rounds: Of adapting a mixture.
        more_rounds: The same where a posterior is hard to cover.
        loose: Of fitting a mixture of the loose parameters to draws, so many ``new`` a
            round.
        more_loose: The same where a posterior is hard to cover; not at all if there are
            no rounds.
        demand: When independent samples are good enough.
        attempts: Times that a mixture is adapted once more where they are not.
        walkers: Number of walkers, even, where they are not.
        steps: Largest number of steps that they walk.
        enough: Effective samples at which they stop early.
        skimming: Whether weighed draws from the first mixture are taken as they come.
    """

    scan: int = 1000
    first: int = 30
    believed: int = 3200
    starts: int = 220
    wide_scan: int = 10_000
    sketches: Sketches = field(default_factory=Sketches)
    worth: float = 0.03
    draws: int = 400
    rounds: Rounds = field(default_factory=partial(Rounds, 8, 12, 400.0))
    more_rounds: Rounds = field(default_factory=partial(Rounds, 20, 24, 1600.0))
    loose: Rounds = field(default_factory=partial(Rounds, 10, 500, 1000.0))
    more_loose: Rounds = field(default_factory=partial(Rounds, 8, 1000, 1200.0))
    demand: Demand = field(default_factory=Demand)
    attempts: int = 2
    walkers: int = 400
    steps: int = 60
    enough: float = 1000.0
    skimming: bool = False

    def skim(self) -> "Effort":
        """Enough to see that a model is out of the question.

        The prior is not searched where no proposal leads to a good fit, and draws are
        few: they tell the evidence to some nats.
        """
        rounds = Rounds(3, self.rounds.new, self.rounds.roughly)
        return replace(
            self,
            starts=self.first,
            believed=self.believed // 4,
            rounds=rounds,
            skimming=True,
        )

    def survey(self) -> "Effort":
        """A skim that searches as well as a proper fit does."""
        return replace(self.skim(), starts=self.starts, believed=self.believed)

    def glance(self) -> "Effort":
        """Enough to tell a model that is far behind others: as good a search.

        Where the first mixture covers a posterior, samples are the same; where it does
        not, nothing is tried twice, and walkers walk a quarter as far.
        """
        return replace(
            self,
            rounds=Rounds(3, self.rounds.new, self.rounds.roughly),
            more_loose=replace(self.more_loose, most=0),
            attempts=0,
            steps=self.steps // 4,
        )
