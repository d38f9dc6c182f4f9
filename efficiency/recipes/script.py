"""The script that rebuilds a variant from the trained FP32 weights, put together from what its techniques say."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import reduce

from efficiency import techniques
from efficiency.condition import Condition
from efficiency.errors import BadRequest
from efficiency.recipes import header, model_source
from efficiency.recipes.source import Copied, import_lines, parsed
from efficiency.techniques import compose
from efficiency.techniques.base import Stage, Technique
from efficiency.techniques.recipe import Recipe
from efficiency.tolerance import TOLERANCE_PP
from efficiency.workloads.base import Workload

CALLS = 50
_IMPORTS = (
    "import statistics",
    "import time",
    "from pathlib import Path",
    "import torch",
    "from safetensors.torch import load_file, save_file",
    "from torch import nn",
)


def of(
    keys: tuple[str, ...],
    workload: Workload,
    condition: Condition,
    *,
    dataset: str | None = None,
    seed: int = 0,
    tolerance_pp: float = TOLERANCE_PP,
    measured: str = "",
) -> str:
    """A complete Python script for the variant of these techniques; with none, for the baseline.

    `workload` is what `workloads.describe` gives, `dataset` the key of one of its data sets (None: its own), `seed`
    and `tolerance_pp` are the study's; `measured` is a sentence for the header that says where. Raises `BadRequest`
    where there is no recipe.
    """
    if condition.phase != "inference":
        raise BadRequest(
            "There is no recipe of a row of training: a recipe rebuilds a trained model, to answer with it."
        )
    if reason := compose.clash(keys):
        raise BadRequest(f"There is no recipe: {reason}")
    chosen, recipe, build = techniques.in_order(keys), joined(keys, workload, condition), model_source.of(workload)
    copied = Copied()
    for line in (*_IMPORTS, *build.imports, *recipe.imports):
        for one in parsed(line):
            copied.need(one)
    for place in (*build.uses, *recipe.uses):
        copied.add(place)
    functions = [
        _trained_model(build.call, condition),
        *([_rebuild(recipe)] if recipe.model else []),
        _answer(recipe),
        _main(recipe, chosen, condition),
    ]
    code = "\n\n\n".join([*copied.definitions, *functions])
    values = {
        "FOLDER": "Path(__file__).resolve().parent",
        "CLASSES": len(workload.dataset(dataset).classes),
        "BATCH_SIZE": condition.batch_size,
        "THREADS": condition.threads,
        "SEED": seed,
        "TOLERANCE_PP": tolerance_pp,
        "CALLS": CALLS,
    }
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
        own = technique.recipe(workload, condition)
        heading = Recipe(model=f"# {technique.label}\n" if own.model else "")
        if technique.stage is Stage.RUNTIME and before.convert:
            before = _converting(before)
        return before.then(heading).then(own)

    return reduce(add, techniques.in_order(keys), baseline)


def _converting(recipe: Recipe) -> Recipe:
    """With what is done to the input inside the model, which a runtime takes as a whole."""
    convert = _function(
        "convert(inputs: torch.Tensor) -> torch.Tensor", "As the model takes it.", f"{recipe.convert}return inputs\n"
    )
    inside = f"\n{convert}\n\nmodel = Converting(model, convert).eval()\n"
    uses = ("efficiency.techniques.converting:Converting",)
    return replace(recipe, convert="").then(Recipe(model=inside, uses=uses))


def _function(head: str, said: str, body: str) -> str:
    lines = (f"    {line}" if line else "" for line in body.rstrip().split("\n"))
    return "\n".join([f"def {head}:", f'    """{said}"""', *lines])


def _trained_model(call: str, condition: Condition) -> str:
    there = "" if condition.device == "cpu" else f'.to("{condition.device}")'
    return _function(
        "trained_model() -> nn.Module",
        "The FP32 model with its trained weights.",
        f"""\
model = {call}
model.load_state_dict(load_file(FOLDER / "weights.safetensors"))
return model.eval(){there}
""",
    )


def _rebuild(recipe: Recipe) -> str:
    takes = "model: nn.Module" + (", sample: torch.Tensor" if re.search(r"\bsample\b", recipe.model) else "")
    return _function(f"rebuild({takes})", "The variant, made of the FP32 model.", f"{recipe.model}return model\n")


def _answer(recipe: Recipe) -> str:
    around = ", ".join(filter(None, (recipe.grad_mode, recipe.around)))
    body = f"{recipe.convert}return {recipe.answer}\n"
    if around:
        body = f"with {around}:\n" + re.sub("^", "    ", body, flags=re.MULTILINE).rstrip()
    return _function("answer(model, inputs: torch.Tensor) -> torch.Tensor", "Scores [N, classes], one call.", body)


def _main(recipe: Recipe, chosen: list[Technique], condition: Condition) -> str:
    given = ", inputs[:BATCH_SIZE]" if re.search(r"\bsample\b", recipe.model) else ""
    model = f"model = rebuild(trained_model(){given})\n" if recipe.model else "model = trained_model()\n"
    threads = "torch.set_num_threads(THREADS)\n"
    # Some compile for the threads there are then; who learns has all of them.
    steps = threads + model if any(t.runtime and t.runtime.specialised for t in chosen) else model + threads
    cuda = condition.device == "cuda"
    where = ', device="cuda"' if cuda else ""
    switches = [recipe.session] if recipe.session else []
    if cuda:
        switches.append("torch.backends.cudnn.allow_tf32 = False  # FP32 as it was measured, in convolutions and LSTMs")
    return _function(
        "main() -> None",
        "Rebuild the variant, answer every row, keep the scores, and time a call.",
        f"""\
{"".join(f"{switch}{chr(10)}" for switch in switches)}\
inputs = load_file(FOLDER / "inputs.safetensors"{where})["inputs"]
{steps}\

outputs = torch.cat([answer(model, batch) for batch in inputs.split(BATCH_SIZE)])
save_file({{"outputs": outputs.contiguous()}}, FOLDER / "outputs.safetensors")
print(f"{{len(outputs)}} rows answered; the first are of the classes {{outputs.argmax(dim=1)[:10].tolist()}}.")

# One process, and no interval: to compare two variants, run both in turn, several times.
times_ms = []
for _ in range(CALLS):
    started = time.perf_counter()
    answer(model, inputs[:BATCH_SIZE])
{"    torch.cuda.synchronize()" + chr(10) if cuda else ""}\
    times_ms.append(1e3 * (time.perf_counter() - started))
print(f"Batch {{BATCH_SIZE}}, threads {{THREADS}}: median of {{CALLS}} calls {{statistics.median(times_ms):.3f}} ms.")
""",
    )
