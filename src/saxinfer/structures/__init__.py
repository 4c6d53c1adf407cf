"""The structure models, by name. To add one: write its file, list it here."""

import functools

from saxinfer.structures.base import Structure
from saxinfer.structures.cellulose import Cellulose
from saxinfer.structures.core_shell_sphere import CoreShellSphere
from saxinfer.structures.from_sasmodels import PREFIX, FromSasmodels
from saxinfer.structures.interacting import SUFFIX, combination
from saxinfer.structures.lnp import Lnp
from saxinfer.structures.sphere import Sphere
from saxinfer.structures.three_phase import ThreePhase
from saxinfer.structures.two_phase import TwoPhase
from saxinfer.structures.wood import Wood

__all__ = ["MODELS", "Structure", "get_structure"]

MODELS: dict[str, Structure] = {
    model.name: model
    for model in (
        Sphere(),
        CoreShellSphere(),
        Cellulose(),
        TwoPhase(),
        ThreePhase(),
        Wood(),
        Lnp(),
    )
}


@functools.cache
def get_structure(name: str) -> Structure:
    """The model of a name.

    ``sasmodels:NAME`` is one of sasmodels, ``NAME@hardsphere`` one of ours that is made
    of spheres, with hard spheres between them.

    Raises:
        ValueError: If there is none; the sentence lists the known names.

    Example:
        >>> get_structure("sphere").space.names
        ('radius_mean', 'radius_std')
    """
    if name.startswith(PREFIX):
        return FromSasmodels(name.removeprefix(PREFIX))
    if "@" in name:
        return combination(name, MODELS)
    if name not in MODELS:
        raise ValueError(
            f"Unknown model '{name}'. Known models: {', '.join(MODELS)}, those of "
            f"spheres with {SUFFIX} after the name, and {PREFIX}NAME for those of "
            "sasmodels."
        )
    return MODELS[name]
