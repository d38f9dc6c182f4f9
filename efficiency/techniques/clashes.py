"""Why two techniques cannot stand together, in a clause: the reasons behind what they declare in `conflicts`."""

from __future__ import annotations

EAGER_INT8 = frozenset({"dynamic-int8", "static-int8", "mixed-int8", "qat-int8", "int8-lstm"})
WEIGHT_ONLY = frozenset({"int8-weight-only", "int4-weight-only"})
TORCHAO = WEIGHT_ONLY | {"int8-dynamic", "float8-dynamic"}
AMP = frozenset({"amp-bf16", "amp-fp16"})
HALF = frozenset({"bf16-weights", "fp16-weights"})
COMPILED = frozenset({"torch-compile", "pt2e-dynamic-int8", "pt2e-static-int8", "pt2e-qat-int8"})
TRACED = frozenset({"optimize-for-inference"})
OTHER_ENGINES = frozenset(
    {
        *("onnxruntime", "onnxruntime-dynamic-int8", "onnxruntime-static-int8"),
        *("openvino", "openvino-int8"),
    }
)
FAST_PATH, GRAPHS, GRADIENTS = frozenset({"fast-path"}), frozenset({"cuda-graphs"}), frozenset({"grad-enabled"})
AROUND = AMP | FAST_PATH | GRADIENTS
"""What stands around the call and changes what it computes."""

Group = tuple[frozenset[str], frozenset[str], str]
REASONS: tuple[Group, ...] = (
    (AMP, AMP, "autocast takes one type"),
    (AMP, HALF, "weights in 16 bits leave autocast nothing to cast"),
    (AMP, EAGER_INT8 | {"int8-dynamic"}, "INT8 kernels take and give FP32, and autocast would hand them 16 bits"),
    (AMP, frozenset({"float8-dynamic"}), "FP8 products cast FP32 themselves, and leave autocast nothing to cast"),
    (
        AMP,
        frozenset({"int8-weight-only"}),
        "activations meet integers up to 127 before the scale, and FP16 overflows",
    ),
    (FAST_PATH, AMP, "autocast hands the fused kernel 16-bit inputs beside FP32 weights"),
    (FAST_PATH, EAGER_INT8 | TORCHAO, "the fused kernel takes float weights of one type"),
    (FAST_PATH, GRADIENTS, "PyTorch leaves the fused kernel where gradients are recorded"),
    (GRADIENTS, frozenset({"inference-mode"}), "both say whether the call is recorded"),
    (GRAPHS, AROUND, "a replay launches what was captured, whatever stands around the call"),
    (GRAPHS, TRACED, "TorchScript still compiles in the calls that would be captured"),
    (GRAPHS, OTHER_ENGINES, "what an engine outside PyTorch runs is not captured"),
    (OTHER_ENGINES, EAGER_INT8 | TORCHAO | HALF, "an engine outside PyTorch takes the FP32 model"),
    (
        OTHER_ENGINES,
        AROUND | {"channels-last", "inference-mode"},
        "PyTorch's modes, layouts and kernels do not reach an engine outside it",
    ),
    (TRACED, frozenset({"int8-lstm"}), "a trace cannot hold the call of a library outside PyTorch"),
    (TRACED, AROUND, "a trace holds the operations that it saw, whatever stands around the call"),
    (TRACED, HALF, "a frozen trace rounds 16-bit numbers otherwise than the model, so it cannot be checked"),
    (TRACED, WEIGHT_ONLY, "freezing folds such weights back to FP32"),
    (TRACED, frozenset({"int8-dynamic", "float8-dynamic"}), "the tracer breaks on torchao's products"),
    (COMPILED, AROUND, "a package holds the operations that it was compiled from, whatever stands around the call"),
    (COMPILED, frozenset({"channels-last"}), "Inductor chooses layouts by itself"),
    (COMPILED, EAGER_INT8, "eager INT8 cannot be exported"),
    (COMPILED, WEIGHT_ONLY, "freezing folds such weights back to FP32"),
    (COMPILED, HALF | {"int8-dynamic", "float8-dynamic"}, "PT2E quantizes the FP32 model by itself"),
)
"""Two groups, and what keeps one of the first from one of the second; the first that fits holds."""


def because(first: str, second: str) -> str:
    """`: autocast takes one type`, to follow the sentence that names them; empty where no reason is known."""
    for ours, theirs, reason in REASONS:
        if (first in ours and second in theirs) or (second in ours and first in theirs):
            return f": {reason}"
    return ""
