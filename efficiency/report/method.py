"""How a study was measured, as its report tells it. docs/how-we-measure.md says it at length."""

from __future__ import annotations

TURNS = (
    "All of them sit in one process and take turns in random order, so that whatever slows the machine slows all "
    "alike; the whole is repeated in fresh processes."
)
FLOOR = (
    "The control is the baseline a second time, as if it were a variant. What it shows is the noise floor: a "
    "difference that small is what this machine shows where nothing differs."
)
PAIRED = (
    "Its difference is paired: variant and baseline answer the same rows, and its 95 % interval is a bootstrap over "
    "them."
)
HOURS = (
    ", and allows for other hours: by three quarters of that or 1 %, whichever is more, but by no more than 7 % of the "
    "speed-up's logarithm"
)
HERE = "Results hold for the processor, the thread count and the versions named here, and for no other machine."
METHODS = {
    "inference": (
        "Every variant is compared with one baseline: the same model in FP32, run eagerly under torch.no_grad. "
        f"{TURNS}",
        "A speed-up is baseline / variant, by the fastest of each one's calls, and its 95 % interval follows from "
        f"how far the processes lie apart{HOURS}. Latency p50 is the median over all calls.",
        FLOOR,
        f"Accuracy is the share of test rows answered rightly. {PAIRED}",
        HERE,
    ),
    "training": (
        "What is timed is a training step: gradients set to none, forward, loss, backward, optimizer. Every variant is "
        f"compared with one baseline: the same model, trained eagerly in FP32. {TURNS}",
        "A speed-up is baseline / variant, by the fastest of each one's steps, and its 95 % interval follows from "
        f"how far the processes lie apart{HOURS}. Latency p50 is the median over all steps.",
        FLOOR,
        "Accuracy is the share of test rows that the trained weights answer rightly, in FP32: every variant has taken "
        f"as many steps from the same weights over the same batches. {PAIRED}",
        "That interval does not know that two trainings differ by luck. So the baseline is trained once more with its "
        "batches in another order, and a loss no larger than what the two differ by is unresolved; so is everything "
        "where the baseline has not learned more than to guess.",
        HERE,
    ),
}
"""A paragraph each, by the phase of what was measured."""
