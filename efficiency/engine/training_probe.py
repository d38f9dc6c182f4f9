"""The probe of a training study: takes N steps with ONE variant and reads off where they lead. Child side.

All variants start from the same weights and see the same batches. Where that led is judged by the trained weights
alone: every model answers the test rows in FP32, eagerly.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from efficiency.engine.child import Message, Send

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from efficiency.techniques.training_step import Step


def run(asked: Message, send: Send) -> None:
    """Train, keep the losses, answer every test row, show evidence.

    The baseline is trained once more, with its batches in another order: how far two runs of the same training lie
    apart is what differences between variants are to be read against.
    """
    import torch

    from efficiency import effort, workloads
    from efficiency.condition import Condition
    from efficiency.engine import arrays, inputs, training_steps, variants
    from efficiency.measure import accuracy, size
    from efficiency.techniques import compose, training_step

    workload = workloads.get(asked["workload"])
    device = variants.device_of(asked)
    dataset = workload.dataset(asked["dataset"])
    condition, seed = Condition(**asked["condition"]), asked["seed"]
    keys = tuple(asked["techniques"])
    torch.set_num_threads(condition.threads)  # after a user's file has run, which may set them, too
    sample, labels = variants.load_sample(asked["sample"], device), variants.load_labels(asked["sample"], device)
    rows = inputs.training_rows(workload, dataset, condition, asked["training_rows"])
    steps = effort.steps_for(asked["training_rows"], condition.batch_size)
    initial = training_steps.initial(workload, dataset.key, device, seed)

    def trained(order: int, what: str) -> tuple[Step, float, list[float | None]]:
        """The step after all batches were seen in this order, the seconds it took to prepare, and the losses."""
        started = time.perf_counter()
        step = training_steps.step_of(asked, workload, initial, sample, labels)
        prepare_s = time.perf_counter() - started

        def taken(share: float) -> None:
            send({"doing": f"{what} ({share:.0%})"})

        losses = training_steps.losses(
            step, workload.training, rows, condition.batch_size, steps, order=order, seed=seed, on_step=taken
        )
        return step, prepare_s, losses

    test_rows, test_labels = inputs.in_batches(workload, dataset, condition, "test", asked["test_rows"])

    def answers(step: Step) -> NDArray[np.uint16]:
        plain = compose.prepare((), step.prepared.module, sample, {})
        send({"doing": "answering the test rows"})
        with plain.session[0]():
            return accuracy.predictions(plain.caller(), test_rows, device)

    send({"doing": "preparing"})
    step, prepare_s, losses = trained(seed, "training")
    started = time.perf_counter()
    predicted = answers(step)
    evaluate_s = time.perf_counter() - started
    shown = training_step.evidence(keys, step, sample, initial)
    found: dict[str, Any] = {"steps": steps, "rows": steps * condition.batch_size, "losses": losses}
    if not keys:
        again, _, losses = trained(seed + 1, "training again, with the batches in another order")
        found["reordered"] = {"losses": losses, "accuracy_pct": 100 * float((answers(again) == test_labels).mean())}
    send(
        {
            "prepare_s": prepare_s,
            "evaluate_s": evaluate_s,
            "size_bytes": size.serialized_bytes(step.prepared.module),
            "predicted": arrays.to_text(predicted),
            "labels": arrays.to_text(test_labels.astype("uint16")),
            "logits": None,  # of models that were trained apart, they tell nothing
            "evidence": {key: seen.as_dict() for key, seen in shown.items()},
            "training": found,
        }
    )
