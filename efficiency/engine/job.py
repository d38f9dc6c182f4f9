"""A study as a process of its own: waits its turn, conducts, and leaves its state on disk.

Started by `jobs.submit` as `python -m efficiency job ID`; the command line's `run` calls `conduct` in the
foreground, so both take the same path.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from types import FrameType

from efficiency import estimate
from efficiency.analysis import views
from efficiency.analysis.wording import without_options
from efficiency.check import check
from efficiency.engine import ceilings, conductor, handoffs, turn
from efficiency.engine.conductor import Cancelled, Standing
from efficiency.engine.progress import Progress, ProgressFile, clear, folder_of
from efficiency.engine.recording import StoreRecorder
from efficiency.errors import EfficiencyError
from efficiency.machine import this_machine
from efficiency.results.store import Store
from efficiency.study import Study

Tell = Callable[[Progress], None]


def _cancel(_signal: int, _frame: FrameType | None) -> None:
    # Once: a second signal must not cut off the clean-up of the first.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise Cancelled


def conduct(store: Store, study_id: str, tell: Tell = lambda progress: None) -> str:
    """Run a stored study to its end and return its status; a signal to this process cancels it."""
    file, started = ProgressFile(study_id), time.monotonic()
    before = {number: signal.signal(number, _cancel) for number in (signal.SIGTERM, signal.SIGINT)}
    last = Progress(study_id, "queued", "Waiting for its turn")

    def say(progress: Progress) -> None:
        nonlocal last
        last = progress
        file.write(progress)
        tell(progress)

    def stands(at: Standing) -> None:
        elapsed_s = time.monotonic() - started
        left_s = estimate.remaining_seconds(at.done_estimate_s, at.total_estimate_s, elapsed_s)
        say(Progress(study_id, "running", at.now, at.done, at.total, elapsed_s, left_s, prepared=at.prepared))

    status, message = "failed", ""
    try:
        say(last)
        study = Study.from_dict(store.study(study_id).asked)
        with turn.taken(study_id, lambda holder: say(Progress(study_id, "queued", "Waiting", waiting_for=holder))):
            started = time.monotonic()
            if store.study(study_id).status == "cancelled":
                raise Cancelled
            store.set_status(study_id, "running")
            checked, machine = check(study, this_machine()), this_machine()
            say(Progress(study_id, "running", "Measuring what the machine can do"))
            ceiling = ceilings.known_or_measured(machine)
            known = handoffs.undisturbed_ns(store, machine.key)
            recorder = StoreRecorder(store, study_id, checked, machine, ceiling, known)
            conductor.run(checked, machine, recorder, folder_of(study_id), stands)
            status, message = _outcome(store, study_id)
    except Cancelled:
        status, message = "cancelled", _cancelled(store, study_id)
    except (EfficiencyError, OSError) as error:
        message = without_options(error)  # pages show it, whoever asked
    except Exception as error:  # The study's page must say what happened, whatever it was.
        logging.getLogger(__name__).exception("The study failed")
        message = f"The study stopped on an unexpected error ({type(error).__name__}: {error}); please report it."
    # Too late to cancel: a signal must not cut off what follows.
    for number in before:
        signal.signal(number, signal.SIG_IGN)
    _end(store, study_id, status, message)
    elapsed_s = time.monotonic() - started
    say(replace(last, state=status, now=message, elapsed_s=elapsed_s, left_s=0.0, waiting_for=None))
    clear(study_id)
    for number, handler in before.items():
        signal.signal(number, signal.SIG_IGN if handler is None else handler)
    return status


def _outcome(store: Store, study_id: str) -> tuple[str, str]:
    """A study of which nothing could be measured has failed."""
    rows = store.rows([study_id])
    if (rows["status"] == "done").any():
        return "done", ""
    reasons = rows.loc[rows["status"] == "failed", "reason"]
    return "failed", f"Nothing could be measured. {reasons.iloc[0] if len(reasons) else ''}".strip()


def _cancelled(store: Store, study_id: str) -> str:
    with suppress(EfficiencyError):
        rows = store.rows([study_id])
        if not views.anything_measured(rows):
            return "Cancelled before anything was measured."
        if not views.anything_timed(rows):
            return "Cancelled before anything was timed; what else was found out by then is kept."
    return "Cancelled; what was measured is kept."


def _end(store: Store, study_id: str, status: str, message: str) -> None:
    try:
        store.set_status(study_id, status, message)
    except EfficiencyError:
        # A full disk or a deleted study: the progress file and the exit code still tell.
        logging.getLogger(__name__).exception("The study's end could not be stored")
