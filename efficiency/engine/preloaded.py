"""What the fork server imports once, so that a child starts in a tenth of a second."""

import gc

import torch.ao.quantization.quantize_fx
import torch.export._trace  # noqa: F401  (what the first trace of a model by FX imports: 370 modules, 0.2 s)

import efficiency.engine.cold
import efficiency.engine.probe
import efficiency.engine.replicate
import efficiency.engine.variants
import efficiency.measure.latency
import efficiency.techniques.compose
import efficiency.workloads.checkpoints
import efficiency.workloads.text_models  # noqa: F401
from efficiency.workloads.torchvision_import import torchvision

torchvision()
# A child's collector would walk all of this, and copy the pages that it shares with its siblings.
gc.collect()
gc.freeze()
