"""The techniques: one visible table, in the order they are shown."""

from efficiency.errors import UnknownName
from efficiency.techniques.amp import AMP_BF16, AMP_FP16
from efficiency.techniques.base import Evidence, Prepared, Stage, Technique
from efficiency.techniques.channels_last import CHANNELS_LAST
from efficiency.techniques.dynamic_int8 import DYNAMIC_INT8
from efficiency.techniques.fast_path import FAST_PATH
from efficiency.techniques.inference_mode import INFERENCE_MODE
from efficiency.techniques.qat_int8 import QAT_INT8
from efficiency.techniques.static_int8 import STATIC_INT8
from efficiency.techniques.torchao_weights import INT4_WEIGHT_ONLY, INT8_DYNAMIC, INT8_WEIGHT_ONLY

__all__ = ["TECHNIQUES", "Evidence", "Prepared", "Stage", "Technique", "get", "in_order"]

TECHNIQUES: dict[str, Technique] = {
    technique.key: technique
    for technique in (
        DYNAMIC_INT8,
        STATIC_INT8,
        QAT_INT8,
        INT8_WEIGHT_ONLY,
        INT4_WEIGHT_ONLY,
        INT8_DYNAMIC,
        AMP_BF16,
        AMP_FP16,
        CHANNELS_LAST,
        FAST_PATH,
        INFERENCE_MODE,
    )
}


def get(key: str) -> Technique:
    """The technique of that key; raises `UnknownName` with the nearest one."""
    if key not in TECHNIQUES:
        raise UnknownName("technique", key, TECHNIQUES)
    return TECHNIQUES[key]


def in_order(keys: tuple[str, ...]) -> list[Technique]:
    """The techniques of a variant, stage by stage, as they are applied."""
    stages, shown = list(Stage), list(TECHNIQUES)
    return sorted(map(get, keys), key=lambda t: (stages.index(t.stage), shown.index(t.key)))
