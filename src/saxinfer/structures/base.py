"""What a structure model has to say about itself."""

import abc
import math

from jaxtyping import Float
from numpy import ndarray
from numpy.random import Generator
from torch import Tensor

from saxinfer.parameter import Parameter, ParameterSpace
from saxinfer.scattering.fourier import Rings
from saxinfer.scattering.grid import Grid
from saxinfer.scattering.matrix_prior import Heights
from saxinfer.scattering.realisation import Realisation
from saxinfer.structures.phase import Phase

__all__ = ["Structure"]


class Structure(abc.ABC):
    """A model of the sample: from parameters to the curve it would scatter.

    A subclass is final: it sets the attributes and says how it scatters, and nobody
    subclasses it further. Everything is batched over parameter vectors.

    Attributes:
        name: What users type.
        title: One line for lists and reports.
        references: Sources of the equations.
        space: The unknowns with their priors.
        dependent: Columns reported among the parameters although they follow from
            the unknowns; their bounds are what the prior allows.
        derived: Further quantities that follow, by name, unit and meaning.
        phases: What it is made of.
        special_cases: Names of models whose every curve is (almost) one of this.
        entangled: Unknowns that a curve knows only in combinations, if
            :meth:`latent` is to disentangle them.
        unseen: Those of them whose latent number then moves no curve at all.
        smooth_to: Largest q up to which curves are smooth [1/nm].
        valid_to: Largest q that the closed form is made for [1/nm].
        unit_contrast: Which difference of scattering length densities its curve is
            nm³ a unit of, squared; "" where the scale of a curve is none.
    """

    name: str
    title: str
    references: tuple[str, ...]
    space: ParameterSpace
    dependent: tuple[Parameter, ...] = ()
    derived: tuple[Parameter, ...] = ()
    phases: tuple[Phase, ...] = ()
    special_cases: tuple[str, ...] = ()
    entangled: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    smooth_to: float = math.inf
    valid_to: float = 13.0
    unit_contrast: str = ""

    @abc.abstractmethod
    def intensity(
        self, q: Float[Tensor, "*curves q"], theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch q"]:
        """Scattered intensity [arbitrary] at ``q`` [1/nm], before any instrument.

        Args:
            q: One grid for all, shape [q], or one for each parameter vector,
                shape [batch, q].
            theta: Parameters in their units, columns as in ``space``.
        """

    def realise(
        self, theta: Float[Tensor, " parameter"], grid: Grid, rng: Generator
    ) -> Realisation:
        """Draws one structure, of the ensemble whose mean curve is the closed form.

        Args:
            theta: Parameters in their units, columns as in ``space``.
            grid: The periodic box, of the structure's dimension.
            rng: Source of randomness.

        Raises:
            ValueError: If the grid cannot hold the structure, or if the model is a
                closed form only.
        """
        raise self._closed_form_only()

    def refuse_unfit(self, theta: Float[Tensor, " parameter"], grid: Grid) -> None:
        """Finds out at no cost whether a grid can hold a structure.

        Raises:
            ValueError: If it cannot, or if the model is a closed form only.
        """
        raise self._closed_form_only()

    def suggested_grid(self, theta: Float[Tensor, " parameter"]) -> Grid:
        """A box in which a structure can be drawn and looked at.

        Raises:
            ValueError: If the model is a closed form only.
        """
        raise self._closed_form_only()

    def _closed_form_only(self) -> ValueError:
        return ValueError(
            f"'{self.name}' cannot be drawn: the model is a closed form only."
        )

    def measured(self, drawn: Realisation) -> dict[str, float]:
        """Those columns that can be read off a map, by name, each in its unit."""
        return {}

    def drawn_intensity(
        self, drawn: Realisation, rings: Rings
    ) -> Float[ndarray, " ring"]:
        """The curve of a realisation at ``rings.q``, in the unit of :meth:`intensity`.

        It scatters about the closed form by its speckle.
        """
        return drawn.spectrum(rings) / drawn.share

    def reach(self, theta: Float[Tensor, "batch parameter"]) -> Float[Tensor, " batch"]:
        """Distance over which the density is correlated [nm].

        The curve turns by q times this at the fastest, which says how finely it must
        be sampled (:mod:`saxinfer.instrument.sampling`). Infinite where unknown: the
        curve is then evaluated at every measured point.
        """
        return theta.new_full((len(theta),), math.inf)

    def kink(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, " batch"] | None:
        """Where two smooth curves meet in each curve [1/nm]; None if it is one."""
        return None

    def sides(
        self, q: Float[Tensor, "*curves q"], theta: Float[Tensor, "batch parameter"]
    ) -> tuple[Float[Tensor, "batch q"], Float[Tensor, "batch q"]]:
        """These two curves at all q: that of below the kink, and that of above.

        A curve with a kink can then be sampled coarsely as well.
        """
        whole = self.intensity(q, theta)
        return whole, whole

    def smooth(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch coordinate"]:
        """Coordinates in which curves, brought to the same level, bend little.

        What no curve sees is left out. Near a solution, curves are polynomials of low
        degree in these; the fewer terms it takes, the faster a fit.
        """
        return theta

    def edges(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch distance"]:
        """Distances between places where the density jumps [nm].

        Each leaves fringes of the period 2 pi over itself in a curve. A structure whose
        edges are all at random distances has none.
        """
        return theta[:, :0]

    def mean_volume(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, " batch"] | None:
        """Mean volume of a particle, by number [nm³].

        The curve is then a unit of the particles' volume fraction. None if the model
        is no dispersion of particles: it fills the volume.
        """
        return None

    def latent(
        self, coordinates: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch parameter"]:
        """Latent numbers of the unknowns from coordinates that a curve tells apart.

        Both are independent standard normals under the prior, so that it makes no
        difference to a result in which of them a posterior is sampled; but in the
        latter it has no ridges along which the curve stays exactly the same. Only the
        ``entangled`` columns change.
        """
        return coordinates

    def heights(self, coordinates: Float[Tensor, "batch parameter"]) -> Heights | None:
        """What the height of a curve, its scale known, tells of the ``unseen`` number.

        None if there is no such number.
        """
        return None

    def log_height(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, " batch"]:
        """Logarithm of that height; the curve is proportional to it."""
        return theta.new_zeros(len(theta))

    def dependent_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch dependent"]:
        """Values of the ``dependent`` columns, each in its unit."""
        return theta[:, :0]

    def derived_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch derived"]:
        """Values of the ``derived`` quantities, each in its unit."""
        return theta[:, :0]

    def phase_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch phase 3"]:
        """Fraction, contrast and length [nm] of each of the ``phases``.

        Not a number where the model does not say it.
        """
        return theta.new_full((len(theta), len(self.phases), 3), math.nan)

    def lookalikes(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "likeness batch parameter"]:
        """Other points that may scatter a curve that is hard to tell from this one.

        Searches climb from there. One may lie outside of the prior; the caller keeps
        what lies inside.
        """
        return theta[None][:0]

    def mirrors(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "mirror batch parameter"]:
        """Other points that scatter (almost) the same curve up to scale.

        A mirror may lie outside of the prior; the caller keeps what lies inside.
        """
        return theta[None][:0]
