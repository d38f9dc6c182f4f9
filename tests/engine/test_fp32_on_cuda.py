"""FP32 on CUDA is FP32: whoever runs a variant there keeps cuDNN from TF32, and so does a recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import moody_workload
import pytest
import torch

from efficiency import recipes, workloads
from efficiency.condition import Condition
from efficiency.engine import cold, probe, replicate, training_probe

SWITCH = "torch.backends.cudnn.allow_tf32 = False"


@pytest.fixture(autouse=True)
def as_pytorch_has_it() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.backends.cudnn.allow_tf32 = True
    yield
    torch.backends.cudnn.allow_tf32 = True
    torch.set_num_threads(threads)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("work", [probe.run, cold.run, replicate.run, training_probe.run])
def test_every_child_that_runs_a_variant(work: Callable[..., None], device: str) -> None:
    asked: dict[str, Any] = {
        "workload": f"{moody_workload.__file__}:steady",
        "dataset": "points",
        "condition": asdict(Condition(device=device)),
        "seed": 0,
    }
    with pytest.raises(KeyError):  # it is told neither techniques nor where its sample lies
        work(asked, lambda message: None)
    assert torch.backends.cudnn.allow_tf32 == (device == "cpu")


@pytest.mark.parametrize("keys", [(), ("fast-path",), ("torch-compile",)])
def test_a_recipe(keys: tuple[str, ...]) -> None:
    workload = workloads.get("transformer-encoder")
    here, there = (recipes.of(keys, workload, Condition(device=device)) for device in ("cpu", "cuda"))
    assert SWITCH not in here
    assert f"    {SWITCH}  # " in there
