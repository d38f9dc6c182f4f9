"""Work: the operations and the bytes that a model's call takes at least, whoever computes it. Child side.

Operations are those of matrix products, convolutions and attention, a multiplication and an addition being two;
what goes through a tensor once, such as an activation or a norm, is not counted, as is usual (torch's
`FlopCounterMode`, Kaplan et al., 2020). Bytes are what has to cross the memory bus if nothing is fetched twice:
every weight and buffer, of an embedding only the rows that are looked up, the input and the output. What passes
between layers is not counted, since it may stay in the cache. So both are lower bounds, as a ceiling needs.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Work:
    """Of one call of the FP32 reference; what grows with the batch is given for one row of it."""

    operations_per_row: float
    weight_bytes: float
    bytes_per_row: float
    """Input, output and rows of embeddings."""


def of(reference: nn.Module, sample: torch.Tensor) -> Work | None:
    """Work of the reference on the sample [B, ...]; None where nothing of its arithmetic can be seen.

    The model is run once. Whatever a user's own model raises here it raises again where it is measured, so that
    this has no word in it.
    """
    import torch
    from torch import nn
    from torch.utils.flop_counter import FlopCounterMode

    looked_up: list[int] = []

    def note(embedding: nn.Embedding, args: tuple[torch.Tensor, ...], _output: torch.Tensor) -> None:
        row_bytes = embedding.weight[0].numel() * embedding.weight.element_size()
        looked_up.append(args[0].numel() * row_bytes)

    embeddings = [part for part in reference.modules() if isinstance(part, nn.Embedding)]
    counter = FlopCounterMode(display=False, custom_mapping=fused())
    with ExitStack() as stack:
        for embedding in embeddings:
            stack.callback(embedding.register_forward_hook(note).remove)
        try:
            with torch.no_grad(), _fast_path_off(), counter:
                output = reference(sample)
        except Exception:
            return None
    operations = counter.get_total_flops()
    if not operations or not isinstance(output, torch.Tensor):
        return None
    tables = {id(embedding.weight) for embedding in embeddings}
    weights = [w for w in (*reference.parameters(), *reference.buffers()) if id(w) not in tables]
    moved = sum(looked_up) + _bytes(sample) + _bytes(output)
    return Work(operations / len(sample), float(sum(map(_bytes, weights))), moved / len(sample))


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _fast_path_off() -> Any:
    """A fused encoder is one operation, of which the counter sees nothing."""
    from efficiency.techniques.fast_path import switched

    return switched(False)


def fused() -> dict[Any, Any]:
    """How to count the fused operations that torch 2.13's counter leaves out; each gets shapes in place of tensors."""
    import torch
    from torch.utils.flop_counter import sdpa_flop_count

    def lstm_layer(inputs: Any, to_gates: Any, from_state: Any, *_: Any, **__: Any) -> int:
        """One layer in one direction: [length, N, D] with [4H, D] and [4H, H]."""
        length, rows, _width = inputs
        return int(2 * length * rows * (to_gates[0] * to_gates[1] + from_state[0] * from_state[1]))

    def cudnn_rnn(inputs: Any, weights: Any, *_: Any, **__: Any) -> int:
        """All layers and directions: every matrix of weights once for each token."""
        tokens = inputs[0] * inputs[1]
        return int(2 * tokens * sum(shape[0] * shape[1] for shape in weights if len(shape) == 2))

    def attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
        return int(sdpa_flop_count(query, key, value))

    aten = torch.ops.aten
    return {
        aten.mkldnn_rnn_layer: lstm_layer,
        aten._cudnn_rnn: cudnn_rnn,
        aten._scaled_dot_product_flash_attention_for_cpu: attention,
    }
