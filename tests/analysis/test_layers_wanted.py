"""When the layers of INT8 are worth a look: accuracy was lost to calibrated ranges, and nobody looked yet."""

from __future__ import annotations

from typing import Any

import pytest

from efficiency.analysis import layers_wanted, notes
from efficiency.study import Variant

LOST = {
    "variant": "static-int8", "workload": "vision-mobilenet-v2", "device": "cpu", "phase": "inference",
    "accuracy_verdict": "lost", "accuracy_delta_pp": -4.0, "warnings": "test-subset",
}  # fmt: skip


def wanted(tried: tuple[str, ...] = ("static-int8",), **changed: Any) -> bool:
    return layers_wanted.wanted(LOST | changed, tried)


@pytest.mark.parametrize(
    "variant",
    [
        "static-int8", "static-int8+inference-mode", "pt2e-static-int8", "onnxruntime-static-int8", "openvino-int8",
    ],
)  # fmt: skip
def test_calibrated_int8_that_lost_accuracy_asks_for_it(variant: str) -> None:
    assert wanted(variant=variant)
    assert not wanted(variant=variant, accuracy_verdict="kept")
    assert not wanted(variant=variant, accuracy_verdict="unresolved")


@pytest.mark.parametrize(
    "variant", ["baseline", "control", "dynamic-int8", "qat-int8", "mixed-int8", "amp-bf16", "of-another-version"]
)
def test_what_has_no_calibrated_ranges_does_not(variant: str) -> None:
    assert not wanted(variant=variant)


def test_only_where_mixed_int8_applies() -> None:
    assert wanted(workload="transformer-encoder")
    assert not wanted(workload="lstm-classifier", variant="onnxruntime-static-int8")
    assert not wanted(device="cuda")
    assert not wanted(phase="training")


def test_a_users_own_file_is_not_run_to_tell() -> None:
    assert wanted(workload="nowhere/at_all.py:make")
    assert not wanted(workload="nowhere/at_all.py:make", variant="openvino-int8")


def test_what_was_tried_is_not_asked_for_again() -> None:
    assert not wanted(("static-int8", "mixed-int8"))
    assert not wanted(("mixed-int8+inference-mode",))


def asked(*variants: Variant) -> dict[str, Any]:
    return {"variants": [{"techniques": list(one.techniques), "control": False} for one in variants]}


def test_it_is_the_last_of_a_rows_notes() -> None:
    static, mixed = Variant(("static-int8",)), Variant(("mixed-int8",))
    told = notes.hints(LOST, asked(static), {})
    assert [key for key, _ in told] == ["test-subset", "accuracy-lost"]
    assert told[-1][1].startswith("Static INT8 loses accuracy. Mixed INT8, which this study did not try, ")
    assert "--" not in told[-1][1], "Pages show it, too."
    assert [key for key, _ in notes.hints(LOST, asked(static, mixed), {})] == ["test-subset"]


def test_a_study_says_it_once_and_of_rows_that_have_no_warning() -> None:
    rows = [LOST | {"row_id": 1, "warnings": None}, LOST | {"row_id": 2, "workload": "vision-resnet18"}]
    found = {key: of for key, _, of in notes.of_study(rows, asked(Variant(("static-int8",))), lambda row_id: {})}
    assert found["accuracy-lost"] == ["vision-mobilenet-v2: static-int8", "vision-resnet18: static-int8"]


@pytest.mark.parametrize("document", [{}, {"variants": 3}, {"variants": [1, {"techniques": "x"}, {"techniques": [2]}]}])
def test_a_document_of_another_origin_may_hold_anything(document: dict[str, Any]) -> None:
    assert layers_wanted.wanted(LOST, layers_wanted.asked_for(document))
    assert not layers_wanted.wanted({"accuracy_verdict": float("nan"), "variant": None}, ())
