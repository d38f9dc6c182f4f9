"""CUDA graphs as far as that goes without a GPU: where they apply, what they say, and that a refusal is a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from efficiency import recipes
from efficiency.condition import Condition
from efficiency.errors import VariantFailed
from efficiency.measure.launches import Launches
from efficiency.techniques import TECHNIQUES, compose, cuda_graphs, in_order, matrix_table
from efficiency.techniques.graphed import Graphed
from efficiency.workloads import WORKLOADS

WITH_GPU = replace(matrix_table.MACHINE, gpus=("A GPU",), torch_cuda="13.0")
ON_GPU = Condition(device="cuda")
KEY = "cuda-graphs"


def model_and_rows() -> tuple[nn.Module, torch.Tensor]:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4)).eval(), torch.randn(3, 8)


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda workload: workload.key)
def test_why_not(workload) -> None:
    def why_not(condition: Condition) -> str | None:
        return compose.why_not((KEY,), workload, condition, WITH_GPU)

    assert why_not(ON_GPU) is None
    assert "a CPU has none" in str(why_not(Condition()))
    assert "to train use torch-compile" in str(why_not(Condition(device="cuda", phase="training")))


def test_a_replay_stands_with_what_is_in_the_graph_and_not_with_what_is_around_it() -> None:
    for keys in ((KEY, "torch-compile"), (KEY, "bf16-weights", "channels-last"), (KEY, "inference-mode")):
        assert compose.clash(keys) is None
    for other in ("amp-fp16", "fast-path", "grad-enabled"):
        assert "launches what was captured" in str(compose.clash((KEY, other)))
    assert "TorchScript" in str(compose.clash((KEY, "optimize-for-inference")))


def test_it_is_captured_after_all_that_is_to_be_in_the_graph() -> None:
    together = ("inference-mode", KEY, "torch-compile", "channels-last", "int8-dynamic")
    order = [technique.key for technique in in_order(together)]
    assert order == ["int8-dynamic", "channels-last", "torch-compile", KEY, "inference-mode"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="Here it can be captured.")
def test_where_nothing_can_be_captured_a_sentence_says_so() -> None:
    model, rows = model_and_rows()
    with pytest.raises(VariantFailed, match="could not capture this model's call") as refused:
        compose.prepare((KEY,), model, rows, {})
    assert str(refused.value).endswith("without cuda-graphs.")


@pytest.mark.parametrize(
    ("now", "before", "took_effect", "said"),
    [
        (Launches(1, 1), Launches(40, 0), "yes", "one graph and 1 kernels beside; without it, 40 kernels"),
        (Launches(0, 1), Launches(40, 0), "yes", "one graph and nothing else"),
        (Launches(1, 1), Launches(1, 0), "partly", "without it, 1 kernels"),
        (Launches(40, 0), Launches(40, 0), "no", "no graph"),
        (None, Launches(40, 0), "partly", "could not be seen"),
        (Launches(1, 1), None, "partly", "could not be seen"),
    ],
)
def test_what_the_launches_say(now: Launches | None, before: Launches | None, took_effect: str, said: str) -> None:
    shown = cuda_graphs.judged(now, before)
    assert shown.took_effect == took_effect
    assert said in shown.reason


def test_evidence_of_weights_is_taken_from_the_model_that_was_captured() -> None:
    """A replay shows the dispatcher nothing: seen through it, no weight would compute in 16 bits."""
    model, rows = model_and_rows()
    keys = ("bf16-weights", KEY)
    prepared = compose.prepare(keys[:1], model, rows, {})
    replayed = replace(prepared, model=Graphed(prepared.model))
    shown = compose.evidence(keys, replayed, rows, model, {})
    assert shown["bf16-weights"].took_effect == "yes", shown
    assert shown[KEY].took_effect == "partly"
    assert "could not be seen" in shown[KEY].reason


@pytest.mark.skipif(not torch.cuda.is_available(), reason="It takes a GPU to replay.")
@pytest.mark.parametrize("keys", [(KEY,), (KEY, "inference-mode"), (KEY, "bf16-weights")])
def test_a_replay_gives_the_models_answers_for_each_shape(keys: tuple[str, ...]) -> None:
    model, rows = model_and_rows()
    model, rows = model.cuda(), rows.cuda()
    call = compose.prepare(keys, model, rows, {}).caller()
    eager = compose.prepare(tuple(key for key in keys if key != KEY), model, rows, {}).caller()
    kept = call(rows)
    for inputs in (2 * rows, rows[:1], rows):
        torch.testing.assert_close(call(inputs), eager(inputs))
    torch.testing.assert_close(kept, eager(rows))  # an answer that was given stays


def test_the_recipe_brings_the_code_that_was_measured() -> None:
    text = recipes.of(("bf16-weights", "torch-compile", KEY), WORKLOADS["vision-small-cnn"], ON_GPU)
    compile(text, "recipe.py", "exec")
    assert "class Graphed" in text
    assert "efficiency" not in text.split('"""', 2)[2]
    assert text.index("aoti_load_package(package, run_single_threaded=True)") < text.index("model = Graphed(model)")
    assert TECHNIQUES[KEY].recipe(WORKLOADS["vision-small-cnn"], ON_GPU).model == "model = Graphed(model)\n"
