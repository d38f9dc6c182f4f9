"""Why a row is not faster: only what is known of it, with its numbers, and what to try."""

from __future__ import annotations

from typing import Any

import pytest

from efficiency.analysis import runtime_gain, why
from efficiency.analysis.case import Case

ROW = {
    "variant": "amp-bf16", "speed_verdict": "unresolved", "speedup": 1.005, "speedup_ci_low": 0.98,
    "speedup_ci_high": 1.03, "device": "cpu", "batch_size": 1, "noise_pct": 1.0,
}  # fmt: skip
BASELINE = {"variant": "baseline", "speed_verdict": "same", "speedup": 1.0, "latency_ms_p50": 2.0, "ceiling_pct": 40.0}
MACHINE = {"instruction_sets": ["avx2", "avx512f", "avx512_vnni"], "l3_cache_mb": 33.5}


def told(
    row: dict[str, Any],
    figures: dict[str, float] | None = None,
    beside: tuple[dict[str, Any], ...] = (),
    work: tuple[dict[str, Any], dict[str, Any]] = ({}, {}),
    baseline: dict[str, Any] = BASELINE,
    machine: dict[str, Any] = MACHINE,
    took_effect: tuple[str, str] = ("yes", ""),
    ran: tuple[Any, Any] = (None, None),
) -> str:
    """All reasons; `work` and `ran`, what oneDNN ran, are the row's own and the baseline's."""
    row = {**ROW, **row}
    shown = {"took_effect": took_effect[0], "reason": took_effect[1], "figures": figures or {}}
    own, reference = ({"work": one, "kernels": {"ran": kernels}} for one, kernels in zip(work, ran, strict=True))
    own["evidence"] = {row["variant"].split("+")[0]: shown}
    return " ".join(why.reasons(Case(row, own, machine, (baseline, row, *beside), reference)))


@pytest.mark.parametrize(
    ("ends", "verdict", "more", "said"),
    [
        ((1.0, 0.992, 1.008), "same", {}, "The interval [0.992, 1.008] lies within ±2 %"),
        ((1.0, 0.94, 1.06), "unresolved", {}, "holds 1 and reaches beyond ±2 %; it is ±6.2 % wide"),
        ((0.989, 0.978, 0.9999), "unresolved", {}, "0.989 is within ±2 %"),
        ((1.0, 0.992, 1.008), "unresolved", {"noise_pct": 2.7}, "where nothing differs, reaches ±2.70 %"),
        ((1.06, 1.01, 1.11), "unresolved", {"noise_pct": 8.0}, "(noise floor ±8.0 %)"),
        ((1.06, 1.01, 1.11), "unresolved", {}, "may be luck"),
        ((0.5, 0.48, 0.52), "slower", {}, "a call takes 2.00x the baseline's time, [1.92, 2.08]"),
    ],
)
def test_the_verdict_is_told_with_its_interval(ends, verdict, more, said):
    ratio, low, high = ends
    row = {"speed_verdict": verdict, "speedup": ratio, "speedup_ci_low": low, "speedup_ci_high": high, **more}
    assert said in told(row)


@pytest.mark.parametrize(
    ("variant", "verdict"),
    [("amp-bf16", "faster"), ("amp-bf16", None), ("baseline", "same"), ("control", "unresolved")],
)
def test_what_is_faster_untimed_or_no_variant_is_not_asked(variant, verdict):
    assert told({"variant": variant, "speed_verdict": verdict}) == ""


def test_missing_instructions_are_named_where_they_are_missing():
    assert "no instructions for BF16" in told({})
    assert "no instructions" not in told({}, machine={"instruction_sets": ["avx512_bf16"]})
    assert "no instructions" not in told({}, machine={})  # what nobody knows is not said
    assert "no instructions" not in told({"variant": "inference-mode"})


@pytest.mark.parametrize(
    ("machine", "used", "said"),
    [
        (["avx512_vnni"], "avx2", True), (["avx512_vnni"], "avx512_core_vnni", False), (["avx2"], "avx2", False),
        (["i8mm"], "sve_256", False),
    ],
)  # fmt: skip
def test_kernels_below_what_the_processor_has_are_named(machine, used, said):
    row = {**ROW, "variant": "static-int8"}
    details = {"kernels": {"read": [["u8", used, 4]]}}
    case = Case(row, details, {"instruction_sets": machine}, (BASELINE, row), {})
    text = " ".join(why.reasons(case))
    assert (
        "This processor has AVX512-VNNI, but oneDNN ran its operations in INT8 in AVX2, which is slower." in text
    ) == said
    assert ("but oneDNN ran" in text) == said


