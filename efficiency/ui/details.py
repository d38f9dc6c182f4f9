"""The drawer with all that is known of one row."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from efficiency import layers_chart, other_hours, sample_charts, techniques
from efficiency.analysis import (
    answers,
    kernels,
    layers,
    notes,
    replicates,
    roofline,
    row_words,
    runtime_gain,
    speed,
    stillness,
    tables,
    training,
    views,
    wording,
)
from efficiency.analysis.wording import markdown_text
from efficiency.results.store import Store
from efficiency.study import CONTROL
from efficiency.tolerance import tolerance_of
from efficiency.ui import api_status, artefact, layers_plan, selected, take_home, why

EFFECT = {"yes": ("took effect", "green"), "partly": ("took effect in part", "orange"), "no": ("no effect", "red")}
CEILING = (
    "The least time that a call could take here, from the model's operations and bytes and the measured peaks of "
    "arithmetic and memory, as a share of its median latency. The page Machine shows the peaks: measured on a "
    "busy machine they are too low, and a share can then pass 100 %."
)
VERDICT = {"faster": "green", "slower": "orange", "kept": "green", "lost": "red"}


def open_asked(store: Store, rows: pd.DataFrame) -> None:
    """Opens the drawer for the row that the address names."""
    asked = selected.asked()
    if asked is None:
        return
    found = rows[rows["row_id"].astype(str) == asked]
    if found.empty:
        st.warning(
            f"There is no row “{markdown_text(asked[:40])}” in the studies shown; choose a line of the table.",
            icon=":material/link_off:",
        )
        return
    row = found.iloc[0]
    st.dialog(markdown_text(row["variant_label"]), width=760, position="right", on_dismiss=selected.close)(_drawer)(
        store, rows, row
    )


def _drawer(store: Store, rows: pd.DataFrame, row: pd.Series[Any]) -> None:
    st.caption(markdown_text(f"{row['workload_label']} · {row['dataset']} · {row['condition']} · {row['study_name']}"))
    baseline = views.baseline_of(rows, row)
    kept, study = store.details(int(row["row_id"])), store.study(str(row["study_id"]))
    if row["status"] == "done":
        _findings(row)
        _numbers(row, baseline)
        if text := other_hours.said(store, row.to_dict()):
            st.markdown(markdown_text(text))
        if text := views.padding_said(row["padding_pct"]):
            st.caption(text)
        if gain := runtime_gain.said(row.to_dict(), kept):
            st.markdown(markdown_text(gain))
        why.show(store, rows, row, kept, study)
        if pd.notna(row["ceiling_pct"]) and isinstance(kept.get("work"), dict):
            st.markdown(roofline.sentence(float(row["ceiling_pct"]), kept["work"]), help=CEILING)
        _histogram(store, row, baseline)
        _replicates(store, rows, row, baseline)
        _answers(store, row, baseline, tolerance_of(study.asked))
        if text := answers.logits_said(kept.get("logits")):
            st.markdown(markdown_text(text))
    else:
        waits = row["state"] != row["status"]
        say, icon = (st.info, ":material/hourglass_empty:") if waits else (st.warning, ":material/block:")
        say(f"{markdown_text(row['state'])}: {markdown_text(row['reason'])}", icon=icon)
    _evidence(kept, row["padding_pct"])
    _layers(kept)
    if text := kernels.said(kept):
        st.caption(markdown_text(text))
    artefact.show(row, study, kept)
    if text := wording.energy(kept.get("energy")):
        st.caption(markdown_text(text))
    for key, text in notes.hints(row.to_dict(), study.asked, kept):
        show, icon = (st.info, ":material/info:") if key in notes.INFORMATIVE else (st.warning, ":material/warning:")
        show(markdown_text(text), icon=icon)
    layers_plan.offer(row.to_dict(), study.asked)
    take_home.show(row, study)
    _cards(str(row["variant"]))
    with st.expander("All numbers", icon=":material/table_rows:"):
        st.dataframe(tables.all_numbers(row), hide_index=True, alt="Every column of this row")
    with st.expander("Machine", icon=":material/memory:"):
        st.dataframe(tables.machine_facts(study.machine), hide_index=True, alt="The machine")


def _findings(row: pd.Series[Any]) -> None:
    if row["relative"]:
        st.markdown(f"**{markdown_text(row['relative'])}**")
    with st.container(horizontal=True):
        for name in ("speed_verdict", "accuracy_verdict"):
            if row[name]:
                word = row[name] if name == "speed_verdict" else f"accuracy {row[name]}"
                st.badge(word, color=VERDICT.get(row[name], "gray"))  # type: ignore[arg-type]
        if row["on_front"]:
            st.badge("on the Pareto front", icon=":material/star:", color="blue")
        for key in filter(None, str(row["warnings"]).split(";")):
            informative = key in notes.INFORMATIVE
            st.badge(
                markdown_text(key.replace("-", " ")),
                icon=":material/info:" if informative else ":material/warning:",
                color="gray" if informative else "orange",
                help=notes.MEANINGS.get(key),
            )


def _numbers(row: pd.Series[Any], baseline: pd.Series[Any] | None) -> None:
    shown = (
        ("Speed-up", "speedup", "x", ("speedup_ci_low", "speedup_ci_high")),
        ("Latency p50", "latency_ms_p50", "ms", ("latency_low_ms", "latency_high_ms")),
        ("Accuracy", "accuracy_pct", "%", ("accuracy_ci_low_pct", "accuracy_ci_high_pct")),
        ("Size", "size_mb", "MB", ()),
        ("Peak memory", "peak_memory_mb", "MB", ()),
    )
    ends = {name: wording.interval(row[of[0]], row[of[1]], unit) if of else "" for _, name, unit, of in shown}
    noise = wording.plus_minus(row["noise_pct"])
    minutes = wording.plus_minus(row["speedup_precision_pct"]) if replicates.allows_for_hours(row) else ""
    told = (f"{minutes} by its own minutes" if minutes else "", f"noise floor {noise}" if noise else "")
    more = {"speedup": "<br>".join(filter(None, told)), "latency_ms_p50": _p99(row)}
    facts = [
        f'<div><div class="where">{label}</div><div class="big">{wording.number(row[name], unit)}</div>'
        + (f'<div class="where">95 %: {ends[name]}</div>' if ends[name] else "")
        + (f'<div class="where">{more[name]}</div>' if more.get(name) else "")
        + (
            ""
            if baseline is None or name == "speedup"
            else f'<div class="where">baseline {wording.number(baseline[name], unit)}</div>'
        )
        + "</div>"
        for label, name, unit, _ in shown
    ]
    st.html(f'<div class="eff-cards eff-facts">{"".join(facts)}</div>')
    if text := row_words.by_medians(row.to_dict(), None if baseline is None else baseline.to_dict()):
        st.markdown(markdown_text(text))


def _p99(row: pd.Series[Any]) -> str:
    """Empty where there is none; why, stands below the histogram."""
    if pd.isna(row["latency_ms_p99"]):
        return ""
    ends = wording.interval(row["latency_ms_p99_ci_low"], row["latency_ms_p99_ci_high"], "ms")
    return f"p99: {wording.number(row['latency_ms_p99'], 'ms')}{f', 95 %: {ends}' if ends else ''}"


def _histogram(store: Store, row: pd.Series[Any], baseline: pd.Series[Any] | None) -> None:
    samples = store.samples(int(row["row_id"]))
    if samples.empty:
        st.caption("No raw samples are kept of this row.")
        return
    alone = baseline is None or baseline["row_id"] == row["row_id"]
    st.markdown("##### Raw samples")
    st.plotly_chart(
        sample_charts.latency_histogram(
            samples, None if alone or baseline is None else store.samples(int(baseline["row_id"])), row["variant"]
        ),
        key="latency-histogram",
        config={"displayModeBar": False},
        alt=f"Distribution of {len(samples)} timed calls, median {wording.number(row['latency_ms_p50'], 'ms')}",
    )
    st.caption(
        f"{len(samples)} calls in {samples['replicate'].nunique()} fresh processes; dotted lines are medians."
        + _why_no_p99(row)
    )


def _why_no_p99(row: pd.Series[Any]) -> str:
    if pd.notna(row["latency_ms_p99"]):
        return ""
    told = f" There is no p99 of so few: {speed.P99_TAKES}."
    return told if row["phase"] == "training" else f"{told} {speed.P99_BY}"


def _replicates(store: Store, rows: pd.DataFrame, row: pd.Series[Any], baseline: pd.Series[Any] | None) -> None:
    """Each process's own speed-up, and its control's beside it."""
    if baseline is None or baseline["row_id"] == row["row_id"]:
        return
    control = views.control_of(rows, row)
    shown = [one for one in (row, None if row["variant"] == CONTROL else control) if one is not None]
    reference = store.samples(int(baseline["row_id"]))
    found = [(one, replicates.ratios(reference, store.samples(int(one["row_id"])))) for one in shown]
    found = [(one, points) for one, points in found if len(points) and pd.notna(one["speedup_ci_low"])]
    if not found or found[0][0]["row_id"] != row["row_id"]:
        return
    st.markdown("##### Why the interval is as wide as it is")
    st.plotly_chart(
        sample_charts.replicate_ratios(found),
        key="replicate-ratios",
        config={"displayModeBar": False},
        alt=" ".join(replicates.said(one, points) for one, points in found),
    )
    undisturbed = stillness.of_heat(store.details(int(baseline["row_id"])))
    st.caption(replicates.why_as_wide(row, found[0][1], undisturbed))


def _answers(store: Store, row: pd.Series[Any], baseline: pd.Series[Any] | None, tolerance_pp: float) -> None:
    if baseline is None or baseline["row_id"] == row["row_id"]:
        return
    own, theirs = (store.answers(int(one["row_id"])) for one in (row, baseline))
    luck_pp = training.luck_pp(store.details(int(baseline["row_id"])), baseline["accuracy_pct"])
    if own.empty or len(own) != len(theirs):
        return
    st.markdown("##### Which answers changed?")
    st.markdown(answers.said(own, theirs, tolerance_pp, luck_pp))
    names = answers.classes(str(row["workload"]), str(row["dataset"]))
    table = answers.by_class(own, theirs, names)
    if worst := answers.worst_classes(table):
        st.markdown(markdown_text(worst))
    if len(table):
        with st.expander(f"By class: {len(table)} with a change", icon=":material/compare_arrows:"):
            st.dataframe(table, hide_index=True, alt="Rows that only one of the two has right, by class")
    examples, count = answers.flipped(own, theirs, names)
    if count:
        shown = f"{count:,} answered otherwise" + (f", {len(examples)} of them here" if len(examples) < count else "")
        with st.expander(f"Examples: {shown}", icon=":material/swap_horiz:"):
            st.dataframe(examples, hide_index=True, alt="Test rows that the two answer differently")
            st.caption("Test rows are numbered from 0, in the order of the test set; those that were lost come first.")


def _evidence(kept: dict[str, Any], padding_pct: Any) -> None:
    found = tables.evidence(kept)
    if found:
        st.markdown("##### Did it take effect?")
    for key, effect, reason in found:
        word, colour = EFFECT.get(effect, (effect, "gray"))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(markdown_text(word), color=colour)  # type: ignore[arg-type]
            st.markdown(f"**{markdown_text(views.variant_label(key))}**: {markdown_text(reason)}", width="content")
        if key == "fast-path" and effect == "yes" and (padding := views.padding_said(padding_pct)):
            st.caption(f"It can skip padding that stands at the end of rows. Here, {padding}")


def _layers(kept: dict[str, Any]) -> None:
    """What each layer costs, of a variant that leaves some in FP32."""
    found = layers.of(kept)
    if found.empty:
        return
    st.markdown("##### Which layers cost the accuracy?")
    st.plotly_chart(layers_chart.bars(found), key="layers", config={"displayModeBar": False}, alt=layers.said(found))
    shown = min(len(found), layers_chart.MOST_BARS)
    st.caption(
        "Each layer alone in FP32, all others in INT8: the share of the squared error of the scores that goes. "
        "Coloured layers were left in FP32."
        + (f" Here are {shown} of {len(found)} layers." if shown < len(found) else "")
    )


def _cards(variant: str) -> None:
    known = [techniques.TECHNIQUES[key] for key in variant.split("+") if key in techniques.TECHNIQUES]
    if known:
        st.caption(markdown_text(" ".join(map(api_status.said, known))))
    for technique in known:
        with st.expander(f"About {technique.label}", icon=":material/menu_book:"):
            st.markdown(_without_title(technique.card.read_text()) if technique.card.is_file() else technique.summary)


def _without_title(markdown: str) -> str:
    """The card below its first heading, which the expander already says."""
    first, _, rest = markdown.partition("\n")
    return rest if first.startswith("# ") else markdown
