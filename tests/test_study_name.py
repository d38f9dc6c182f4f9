"""What a study is called that was given no name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from efficiency import study_name
from efficiency.machine import this_machine
from efficiency.study import Variant, plan_preset

MACHINE = this_machine()
QUICK = plan_preset("quick", MACHINE)


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({}, "quick"),
        ({"seed": 3, "tolerance_pp": 1.0, "variants": QUICK.variants[::-1]}, "quick"),
        ({"workloads": ("lstm-classifier",)}, "LSTM (quick)"),
        ({"workloads": ("lstm-classifier", "my files/net.py:make")}, "LSTM, net.py:make (quick)"),
        ({"workloads": (*QUICK.workloads, "vision-resnet18")}, "4 workloads (quick)"),
        ({"variants": (Variant.of(["dynamic-int8"]),)}, "Dynamic INT8 (quick)"),
        ({"variants": QUICK.variants[:3]}, "own choice (quick)"),
        (
            {"variants": (Variant.of(["qat-int8"]), Variant.of(["amp-bf16"])), "workloads": ("lstm-classifier",)},
            "LSTM: QAT INT8, AMP BF16 (quick)",
        ),
        ({"conditions": (replace(QUICK.conditions[0], batch_size=8),)}, "own choice (quick)"),
        ({"datasets": ("ag-news",)}, "own choice (quick)"),
    ],
)
def test_a_preset_as_it_is_has_its_name_and_a_choice_another(changed: dict[str, Any], name: str) -> None:
    assert study_name.usual(replace(QUICK, **changed), MACHINE) == f"{name} on {MACHINE.cpu_model}"


def test_training_says_so() -> None:
    steps = plan_preset("article", MACHINE, phase="training")
    assert study_name.usual(steps, MACHINE) == f"article training on {MACHINE.cpu_model}"
    one = replace(steps, workloads=("vision-resnet18",))
    assert study_name.usual(one, MACHINE) == f"ResNet-18 (article training) on {MACHINE.cpu_model}"