def test_what_stays_in_fp32_bounds_the_gain():
    said = told({"variant": "dynamic-int8"}, {"int8_mac_share": 0.5, "conversions": 4.0})
    assert "Only 50% of the multiply-accumulates run in INT8" in said
    assert "more than 2.0x as fast" in said
    assert "4 tensors are converted" in said
    assert "Only" not in told({"variant": "dynamic-int8"}, {"int8_mac_share": 0.97})


def test_peaks_that_are_alike_and_memory_that_limits():
    fast, slow = {"ms": 0.2, "limited_by": "arithmetic"}, {"ms": 0.21, "limited_by": "arithmetic"}
    assert "but 1.05x as fast as FP32" in told({}, work=(fast, slow))
    assert "as fast as FP32" not in told({}, work=(fast, slow | {"ms": 0.6}))
    assert "Memory limits this call" in told({}, work=(fast | {"limited_by": "memory"}, slow))


def test_small_work_is_mostly_overhead_and_large_work_near_its_ceiling():
    assert "arithmetic at the machine's peak takes 0.1 ms (5 %)" in told({}, baseline=BASELINE | {"ceiling_pct": 5.0})
    row, near = {"variant": "inference-mode"}, BASELINE | {"ceiling_pct": 80.0}
    assert "cannot gain more than 1.2x" in told(row, baseline=near)
    assert "cannot gain" not in told(row, baseline=near | {"ceiling_pct": 130.0})  # a ceiling that is none
    assert "a call takes 2.00 ms here" in told(row)


def test_weights_that_are_unpacked_and_a_layout_that_is_converted():
    said = told({"variant": "int8-weight-only"}, {"int8_weight_share": 1.0}, work=({}, {"bytes": 9.6e6}))
    assert "all 9.6 MB of a call fit into the cache of 34 MB" in said
    figures = {"channels_last_share": 0.8, "layout_copies": 2.0, "convolutions": 8.0, "nhwc_convolutions": 3.0}
    said = told({"variant": "channels-last"}, figures)
    assert "2 tensors are copied" in said
    assert "only 3 of 8 convolutions" in said


def test_the_fast_path_without_padding():
    said = told({"variant": "fast-path", "padding_pct": 3.4})
    assert "holds 3 % padding" in said
    assert "--" not in said, "The drawer says it, too."
    assert "padding" not in told({"variant": "fast-path", "padding_pct": 60.0})


def test_the_fast_path_that_takes_a_part_of_the_model():
    assert "Only 40% of the multiply-accumulates run in fused" in told(
        {"variant": "fast-path"}, {"fused_mac_share": 0.4}
    )
    assert "in fused kernels" not in told({"variant": "fast-path"}, {"fused_mac_share": 1.0})


def test_kernels_of_onednn_that_are_the_baselines():
    rnn, reorder = ["rnn", "avx512_core", 2], ["reorder", "", 4]
    row = {"variant": "optimize-for-inference"}
    assert "runs the same kernels as in the baseline (2 × rnn)" in told(row, ran=([rnn, reorder], [rnn]))
    assert "same kernels" not in told(row, ran=([rnn], [["rnn", "avx2", 2]]))
    assert "same kernels" not in told(row, ran=([reorder], [reorder]))  # which compute nothing
    assert "same kernels" not in told({"variant": "dynamic-int8"}, ran=([rnn], [rnn]))


def test_what_a_compiler_leaves_to_libraries():
    figures = {"written_kernels": 9.0, "library_calls": 4.0}
    said = told({"variant": "torch-compile", "speed_verdict": "same"}, figures)
    assert "4 matrix and convolution calls are left to libraries" in said
    assert "the 9 kernels that it wrote" in said
    assert "left to libraries" not in told({"variant": "torch-compile"}, figures | {"library_calls": 0.0})


def test_openvino_in_fp32_with_the_baselines_instructions():
    evidence = "yes", "OpenVINO executes 12 nodes a call; it multiplies with 8 brgconv_avx512_f32, 1 gemm_any_f32."
    convolutions = [["convolution", "avx512_core", 8]]
    row = {"variant": "openvino", "speed_verdict": "same"}
    assert "multiplies in FP32 with AVX512, and so does oneDNN" in told(
        row, took_effect=evidence, ran=([], convolutions)
    )
    assert "so does oneDNN" not in told(row, took_effect=evidence, ran=([], [["convolution", "avx2", 8]]))
    assert "so does oneDNN" not in told(row, took_effect=evidence)  # nobody knows what the baseline ran


def test_memory_that_limits_fp32():
    work, near = {"ms": 1.6, "limited_by": "memory"}, BASELINE | {"ceiling_pct": 80.0}
    said = told({"variant": "onnxruntime"}, baseline=near, work=({}, work))
    assert "reading its bytes once takes 80 % of a call" in said
    assert "cannot gain more than 1.2x" in said


