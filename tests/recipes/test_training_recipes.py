"""Every recipe of training trains the model as the study did: the same losses, and answers of the same bits."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from apart import running, well_formed
from safetensors.torch import load_file, save_file

from efficiency import recipes, workloads
from efficiency.analysis.training import loss_at_end
from efficiency.condition import Condition
from efficiency.effort import steps_for
from efficiency.engine import inputs
from efficiency.engine import training_steps as engine
from efficiency.errors import BadRequest
from efficiency.recipes import Wanted, bundle
from efficiency.study import TRAINING_COMBINATIONS, TRAINING_EFFORTS
from efficiency.techniques import TECHNIQUES, compose

ROWS, ANSWERED, SEED = 160, 8, 3
CONDITION = Condition(batch_size=8, threads=1, phase="training")
CNN, TRANSFORMER = "vision-small-cnn", "transformer-encoder"
SERVING = [(key,) for key, technique in TECHNIQUES.items() if technique.training is not None]
COMBINED = [keys for combined in TRAINING_COMBINATIONS.values() for keys in combined]
COMPILED = max(COMBINED, key=len)
"""Of all with torch.compile this one stands for the others: each compiles for a quarter of a minute."""
RUN = [(), *(keys for keys in (*SERVING, *COMBINED) if "torch-compile" not in keys), COMPILED]
CASES = [(CNN, keys) for keys in dict.fromkeys(RUN)] + [(TRANSFORMER, ()), (TRANSFORMER, ("amp-bf16",))]
HUNG_S = 600
pytestmark = pytest.mark.timeout(2 * HUNG_S)


def named(name: str, keys: tuple[str, ...]) -> str:
    return f"{name}-{'+'.join(keys) or 'baseline'}"


def rows_for(keys: tuple[str, ...]) -> int:
    """A step of the transformer in 16 bits takes ten seconds on processors without instructions for them: two steps
    tell whether the first one changed the weights as it should."""
    return ROWS // 10 if {"amp-bf16", "amp-fp16"} & set(keys) else ROWS


def recipe(name: str, keys: tuple[str, ...]) -> str:
    return recipes.of(keys, workloads.get(name), CONDITION, seed=SEED, training_rows=rows_for(keys))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which all of them have run."""
    home = tmp_path_factory.mktemp("training-recipes")
    scripts = []
    for name, keys in CASES:
        folder = home / named(name, keys)
        folder.mkdir()
        workload = workloads.get(name)
        data = workload.dataset(None)
        rows, labels = inputs.training_rows(workload, data, CONDITION, rows_for(keys))
        save_file({"inputs": rows, "labels": labels}, folder / "training.safetensors")
        save_file(
            {"inputs": inputs.encoded(workload, data, CONDITION, "test", ANSWERED)[0]}, folder / "inputs.safetensors"
        )
        (folder / "recipe.py").write_text(recipe(name, keys))
        scripts.append(str(folder / "recipe.py"))
    with running(scripts, home / "said.txt") as process:
        assert process.wait(timeout=HUNG_S) == 0, (home / "said.txt").read_text()
    return home


def trained(name: str, keys: tuple[str, ...], folder: Path) -> tuple[list[float | None], torch.Tensor]:
    """The losses of the engine's own training, and what the model then answers."""
    workload = workloads.get(name)
    rows = load_file(folder / "training.safetensors")
    answered = load_file(folder / "inputs.safetensors")["inputs"]
    sample, labels = inputs.sample(workload, workload.dataset(None), CONDITION)
    initial = engine.initial(workload, workload.dataset(None).key, "cpu", SEED)
    variant = {"techniques": list(keys), "artefact": str(folder / "compiled")}
    step = engine.step_of(variant, workload, initial, sample, labels)
    steps = steps_for(rows_for(keys), CONDITION.batch_size)
    losses = engine.losses(
        step, workload.training, (rows["inputs"], rows["labels"]), CONDITION.batch_size, steps, order=SEED, seed=SEED
    )
    plain = compose.prepare((), step.prepared.module, answered, {})
    with plain.session[0]():
        call = plain.caller()
        return losses, torch.cat([call(part) for part in answered.split(CONDITION.batch_size)])


@pytest.mark.parametrize(("name", "keys"), CASES, ids=[named(*case) for case in CASES])
def test_it_trains_as_the_study_did(name: str, keys: tuple[str, ...], ran: Path) -> None:
    folder = ran / named(name, keys)
    assert not (folder / "error.txt").is_file(), (folder / "error.txt").read_text()
    before = torch.get_num_threads()
    torch.set_num_threads(CONDITION.threads)
    try:
        losses, outputs = trained(name, keys, folder)
    finally:
        torch.set_num_threads(before)
    found = load_file(folder / "outputs.safetensors")["outputs"]
    torch.testing.assert_close(found, outputs, rtol=0.0, atol=0.0)
    end = loss_at_end(losses)
    said = f"{len(losses)} steps: the loss went from {losses[0]:.3f} to {end:.3f}, the mean of the last tenth."
    assert (folder / "said.txt").read_text().startswith(said)
    weights = load_file(folder / "trained.safetensors")
    workload = workloads.get(name)
    workload.build(len(workload.dataset(None).classes)).load_state_dict(weights)


def test_they_are_formatted_and_nothing_in_them_is_unused(tmp_path: Path) -> None:
    for name in workloads.WORKLOADS:
        for number, keys in enumerate(dict.fromkeys([(), *SERVING, *COMBINED])):
            for device in ("cpu", "cuda"):
                text = recipes.of(keys, workloads.get(name), replace(CONDITION, device=device))
                (tmp_path / f"{name.replace('-', '_')}_{device}_{number}.py").write_text(text)
    well_formed(tmp_path)


def test_what_is_for_inference_alone_has_none() -> None:
    with pytest.raises(BadRequest, match="static-int8 is for inference"):
        recipe(CNN, ("static-int8",))


def test_the_zip_needs_no_checkpoint_and_runs(tmp_path: Path) -> None:
    workload = workloads.describe(CNN)
    effort = replace(TRAINING_EFFORTS["quick"], training_rows=ROWS)
    asked = Wanted(("amp-bf16",), workload, workload.dataset(None).key, CONDITION, effort, SEED, 0.5, "Measured here.")
    with (tmp_path / "all.zip").open("wb") as file:
        bundle.make(asked, file)
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        archive.extractall(tmp_path)
        assert sorted(archive.namelist()) == [
            "README.txt", "inputs.safetensors", "recipe.py", "requirements.txt", "training.safetensors",
        ]  # fmt: skip
    assert "trains the model" in (tmp_path / "README.txt").read_text()
    done = subprocess.run([sys.executable, "-I", tmp_path / "recipe.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.match(r"20 steps: the loss went from \d", done.stdout)


def test_what_a_users_file_sets_comes_before_the_seed_and_the_threads_of_the_study(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    mine = replace(workloads.get(CNN), source=f"{tmp_path / 'mine.py'}:make")
    text = recipes.of((), mine, CONDITION, seed=SEED)
    main = text[text.index("def main()") :]
    order = [main.index(part) for part in ("from_file(", "set_num_threads", "manual_seed(SEED)", "workload.build(")]
    assert order == sorted(order)
