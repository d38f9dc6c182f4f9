"""What `recommend` prints: the answers of a study, at a glance where there are many, else with all beside each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from efficiency import console
from efficiency.analysis import decision_words
from efficiency.analysis.limits import Limits

if TYPE_CHECKING:
    from efficiency.analysis.choice import Answer
    from efficiency.decisions import Case
    from efficiency.results.store import Store, StudyRecord

FILTERS = ("workload", "batch_size", "threads")
"""Columns of which a value can be asked for."""
TOLD = 3
"""Answers that are told with what is to be known beside each; of more there is a table."""


def say(
    store: Store,
    study_id: str,
    answers: Sequence[tuple[Case, Answer]],
    asked: Limits,
    price_per_hour: float | None,
) -> None:
    """What was asked, and the answers."""
    from efficiency.analysis import answer_table, limit_words, machine_words
    from efficiency.machine import this_machine

    record = store.study(study_id)
    console.say(f"{record.name or study_id}, {limit_words.asked(asked)}.")
    if differs := machine_words.elsewhere(record.machine, this_machine()):
        console.say(f"Measured on {record.machine.get('label') or 'an unknown machine'}, {differs}.")
    if len(answers) <= TOLD:
        for case, answer in answers:
            console.say(f"\n{case.title}: {decision_words.sentence(answer)}")
            for line in filter(None, _beside(store, record, case, answer, asked, price_per_hour)):
                console.say(f"  {line}")
        return
    table = answer_table.of([(case.title, answer) for case, answer in answers], asked, price_per_hour)
    console.table("What to ship", table.columns, table.itertuples(index=False))
    console.say(
        f"What is to be known beside an answer, its recipe and how to confirm it are told of {TOLD} answers or fewer: "
        f"name some by {', '.join(map(option, FILTERS[:-1]))} or {option(FILTERS[-1])}."
    )


def _beside(
    store: Store, record: StudyRecord, case: Case, answer: Answer, asked: Limits, price_per_hour: float | None
) -> list[str]:
    """What is to be known beside an answer, and what can be done with it."""
    from efficiency import artefact, confirm, other_hours
    from efficiency.analysis import confirmations, notes, timing_again
    from efficiency.machine import this_machine
    from efficiency.recipes import naming

    lines, winner = decision_words.beside(answer), answer.last.winner
    if winner is not None:
        lines.append(other_hours.said(store, winner))
        lines.append(decision_words.money(winner, price_per_hour))
        of, details = store.study(str(winner["study_id"])), store.details(int(winner["row_id"]))
        lines += [f"{key}: {hint}" for key, hint in notes.hints(winner, of.asked, details)]
        lines.append(f"Its recipe: `{naming.command('recipe', winner)}`.")
        if not artefact.why_not(winner, of, details):
            lines.append(f"What was prepared: `{naming.command('artefact', winner, '--file', 'it.zip')}`.")
    again = confirmations.worth_timing_again(answer)
    if again and timing_again.lead(answer.first) is not None and not confirm.why_not(record, this_machine()):
        why = "which confirms that it leads, or finds otherwise" if winner else "which may settle its latency"
        why = why if answer.fresh is None or not winner else "which may find otherwise"
        command = confirm.command(record.id, case.first.rows.iloc[0], asked, price_per_hour)
        lines.append(f"`{command}` times it again, {why}.")
    return lines


def option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
