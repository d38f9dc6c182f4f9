"""Quantization-aware training: fine-tune with rounding in the loop, then lower as static INT8."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from efficiency.techniques import int8
from efficiency.techniques.base import Data, Prepared, Ranges, Stage, Technique, Tensors
from efficiency.techniques.recipe import Recipe
from efficiency.techniques.traced import followed_by_fx

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.fx import GraphModule

    from efficiency.condition import Condition
    from efficiency.workloads.base import Workload

BATCH = 32
PEAK_LEARNING_RATE = 3e-5
"""Small: the weights are trained already, and 1e-4 cost ResNet-18 half a point on 768 rows."""
FROZEN_FROM = 0.7
"""Share of the steps after which ranges and batch-norm statistics no longer move."""


def _fake_quantized(model: nn.Module, sample: torch.Tensor, mapping: Any = None) -> GraphModule:
    """A copy of the model in training mode that rounds as INT8 would, in float."""
    from torch.ao.quantization.quantize_fx import prepare_qat_fx

    opened = int8.opened_copy(model).train()
    with followed_by_fx():
        return prepare_qat_fx(opened, mapping or int8.static_mapping(opened, training=True), (sample,))


def freeze(fake: nn.Module) -> None:
    """Observers and batch-norm statistics no longer move."""
    from torch.ao.nn.intrinsic.qat import freeze_bn_stats
    from torch.ao.quantization import disable_observer

    fake.apply(disable_observer)
    fake.apply(freeze_bn_stats)


def fine_tune(
    model: nn.Module,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    seed: int,
    stop: Callable[[nn.Module], None],
    peak_learning_rate: float = PEAK_LEARNING_RATE,
) -> None:
    """One pass over the rows, in place; near the end, `stop` holds what observers and batch norm learn."""
    import torch
    from torch.nn.functional import cross_entropy

    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed)).split(BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=peak_learning_rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak_learning_rate, total_steps=len(order))
    for step, batch in enumerate(order):
        # Not before the first: ranges that nothing was seen of cannot be lowered.
        if step == max(1, int(FROZEN_FROM * len(order))):
            stop(model)
        loss = cross_entropy(model(inputs[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def leave_training(fake: GraphModule) -> None:
    """What `.eval()` does, in place, for functions too.

    Traced in training mode, `F.dropout(x, training=self.training)` holds `training=True` for good, and
    PyTorch's conversion turns off modules alone.
    """
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    fake.eval()
    for node in fake.graph.nodes:
        if node.op != "call_function":
            continue
        if "training" in node.kwargs:  # The functions of torch.nn.functional: dropouts, batch norm, attention.
            node.update_kwarg("training", False)
        elif node.target is torch.dropout and len(node.args) == 3:
            node.update_arg(2, False)
        elif node.target is scaled_dot_product_attention and "dropout_p" in node.kwargs:
            node.update_kwarg("dropout_p", 0.0)
        elif node.target is scaled_dot_product_attention and len(node.args) > 4:
            node.update_arg(4, 0.0)
    fake.recompile()


def learn(model: nn.Module, sample: torch.Tensor, data: Data) -> Tensors:
    """Fine-tune on training rows; returns weights and ranges, from which `apply` rebuilds."""
    import torch

    torch.manual_seed(data.seed)
    with int8.known_warnings(), torch.enable_grad():
        fake = _fake_quantized(model, sample)
        fine_tune(fake, *data.training(), seed=data.seed, stop=freeze)
    return {name: value.detach() for name, value in fake.state_dict().items()}


def ranges(model: nn.Module, sample: torch.Tensor, learned: Tensors, batches: Iterable[torch.Tensor]) -> Ranges:
    """What these rows do to the ranges that training fixed."""
    from efficiency.techniques.ranges import watched

    with int8.known_warnings():
        fake = _fake_quantized(model, sample)
        fake.load_state_dict(learned)
        leave_training(fake)
        return watched(fake, batches)


def apply(prepared: Prepared, sample: torch.Tensor, learned: Tensors) -> Prepared:
    """Put the fine-tuned weights and ranges in place and lower to INT8 kernels."""
    from torch.ao.quantization.quantize_fx import convert_fx

    with int8.known_warnings():
        fake = _fake_quantized(prepared.module, sample)
        fake.load_state_dict(learned)
        leave_training(fake)
        converted = int8.with_int8_embeddings(convert_fx(fake))
    return replace(prepared, model=converted, module=converted)


def recipe(workload: Workload, condition: Condition) -> Recipe:
    # A user's `forward` may hold a dropout that `eval` does not reach; the built-in ones do not.
    leave, used = ("leave_training(fake)", ("leave_training",)) if workload.source else ("fake.eval()", ())
    seeded = Recipe(model="torch.manual_seed(SEED)\n", imports=("import torch",))
    tune = Recipe(
        model=f"""\
fake = prepare_qat_fx(model.train(), mapping, (sample,))
training = load_file(FOLDER / "training.safetensors")
fine_tune(fake, training["inputs"], training["labels"], SEED, freeze)
{leave}
model = convert_fx(fake)
""",
        imports=("from torch.ao.quantization.quantize_fx import convert_fx, prepare_qat_fx",),
        uses=tuple(f"{__name__}:{name}" for name in ("fine_tune", "freeze", *used)),
    )
    mapped = int8.opening(workload).then(int8.mapping_recipe(workload, "get_default_qat_qconfig_mapping"))
    return seeded.then(mapped).then(tune).then(int8.embeddings_recipe(workload))


QAT_INT8 = Technique(
    key="qat-int8",
    label="QAT INT8",
    summary="Fine-tuned with rounding in the loop, then run in 8 bits like static INT8.",
    stage=Stage.WEIGHTS,
    why_not=int8.why_not_static,
    learn=learn,
    learns_from="training",
    apply=apply,
    ranges=ranges,
    evidence=int8.evidence,
    recipe=recipe,
    conflicts=int8.CONFLICTS,
    arithmetic="int8",
    api_status="deprecated",
    successor="pt2e-qat-int8 (torchao's prepare_qat_pt2e, lowered by torch.compile)",
    evaluation_cost=0.7,
)
