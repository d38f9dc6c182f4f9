"""The observers that PyTorch puts into a graph, each at an activation that is to be quantized. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch.fx import GraphModule, Node

OBSERVER = "activation_post_process"
"""What the names of all of them hold."""


def watching(observed: GraphModule) -> Iterator[tuple[Node, Node, Any]]:
    """Of each observer of an activation: its node, the node that gives the activation, and itself."""
    for node in list(observed.graph.nodes):
        if node.op == "call_module" and OBSERVER in str(node.target) and node.all_input_nodes:
            yield node, node.all_input_nodes[0], observed.get_submodule(str(node.target))
