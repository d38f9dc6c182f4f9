"""The functions of a recipe that rebuilds a trained model, answers rows with it and times a call."""

from __future__ import annotations

import re

from efficiency.condition import Condition
from efficiency.recipes.model_source import Build
from efficiency.recipes.parts import Parts, function, on_device, settled, switches, within
from efficiency.techniques.base import Technique
from efficiency.techniques.recipe import Recipe

CALLS = 50


def parts(build: Build, recipe: Recipe, chosen: list[Technique], condition: Condition) -> Parts:
    """Of the variant that `recipe` makes of the model that `build` gives."""
    return Parts(
        [
            _trained_model(build, condition),
            *([_rebuild(recipe)] if recipe.model else []),
            _answer(recipe),
            _main(recipe, chosen, condition),
        ],
        constants={"CALLS": CALLS},
    )


def _trained_model(build: Build, condition: Condition) -> str:
    return function(
        "trained_model() -> nn.Module",
        "The FP32 model with its trained weights.",
        f"""\
{build.before}\
model = {build.call}
model.load_state_dict(load_file(FOLDER / "weights.safetensors"))
return model.eval(){on_device(condition)}
""",
    )


def _rebuild(recipe: Recipe) -> str:
    takes = "model: nn.Module" + (", sample: torch.Tensor" if re.search(r"\bsample\b", recipe.model) else "")
    return function(f"rebuild({takes})", "The variant, made of the FP32 model.", f"{recipe.model}return model\n")


def _answer(recipe: Recipe) -> str:
    body = within((recipe.grad_mode, recipe.around), f"{recipe.convert}return {recipe.answer}\n")
    return function("answer(model, inputs: torch.Tensor) -> torch.Tensor", "Scores [N, classes], one call.", body)


def _main(recipe: Recipe, chosen: list[Technique], condition: Condition) -> str:
    given = ", inputs[:BATCH_SIZE]" if re.search(r"\bsample\b", recipe.model) else ""
    model = f"model = rebuild(trained_model(){given})\n" if recipe.model else "model = trained_model()\n"
    threads = "torch.set_num_threads(THREADS)\n"
    # Some compile for the threads there are then; who learns has all of them.
    steps = threads + model if any(t.runtime and t.runtime.specialised for t in chosen) else model + threads
    where = ', device="cuda"' if condition.device == "cuda" else ""
    return function(
        "main() -> None",
        "Rebuild the variant, answer every row, keep the scores, and time a call.",
        f"""\
{switches(recipe, condition)}\
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
{settled(condition)}\
    times_ms.append(1e3 * (time.perf_counter() - started))
print(f"Batch {{BATCH_SIZE}}, threads {{THREADS}}: median of {{CALLS}} calls {{statistics.median(times_ms):.3f}} ms.")
""",
    )