def test_what_took_effect_in_part_says_where_it_did_not():
    partly = "partly", "90 operations are compiled in 2 graphs."
    assert "torch.compile took effect in part: 90 operations" in told({"variant": "torch-compile"}, took_effect=partly)
    assert "effect in part" not in told({"variant": "dynamic-int8"}, {"int8_mac_share": 0.5}, took_effect=partly)


@pytest.mark.parametrize("variant", ["onnxruntime", "openvino", "torch-compile", "fast-path"])
def test_a_cause_that_is_not_known_is_not_made_up(variant):
    row = {"variant": variant, "padding_pct": 60.0, "speed_verdict": "slower", "speedup": 0.9}
    said = told(row)
    assert "Why it is not faster is not known" in said
    assert "at the machine's peak its arithmetic takes 40 % of the baseline's time" in said
    assert "There would be room" not in told(row, baseline={**BASELINE, "ceiling_pct": None})
    assert "a study with narrower intervals may tell" in told({"variant": variant, "padding_pct": 60.0})
    assert "not known" not in told(row, {"conversions": 2.0})


def test_a_training_step_whose_cause_is_not_known():
    row = {"variant": "torch-compile", "speed_verdict": "same", "phase": "training"}
    assert "is not known" in told(row, {"graphs": 1.0, "graph_breaks": 0.0}, baseline={**BASELINE, "ceiling_pct": None})


def test_what_took_no_effect_and_what_disturbed_come_first():
    row = {**ROW, "variant": "static-int8", "warnings": "noisy;test-subset"}
    evidence = {"static-int8": {"took_effect": "no", "reason": "No weight was quantized.", "figures": {}}}
    found = why.reasons(Case(row, {"evidence": evidence}, MACHINE, (row,), {}))
    assert found[1] == "Static INT8 took no effect: No weight was quantized."
    assert found[2].startswith("The measurement was disturbed")


def test_what_to_try_is_what_was_faster_here_and_keeps_its_accuracy():
    faster = {"speed_verdict": "faster", "speedup_ci_low": 1.5, "speedup_ci_high": 1.7, "accuracy_verdict": "kept"}
    wider = {**faster, "variant": "channels-last+amp-bf16", "speedup": 1.6}
    best = {**faster, "variant": "static-int8", "speedup": 3.0, "accuracy_verdict": "unresolved"}
    lost = {**faster, "variant": "dynamic-int8", "speedup": 9.0, "accuracy_verdict": "lost"}
    said = told({}, beside=(wider, best, lost))
    assert "Combined it is faster: Channels-last + AMP BF16 with 1.60x [1.50, 1.70]." in said
    assert "The fastest here: Static INT8 with 3.00x [1.50, 1.70]; whether it keeps the accuracy" in said
    assert "The fastest here has it, too: Channels-last + AMP BF16" in told({}, beside=(wider, lost))
    assert "Nothing in this study is surely faster" in told({}, beside=(lost,))


def test_a_document_of_another_origin_still_has_its_verdict():
    odd = {"evidence": {"amp-bf16": "yes", "x": {"figures": 3}}, "work": [1]}
    assert why.reasons(Case(ROW, odd, {"instruction_sets": 7, "l3_cache_mb": "?"}, (ROW,), {"work": None}))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            {"variant": "onnxruntime-static-int8", "speedup": 5.2, "runtime_speedup": 3.25},
            "5.2x over FP32 eager: 1.60x that is the runtime's, times 3.2x [3.1, 3.3] that is INT8's own.",
        ),
        ({"variant": "onnxruntime", "speedup": 5.2, "runtime_speedup": float("nan")}, ""),
        ({"variant": "onnxruntime", "speedup": 5.2, "runtime_speedup": None}, ""),
    ],
)
def test_what_of_a_speed_up_is_the_runtimes(row, said):
    assert runtime_gain.said({"runtime_speedup_ci_low": 3.1, "runtime_speedup_ci_high": 3.3, **row}, {}) == said


@pytest.mark.parametrize(
    ("shown", "whose"),
    [
        ({"figures": {"bf16_nodes": 0.0}, "reason": "Nothing in BF16."}, "is INT8's own."),
        ({"figures": {"bf16_nodes": 2.0}}, "is INT8's and BF16's: what is not in 8 bits runs in BF16"),
        ({"reason": "it multiplies with 2 brgemm_avx512_bf16."}, "is INT8's and BF16's: "),  # before they were counted
        ({"reason": "it multiplies with 2 brgemm_avx512_f32."}, "is INT8's own."),
        ("yes", "is INT8's own."),
    ],
)
def test_a_rest_in_bf16_has_its_share_of_what_int8_gains(shown, whose):
    row = {"variant": "openvino-int8", "speedup": 5.2, "runtime_speedup": 3.25}
    ends = {"runtime_speedup_ci_low": 3.1, "runtime_speedup_ci_high": 3.3}
    assert whose in runtime_gain.said(row | ends, {"evidence": {"openvino-int8": shown}})
