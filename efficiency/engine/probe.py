"""The probe: prepares ONE variant and reads off all but latency and memory. Child side."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from efficiency.engine.child import Message, Send

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from efficiency.techniques.base import Tensors


def run(asked: Message, send: Send) -> None:
    """Learn what is to be learned, keep it for the replicates, answer every test row, show evidence.

    The baseline, which is probed before all others, keeps its logits for them. Asked for `reference`, too: what the
    study's start saw of it (`reference_content`), which a checkpoint has to be still.
    """
    import numpy as np
    import torch

    from efficiency import workloads
    from efficiency.condition import Condition
    from efficiency.engine import answering, arrays, inputs, reference_content, variants
    from efficiency.errors import BadRequest, CheckpointRefused
    from efficiency.measure import accuracy, kernels, logits, size, work
    from efficiency.techniques import compose
    from efficiency.techniques.base import Data
    from efficiency.workloads import checkpoints

    torch.manual_seed(asked["seed"])
    workload = workloads.get(asked["workload"])
    device = variants.device_of(asked)
    dataset = workload.dataset(asked["dataset"])
    condition = Condition(**asked["condition"])
    keys = tuple(asked["techniques"])

    reference = checkpoints.load(workload, dataset)
    weights = reference_content.weights(reference)
    # A user's `build`, which may itself train, has to give the same weights up to rounding alone.
    if weights != asked["reference"]["weights"] and not workload.trained:
        raise CheckpointRefused(
            f"The checkpoint of {workload.key} on {dataset.key} changed while the study ran; run the study again."
        )
    reference = reference.to(device)
    torch.set_num_threads(asked["threads"])  # after a user's file has run, which may set them, too
    sample = variants.load_sample(asked["sample"], device)

    def calibration() -> torch.Tensor:
        return inputs.encoded(workload, dataset, condition, "calibration", asked["calibration_rows"])[0]

    def training() -> tuple[torch.Tensor, torch.Tensor]:
        return inputs.encoded(workload, dataset, condition, "train", asked["training_rows"])

    send({"doing": "preparing"})
    data = Data(calibration, training, asked["seed"], asked["tolerance_pp"])
    learned, learn_s = _learned(Path(asked["learned"]), lambda: compose.learn(keys, reference, sample, data))
    learned_at = time.perf_counter()
    artefact = Path(asked["artefact"])
    torch.set_num_threads(condition.threads)  # some runtimes compile for them
    compose.package(keys, reference, sample, learned, artefact)
    torch.set_num_threads(asked["threads"])
    prepared = compose.prepare(keys, reference, sample, learned, artefact)
    prepare_s = learn_s + time.perf_counter() - learned_at
    runtime = compose.runtime_of(keys)

    def answered(share: float) -> None:
        send({"doing": f"answering the test rows ({share:.0%})"})

    started = time.perf_counter()
    rows, labels = inputs.in_batches(workload, dataset, condition, "test", asked["test_rows"])
    with ExitStack() as session:
        for manager in prepared.session:
            session.enter_context(manager())
        scores = tuple(prepared.caller()(sample).shape)
        if scores != (len(sample), len(dataset.classes)):
            raise BadRequest(
                f"{workload.name}: the model gives scores of shape {scores} for {len(sample)} rows and "
                f"{len(dataset.classes)} classes; [rows, classes] is needed."
            )

        def hear(scores: NDArray[np.float32]) -> None:
            if not keys and np.isnan(scores).any():
                raise BadRequest(
                    f"{workload.name}: the FP32 model gives scores that are no numbers (NaN) to some test rows, so "
                    "that nothing can be held against it; mend the model or its weights."
                )
            heard.add(scores)

        kept = Path(asked["logits"])
        heard = logits.Comparison(kept) if keys else logits.Keeper(kept, len(labels), scores[1])
        call = prepared.caller()
        found: answering.Answers | None = None
        specialised = runtime is not None and runtime.specialised
        if specialised:
            call = accuracy.in_calls_of(len(sample), call)
            found = answering.confirmed(Path(asked["answers"]), call, rows, device)
        if found is None:
            predicted = accuracy.predictions(call, rows, device, on_batch=answered, on_logits=hear)
            distance = heard.distance() if isinstance(heard, logits.Comparison) else None
            own = answering.Answers(predicted, distance, condition.label())
            if specialised:
                answering.keep(Path(asked["answers"]), own)
        else:
            own = found
        evaluate_s = time.perf_counter() - started
        ran = kernels.of(prepared.caller(), sample)
        shown = compose.evidence(keys, prepared, sample, reference, learned)
    if isinstance(heard, logits.Keeper):
        heard.close()
    answer: dict[str, Any] = {
        "weights": weights,
        "prepare_s": prepare_s,
        "learn_s": learn_s,
        "evaluate_s": evaluate_s,
        "size_of": "artefact" if artefact.is_dir() else "state",
        "size_bytes": size.artefact_bytes(artefact) if artefact.is_dir() else size.serialized_bytes(prepared.module),
        "predicted": arrays.to_text(own.predicted),
        "answers_of": own.of if found is not None else None,
        "labels": arrays.to_text(labels.astype("uint16")),
        "kernels": None if ran is None else asdict(ran),
        "logits": None if own.distance is None else asdict(own.distance),
        "evidence": {key: seen.as_dict() for key, seen in shown.items()},
    }
    if not keys:
        seen = work.of(reference, sample)
        answer["work"] = asdict(seen) if seen else None
    send(answer)


def _learned(file: Path, learn: Callable[[], Tensors]) -> tuple[Tensors, float]:
    """What is learned, and the seconds that took; read from `file` where another variant has learned the same."""
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    if file.is_file():
        with safe_open(file, framework="pt") as opened:
            return load_file(file), float(opened.metadata()["learn_s"])
    started = time.perf_counter()
    learned = learn()
    learn_s = time.perf_counter() - started
    if learned:
        part = file.with_suffix(".part")
        save_file(learned, part, metadata={"learn_s": repr(learn_s)})
        part.replace(file)
    return learned, learn_s
