"""What the fork server imports once, so that a probe starts in a tenth of a second."""

import torch.ao.quantization.quantize_fx  # noqa: F401

import efficiency.engine.cold
import efficiency.engine.probe
import efficiency.workloads.checkpoints
import efficiency.workloads.text_models  # noqa: F401
from efficiency.workloads.torchvision_import import torchvision

torchvision()
