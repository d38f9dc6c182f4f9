"""Studies in the background, for the pages: submit, look, cancel. No torch, no waiting."""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import replace

import psutil

from efficiency.analysis import views
from efficiency.check import check
from efficiency.engine import background
from efficiency.engine.progress import Progress, ProgressFile, clear, folder_of
from efficiency.errors import EfficiencyError
from efficiency.machine import this_machine
from efficiency.results.store import Store
from efficiency.study import Study

__all__ = ["Progress", "cancel", "forget", "live", "progress", "submit"]

START_S = 20.0
"""A job that has not written its first progress by then has died on the way."""


def submit(store: Store, study: Study, *, name: str = "", command: str = "") -> str:
    """Store the study as queued and start its process; raises `BadRequest` with every problem, and `EfficiencyError`
    where it cannot be started: it has failed then."""
    machine = this_machine()
    check(study, machine)
    study_id = store.add_study(
        study.as_dict(), name=name or study.name, machine=machine.as_dict(), command=command, status="queued"
    )
    try:
        _children.append(background.started(["job", study_id], folder_of(study_id) / "job.log", anew=False))
    except EfficiencyError as error:
        store.set_status(study_id, "failed", str(error))
        raise
    return study_id


_children: list[subprocess.Popen[bytes]] = []


def _reap() -> None:
    """Collect jobs of ours that have ended, so that none stays behind as a zombie."""
    _children[:] = [child for child in _children if child.poll() is None]


def progress(store: Store, study_id: str) -> Progress:
    """How the study stands. One whose process has died without a word is set to `interrupted`."""
    _reap()
    record = store.study(study_id)
    found = ProgressFile(study_id).read()
    if record.status not in {"queued", "running"}:
        told = found[0] if found else Progress(study_id, record.status)
        return replace(told, state=record.status, now=record.message, waiting_for=None)
    if found is None:
        started_s = _age_s(study_id)
        if started_s is None:
            # Not started from here, or only just stored: another home may know more, so it is not ours to end.
            return Progress(study_id, record.status, "Started by another program; it can be cancelled here.")
        if started_s < START_S:
            return Progress(study_id, "queued", "Starting")
        return _interrupted(store, Progress(study_id, "queued"))
    told, process = found
    if process is None:
        # It may have ended properly between our two looks.
        now = store.study(study_id).status
        return _interrupted(store, told) if now in {"queued", "running"} else replace(told, state=now)
    return told


def _age_s(study_id: str) -> float | None:
    """Seconds since its process was started from this home; None where it was not."""
    try:
        return time.time() - folder_of(study_id).stat().st_mtime
    except OSError:
        return None


def _interrupted(store: Store, told: Progress) -> Progress:
    message = "Its process ended unexpectedly before anything was measured. Run it again."
    if views.anything_measured(store.rows([told.study_id])):
        message = "Its process ended unexpectedly; what was measured is kept. Run it again for the rest."
    store.set_status(told.study_id, "interrupted", message)
    clear(told.study_id)
    return replace(told, state="interrupted", now=message, left_s=None, waiting_for=None)


def cancel(store: Store, study_id: str) -> None:
    """Ask the study's process to stop; rows already measured are kept, and a study that has ended stays as it is."""
    status = store.study(study_id).status
    if status not in {"queued", "running"}:
        return
    found = ProgressFile(study_id).read()
    if found and found[1] is not None:
        with suppress(psutil.NoSuchProcess):
            found[1].terminate()
    else:
        elsewhere = "Cancelled here; where another program still measures it, that goes on."
        store.set_status(study_id, "cancelled", elsewhere if status == "running" else "Cancelled before it started.")


def forget(study_id: str) -> None:
    """Remove what the processes of a deleted study left behind: its progress and its logs."""
    ProgressFile(study_id).remove()
    shutil.rmtree(folder_of(study_id), ignore_errors=True)


def settle(store: Store) -> None:
    """Set to `interrupted` whatever of the queued and running has no process any more."""
    live(store)


def live(store: Store) -> list[Progress]:
    """Studies that are queued or running: the running one first, then those that wait, the oldest first."""
    studies = store.studies()
    waiting = studies[studies["status"].isin(["queued", "running"])]["id"][::-1]
    found = [progress(store, study_id) for study_id in waiting]
    return sorted((told for told in found if told.live), key=lambda told: told.state != "running")
