"""Every recipe rebuilds its variant: run where this project cannot be imported, it gives the variant's scores."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from apart import running, well_formed
from safetensors.torch import load_file, save_file

from efficiency import recipes, workloads
from efficiency.condition import Condition
from efficiency.machine import OPTIONAL, Machine, this_machine
from efficiency.recipes.answering import CALLS
from efficiency.study import COMBINATIONS, PRESET_TECHNIQUES, QUICK_WORKLOADS
from efficiency.techniques import TECHNIQUES, compose
from efficiency.techniques.base import Data, Prepared
from efficiency.workloads import checkpoints

CNN, LSTM, TRANSFORMER = QUICK_WORKLOADS
CONDITION = Condition(batch_size=4, threads=1)
ROWS, LEARNING_ROWS, AGREEING_ROWS = 8, 64, 128
OPENED = ("static-int8", "qat-int8", "dynamic-int8")
"""Of a transformer, whose encoder is opened first: another recipe than a convolutional network's."""


PT2E = tuple(key for key in TECHNIQUES if key.startswith("pt2e-"))
"""Each compiles for a quarter of a minute: what `test_every_technique.py` asks of all others is asked of these here."""
FOLDING = ("pt2e-qat-int8",)
"""torchao takes half a minute to look for batch norms that it can fold, where there are some."""


def applying(keys: tuple[str, ...], condition: Condition = CONDITION, machine: Machine | None = None) -> str | None:
    """The first small workload that the techniques apply to, here where no machine is given."""
    if keys == FOLDING:
        return TRANSFORMER
    machine = machine or this_machine()
    reasons = {name: compose.why_not(keys, workloads.get(name), condition, machine) for name in QUICK_WORKLOADS}
    return next((name for name, reason in reasons.items() if reason is None), None)


def every() -> list[tuple[str, ...]]:
    """Every technique, and the presets' combinations."""
    combined = [keys for preset in COMBINATIONS for keys in COMBINATIONS[preset]]
    return [*((key,) for key in TECHNIQUES), *dict.fromkeys(combined)]


def cases() -> Iterator[tuple[str, tuple[str, ...]]]:
    """The baseline, every technique, and the presets' combinations, each on the smallest workload that takes it."""
    yield CNN, ()
    yield "vision-resnet18", ()
    for keys in every():
        if keys == ("amp-fp16",):
            yield CNN, keys  # refused on a CPU for its pace alone
        elif (name := applying(keys)) is not None:
            yield name, keys
    yield CNN, ("bf16-weights", "torch-compile")  # whose package holds what is done to the input
    yield from ((TRANSFORMER, (key,)) for key in OPENED)


CASES = list(dict.fromkeys(cases()))
COMPILED = [(name, keys) for name, keys in CASES if keys and set(keys) <= set(PT2E)]
GPU = replace(
    this_machine(), gpus=("A GPU",), torch_cuda="13.0", compute_capability="9.0", cpp_compiler="g++",
    installed=tuple(OPTIONAL),
)  # fmt: skip
GPU_ALONE = [
    keys
    for keys in every()
    if keys not in {keys for _, keys in CASES} and applying(keys, Condition(device="cuda", batch_size=4), GPU)
]
"""What no CPU runs: that its recipe is a script without loose ends is all that can be tested here."""


class Rows:
    """A workload's reference and the rows of its recipe's files."""

    def __init__(self, name: str) -> None:
        self.workload = workloads.get(name)
        data = self.workload.dataset(None)
        self.model = checkpoints.load(self.workload, data)
        self.inputs, self.calibration, self.training = (
            self.workload.encode(data.load(split, count).inputs)
            for split, count in (("test", ROWS), ("calibration", LEARNING_ROWS), ("train", LEARNING_ROWS))
        )
        self.labels = torch.from_numpy(data.load("train", LEARNING_ROWS).labels)

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        save_file(self.model.state_dict(), folder / "weights.safetensors")
        save_file({"inputs": self.inputs}, folder / "inputs.safetensors")
        save_file({"inputs": self.calibration}, folder / "calibration.safetensors")
        save_file({"inputs": self.training, "labels": self.labels}, folder / "training.safetensors")

    def scores(self, keys: tuple[str, ...], artefact: Path) -> torch.Tensor:
        """The variant's, as the engine prepares it: learned with all threads, called with the condition's."""
        sample = self.inputs[: CONDITION.batch_size]
        data = Data(lambda: self.calibration, lambda: (self.training, self.labels))
        learned = compose.learn(keys, self.model, sample, data)
        with threads_of_the_condition():
            compose.package(keys, self.model, sample, learned, artefact)
            prepared = compose.prepare(keys, self.model, sample, learned, artefact)
            with ExitStack() as session:
                for manager in prepared.session:
                    session.enter_context(manager())
                return answers(prepared, self.inputs)


def answers(prepared: Prepared, inputs: torch.Tensor) -> torch.Tensor:
    call = prepared.caller()
    return torch.cat([call(batch).detach() for batch in inputs.split(CONDITION.batch_size)])


