"""The functions of a recipe that trains a model for as many steps as a study did, and says what a step took."""

from __future__ import annotations

from efficiency import techniques
from efficiency.condition import Condition
from efficiency.recipes.model_source import Build
from efficiency.recipes.parts import Parts, function, on_device, settled, switches, within
from efficiency.techniques.recipe import Recipe
from efficiency.workloads.base import Training

ROUTINE = "efficiency.workloads.training"


def parts(
    build: Build, recipe: Recipe, keys: tuple[str, ...], condition: Condition, *, plan: Training, steps: int
) -> Parts:
    """Of the step that `recipe` makes of the untrained model that `build` gives."""
    scaled = any(one.training is not None and one.training.scales_loss for one in techniques.in_order(keys))
    return Parts(
        [
            *([_prepared(recipe)] if recipe.model else []),
            _step(recipe, scaled),
            _main(build, recipe, condition, scaled),
        ],
        tuple(f"{ROUTINE}:{name}" for name in ("batches", "loss_of", "one_cycle", "optimizer_of")),
        {"STEPS": steps, "PEAK_LEARNING_RATE": plan.peak_learning_rate, "WEIGHT_DECAY": plan.weight_decay},
    )


def _prepared(recipe: Recipe) -> str:
    return function("prepared(model: nn.Module)", "The model as a step calls it.", f"{recipe.model}return model\n")


def _step(recipe: Recipe, scaled: bool) -> str:
    backward = "loss.backward()\noptimizer.step()\n"
    if scaled:
        backward = "scaler.scale(loss).backward()\nscaler.step(optimizer)\nscaler.update()\n"
    forward = within((recipe.around,), f"{recipe.convert}loss = loss_of(model(inputs), labels)\n")
    return function(
        f"step(model, optimizer{', scaler' if scaled else ''}, inputs, labels) -> torch.Tensor",
        "One training step; the loss that it began with.",
        f"optimizer.zero_grad()\n{forward}{backward}return loss.detach()\n",
    )


def _main(build: Build, recipe: Recipe, condition: Condition, scaled: bool) -> str:
    there = on_device(condition)
    moved = f"    inputs, labels = inputs{there}, labels{there}\n" if there else ""
    return function(
        "main() -> None",
        "Train, keep the weights and what they answer, and say what a step took.",
        f"""\
{build.before}\
{switches(recipe, condition)}\
torch.set_num_threads(THREADS)
torch.manual_seed(SEED)
trained = {build.call}.train(){there}
model = {"prepared(trained)" if recipe.model else "trained"}
optimizer = optimizer_of(trained, PEAK_LEARNING_RATE, WEIGHT_DECAY)
schedule = one_cycle(optimizer, PEAK_LEARNING_RATE, STEPS)
{f'scaler = torch.amp.GradScaler("{condition.device}")' + chr(10) if scaled else ""}\

rows = load_file(FOLDER / "training.safetensors")
torch.manual_seed(SEED)  # of dropout
losses, times_ms = [], []
for inputs, labels in batches(rows["inputs"], rows["labels"], BATCH_SIZE, STEPS, SEED):
{moved}\
    started = time.perf_counter()
    losses.append(step(model, optimizer{", scaler" if scaled else ""}, inputs, labels))
{settled(condition)}\
    times_ms.append(1e3 * (time.perf_counter() - started))
    schedule.step()
last = torch.stack(losses[-max(1, round(STEPS / 10)) :]).float().mean().item()
print(f"{{STEPS}} steps: the loss went from {{losses[0].item():.3f}} to {{last:.3f}}, the mean of the last tenth.")
# Without the first, and without an interval: to compare two variants, run both in turn, several times.
print(f"Batch {{BATCH_SIZE}}, threads {{THREADS}}: median of a step {{statistics.median(times_ms[1:]):.3f}} ms.")

# Safetensors takes no memory that two of them share, as tied weights do.
weights = {{
    name: value.cpu().clone(memory_format=torch.contiguous_format) for name, value in trained.state_dict().items()
}}
save_file(weights, FOLDER / "trained.safetensors")
trained.eval()
with torch.no_grad():
    inputs = load_file(FOLDER / "inputs.safetensors")["inputs"]
    outputs = torch.cat([trained(batch{there}) for batch in inputs.split(BATCH_SIZE)])
save_file({{"outputs": outputs.cpu().contiguous()}}, FOLDER / "outputs.safetensors")
print(f"{{len(outputs)}} rows answered; the first are of the classes {{outputs.argmax(dim=1)[:10].tolist()}}.")
""",
    )
