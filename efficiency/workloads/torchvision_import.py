"""torchvision, also where its compiled part cannot load.

A torchvision wheel built against another build of torch (CUDA against CPU) imports its models, data
sets and transforms only once two of its operators have been declared. Where the compiled part does
load, they exist already and the declaration is skipped.
"""

from functools import cache
from types import ModuleType

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_declared: list[object] = []


@cache
def torchvision() -> ModuleType:
    """The imported module `torchvision`, with `models` and `datasets`.

    Built against another build of torch (CUDA against CPU), it imports once two of its operators are declared.
    """
    import importlib.util
    from pathlib import Path

    import torch

    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        raise ImportError("torchvision is not installed; run `pip install -r requirements.txt`.")
    try:
        for compiled in Path(spec.origin).parent.glob("_C*"):
            torch.ops.load_library(str(compiled))
    except OSError:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for schema in _SCHEMAS.values():
            library.define(schema)
        _declared.append(library)  # The declarations live as long as this object does.

    import torchvision.datasets
    import torchvision.models

    return torchvision
