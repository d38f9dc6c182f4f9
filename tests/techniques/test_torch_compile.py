"""How a package is compiled, as far as that can be told without compiling."""

from __future__ import annotations

from torch._inductor import config

from efficiency import recipes, workloads
from efficiency.condition import Condition
from efficiency.techniques import torch_compile


def test_on_cuda_a_packages_weights_are_where_pytorch_counts_them() -> None:
    with config.patch(torch_compile.settings("cuda")):  # raises where Inductor has no such setting
        assert config.freezing
        assert config.aot_inductor.weight_use_caching_allocator
    assert torch_compile.settings("cpu") == {"freezing": True}
    workload, found = workloads.get("vision-small-cnn"), {}
    for device in ("cpu", "cuda"):
        found[device] = recipes.of(("torch-compile",), workload, Condition(device=device))
    assert 'settings = {"freezing": True}\n' in found["cpu"]
    assert '"aot_inductor.weight_use_caching_allocator": True}\n' in found["cuda"]
    # As a CUDA graph needs it, which may capture the package's calls.
    assert "aoti_load_package(package)\n" in found["cpu"]
    assert "aoti_load_package(package, run_single_threaded=True)\n" in found["cuda"]