@contextmanager
def threads_of_the_condition() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(CONDITION.threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


HUNG_S = 900
"""No limit on how fast it is: all variants and recipes are made before the first case, minutes on a busy machine."""
pytestmark = pytest.mark.timeout(2 * HUNG_S)


@dataclass(frozen=True)
class Running:
    """The process that starts the recipes, and the folder that holds theirs."""

    process: subprocess.Popen[bytes]
    home: Path


@pytest.fixture(scope="module")
def known() -> dict[str, Rows]:
    return {name: Rows(name) for name in dict(CASES)}


def named(keys: tuple[str, ...]) -> str:
    return "+".join(keys) or "baseline"


@pytest.fixture(scope="module")
def ran(known: dict[str, Rows], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """All recipes, run one after the other in processes that have this project nowhere to import it from."""
    home = tmp_path_factory.mktemp("recipes")
    scripts = []
    for name, keys in CASES:
        folder = home / name / named(keys)
        known[name].write(folder)
        text = recipes.of(keys, known[name].workload, CONDITION)
        # The times are nothing to compare, and FP16 is slow here.
        (folder / "recipe.py").write_text(text.replace(f"CALLS = {CALLS}\n", "CALLS = 2\n"))
        scripts.append(str(folder / "recipe.py"))
    with running(scripts, home / "said.txt") as process:
        yield Running(process, home)


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the variants' own are, by workload and variant."""
    return tmp_path_factory.mktemp("artefacts")


@pytest.fixture(scope="module")
def expected(known: dict[str, Rows], ran: Running, artefacts: Path) -> dict[tuple[str, tuple[str, ...]], torch.Tensor]:
    """The variants' own scores, made while the recipes run beside."""
    scores = {(name, keys): known[name].scores(keys, artefacts / name / named(keys)) for name, keys in CASES}
    assert ran.process.wait(timeout=HUNG_S) == 0, (ran.home / "said.txt").read_text()
    return scores


@pytest.mark.parametrize(("name", "keys"), CASES, ids=[f"{name}-{named(keys)}" for name, keys in CASES])
def test_a_recipe_gives_the_variants_scores(
    name: str,
    keys: tuple[str, ...],
    expected: dict[tuple[str, tuple[str, ...]], torch.Tensor],
    ran: Running,
) -> None:
    folder = ran.home / name / named(keys)
    assert not (folder / "error.txt").is_file(), (folder / "error.txt").read_text()
    outputs = load_file(folder / "outputs.safetensors")["outputs"]
    # The same bits: the same kernels are given the same numbers, and what is trained is trained from one seed.
    torch.testing.assert_close(outputs, expected[name, keys], rtol=0.0, atol=0.0)


@pytest.mark.parametrize(("name", "keys"), COMPILED, ids=[f"{name}-{named(keys)}" for name, keys in COMPILED])
def test_pt2e_shows_its_effect_agrees_with_fp32_and_is_loaded_again(
    name: str,
    keys: tuple[str, ...],
    known: dict[str, Rows],
    expected: dict[tuple[str, tuple[str, ...]], torch.Tensor],
    artefacts: Path,
    ran: Running,
) -> None:
    rows = known[name]
    inputs = rows.workload.encode(rows.workload.dataset(None).load("test", AGREEING_ROWS).inputs)
    sample = inputs[: CONDITION.batch_size]
    with threads_of_the_condition():
        prepared = compose.prepare(keys, None, sample, {}, artefacts / name / named(keys))
        with prepared.session[-1](), torch.no_grad():
            found, fp32 = answers(prepared, inputs), rows.model(inputs)
            shown = compose.evidence(keys, prepared, sample, rows.model, {})
    torch.testing.assert_close(found[:ROWS], expected[name, keys], rtol=0.0, atol=0.0)
    assert {key: seen.took_effect for key, seen in shown.items()} == dict.fromkeys(keys, "yes"), shown
    agreement = (found.argmax(1) == fp32.argmax(1)).float().mean()
    assert agreement >= 0.9, f"only {agreement:.0%} of the answers are the reference's"
    # The model that it was made of is as it was.
    assert not rows.model.training
    weights = load_file(ran.home / name / named(keys) / "weights.safetensors")
    assert all(torch.equal(weights[key], value) for key, value in rows.model.state_dict().items())


def test_every_technique_and_every_combination_of_a_preset_has_a_case() -> None:
    covered = {*(keys for _, keys in CASES), *GPU_ALONE}
    assert {("float8-dynamic",), ("cuda-graphs",)} <= set(GPU_ALONE)
    assert {(key,) for key in TECHNIQUES} <= covered
    assert {(key,) for keys in PRESET_TECHNIQUES.values() for key in keys} <= covered
    assert {keys for combined in COMBINATIONS.values() for keys in combined} <= covered


def test_all_recipes_are_formatted_and_nothing_in_them_is_unused(tmp_path: Path) -> None:
    for name in workloads.WORKLOADS:
        for number, keys in enumerate(dict.fromkeys([*(keys for _, keys in CASES), *GPU_ALONE])):
            for device in ("cpu", "cuda"):
                text = recipes.of(keys, workloads.get(name), Condition(device=device, batch_size=8, threads=2))
                (tmp_path / f"{name.replace('-', '_')}_{device}_{number}.py").write_text(text)
    of_one_row = recipes.of(("mixed-int8",), workloads.get(CNN), Condition())  # it has more to say of a single row
    (tmp_path / "one_row.py").write_text(of_one_row)
    well_formed(tmp_path)
