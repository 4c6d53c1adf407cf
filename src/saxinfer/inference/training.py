"""Training a posterior network on curves simulated as they are needed.

Every step draws fresh parameters, fresh instruments (half of them standard tier, half
hard) and fresh noise from one seeded generator: the network never sees a curve twice,
and the same seed gives the same weights. A checkpoint beside the result lets a killed
run go on, and a figure on curves that stay the same says how well it has learnt.
"""

from collections.abc import Callable
from pathlib import Path

from saxinfer.inference.card import survey_estimator, write_estimator
from saxinfer.inference.checkpoint import Checkpoint, read_checkpoint
from saxinfer.inference.npe import PosteriorNetwork
from saxinfer.inference.recipe import Course, Recipe, recipe_for
from saxinfer.inference.training_curves import GRIDS, simulate
from saxinfer.inference.validation import EACH, best_of
from saxinfer.structures import get_structure

__all__ = ["GRIDS", "Course", "Recipe", "recipe_for", "simulate", "train"]

# Curves of each tier and use to say at least where features lie.
FEWEST = 32


def train(
    model: str,
    out: Path,
    *,
    recipe: Recipe | None = None,
    course: Course | None = None,
    resume: bool = False,
    progress: Callable[[int, int, str], None] = lambda done, total, note: None,
) -> None:
    """Trains the estimator of a model and writes weights and card.

    Args:
        model: Name of the structure.
        out: Folder to write; made if missing.
        recipe: Length, batch, rate and seed; the shipped estimators' by default.
        course: How it is watched and on what it runs: one device by default, to the
            end.
        resume: Go on from the checkpoint in ``out``, if there is one.
        progress: Called after every few steps with steps done, all steps, and a note;
            then after every few curves that tell what the network is at home in.

    Raises:
        ImportError: If lightning is missing.
        ValueError: If there is no such model, if there are no such devices, or if the
            checkpoint is not one of this training.
    """
    recipe, course = recipe or recipe_for(model), course or Course()
    get_structure(model)
    _check_devices(recipe, course)
    try:
        from saxinfer.inference.descent import Task, descend
    except ImportError as error:
        raise ImportError(
            "training needs lightning. Install it with pip install 'saxinfer[train]'."
        ) from error
    out.mkdir(parents=True, exist_ok=True)
    if resume:
        read_checkpoint(out, recipe, course.devices)
    descend(Task(model, out, recipe, course, resume), progress)
    reached = read_checkpoint(out, recipe, course.devices)
    assert reached is not None
    _write(model, out, recipe, course, reached)
    # A network that saw few curves is not worth many.
    most = max(FEWEST, reached.step * recipe.batch // 8)
    survey_estimator(model, out, most, progress)


def _check_devices(recipe: Recipe, course: Course) -> None:
    course.kind()
    if recipe.batch % course.devices:
        raise ValueError(
            f"A batch of {recipe.batch} curves cannot be shared by {course.devices} "
            "devices. Take a number of devices that divides it."
        )


def _write(
    model: str, out: Path, recipe: Recipe, course: Course, reached: Checkpoint
) -> None:
    """Writes weights and card of where a training ended."""
    steps, figures = zip(*reached.validation, strict=True)
    last = course.patience is None
    structure = get_structure(model)
    network = PosteriorNetwork(structure)
    network.load_state_dict(reached.network if last else reached.best)
    validation = {
        "figure": "mean negative log density of the truth [nat]",
        "curves": 2 * len(GRIDS) * EACH,
        "figures": reached.validation,
        "weights_of_step": steps[-1 if last else best_of(figures)],
    }
    write_estimator(
        out,
        structure,
        network,
        recipe=dict(vars(recipe)),
        losses=reached.losses,
        entries={"command": _command(model, recipe, course), "validation": validation},
    )


def _command(model: str, recipe: Recipe, course: Course) -> str:
    """What makes the same weights."""
    said = f"saxinfer train {model} -o DIR --steps {recipe.steps} --seed {recipe.seed}"
    said += f" --accelerator {'cpu' if course.kind() == 'cpu' else 'gpu'}"
    if course.devices > 1:
        said += f" --devices {course.devices}"
    if course.patience is not None:
        said += f" --patience {course.patience} --every {course.every}"
    return said
