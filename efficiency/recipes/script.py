"""The script that rebuilds a variant, or trains it, put together from what its techniques say."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import reduce

from efficiency import techniques
from efficiency.condition import Condition
from efficiency.effort import steps_for
from efficiency.errors import BadRequest
from efficiency.recipes import answering, header, model_source, training
from efficiency.recipes.parts import IMPORTS, KEEP_FREED, function
from efficiency.recipes.source import Copied, import_lines, parsed
from efficiency.study import TRAINING_EFFORTS
from efficiency.techniques import compose
from efficiency.techniques.base import Stage, Technique
from efficiency.techniques.recipe import Recipe
from efficiency.tolerance import TOLERANCE_PP
from efficiency.workloads.base import Workload


def of(
    keys: tuple[str, ...],
    workload: Workload,
    condition: Condition,
    *,
    dataset: str | None = None,
    seed: int = 0,
    tolerance_pp: float = TOLERANCE_PP,
    training_rows: int = TRAINING_EFFORTS["quick"].training_rows,
    measured: str = "",
) -> str:
    """A complete Python script for the variant of these techniques; with none, for the baseline.

    `workload` is what `workloads.describe` gives, `dataset` the key of one of its data sets (None: its own), `seed`
    and `tolerance_pp` are the study's, and so are the `training_rows` that a row of training saw; `measured` is a
    sentence for the header that says where. Raises `BadRequest` where there is no recipe.
    """
    if reason := compose.clash(keys, condition.phase):
        raise BadRequest(f"There is no recipe: {reason}")
    chosen, recipe, build = techniques.in_order(keys), joined(keys, workload, condition), model_source.of(workload)
    if condition.phase == "training":
        steps = steps_for(training_rows, condition.batch_size)
        parts = training.parts(build, recipe, keys, condition, plan=workload.training, steps=steps)
    else:
        parts = answering.parts(build, recipe, chosen, condition)
    copied = Copied()
    for line in (*IMPORTS, *build.imports, *recipe.imports):
        for one in parsed(line):
            copied.need(one)
    for place in (KEEP_FREED, *build.uses, *recipe.uses, *parts.uses):
        copied.add(place)
    code = "\n\n\n".join([*copied.definitions, *parts.functions])
    values = {
        "FOLDER": "Path(__file__).resolve().parent",
        "CLASSES": len(workload.dataset(dataset).classes),
        "BATCH_SIZE": condition.batch_size,
        "THREADS": condition.threads,
        "SEED": seed,
        "TOLERANCE_PP": tolerance_pp,
        **parts.constants,
    }
    if twice := values.keys() & {constant.partition(" ")[0] for constant in copied.constants}:
        raise ValueError(f"Two constants of one name in a script: {', '.join(sorted(twice))}.")
    constants = [f"{name} = {value}" for name, value in values.items() if re.search(rf"\b{name}\b", code)]
    said = header.of(chosen, workload, condition, measured)
    top = [f'"""{said}"""', import_lines(copied.imports), "\n".join(constants + copied.constants)]
    return "\n\n".join(top) + f'\n\n\n{code}\n\n\nif __name__ == "__main__":\n    main()\n'


def joined(keys: tuple[str, ...], workload: Workload, condition: Condition) -> Recipe:
    """What all techniques of a variant say, in the order they are applied."""
    baseline = Recipe(
        answer="model(inputs)",
        grad_mode="torch.no_grad()",
        session="torch.backends.mha.set_fastpath_enabled(False)" if workload.weights_in.get("attention") else "",
    )

    def add(before: Recipe, technique: Technique) -> Recipe:
        own = _recipe_of(technique, condition)(workload, condition)
        heading = Recipe(model=f"# {technique.label}\n" if own.model else "")
        if technique.stage is Stage.RUNTIME and before.convert and condition.phase == "inference":
            before = _converting(before)
        return before.then(heading).then(own)

    return reduce(add, techniques.in_order(keys), baseline)


def _recipe_of(technique: Technique, condition: Condition) -> Callable[[Workload, Condition], Recipe]:
    if condition.phase == "inference":
        return technique.recipe
    if technique.training is None:
        raise BadRequest(f"There is no recipe: {technique.key} is for inference; leave it out.")
    return technique.training.recipe


def _converting(recipe: Recipe) -> Recipe:
    """With what is done to the input inside the model, which a runtime takes as a whole."""
    convert = function(
        "convert(inputs: torch.Tensor) -> torch.Tensor", "As the model takes it.", f"{recipe.convert}return inputs\n"
    )
    inside = f"\n{convert}\n\nmodel = Converting(model, convert).eval()\n"
    uses = ("efficiency.techniques.converting:Converting",)
    return replace(recipe, convert="").then(Recipe(model=inside, uses=uses))
