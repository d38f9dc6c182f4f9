"""Where PT2E applies: torchao has the quantizer it takes for x86 processors alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from efficiency import workloads
from efficiency.condition import Condition
from efficiency.machine import this_machine
from efficiency.techniques import compose


@pytest.mark.parametrize("key", ["pt2e-static-int8", "pt2e-dynamic-int8", "pt2e-qat-int8"])
def test_on_another_processor_it_says_what_to_take_instead(key: str) -> None:
    def reason(architecture: str) -> str | None:
        machine = replace(
            this_machine(), architecture=architecture, cpp_compiler="g++", installed=("torchao",), instruction_sets=()
        )
        return compose.why_not((key,), workloads.get("transformer-encoder"), Condition(), machine)

    assert reason("x86_64") is None
    assert reason("AMD64") is None
    assert "x86 processors, and this one is aarch64; use static-int8" in str(reason("aarch64"))
