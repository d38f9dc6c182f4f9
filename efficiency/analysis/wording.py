"""Numbers as people say them: relative to the baseline first, cut to the figures the interval supports."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from efficiency.analysis import notes
from efficiency.analysis.kept import is_number
from efficiency.analysis.pareto import SIZE_TOLERANCE
from efficiency.study import BASELINE

CEILING = "ceiling"
"""Who has the machine's turn while it is measured what the machine can do."""
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#!|~$:&^=]|^[-+]")
_CODE = re.compile(r"((?<!`)`[^`|]+`(?!`))")
_OPTION = re.compile(r"(^|[.!?] |, )--([a-z-]+)(?=[ :,])")
_NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")


def markdown_text(text: object) -> str:
    r"""Text from a file, a user or an error, so that Streamlit's Markdown shows it as it is, in one line.

    Without it a study's name could load a picture from elsewhere: `![x](http://h/p.png)` is given back as
    `\!\[x\](http\://h/p.png)`. What stands between two backticks, such as a command in a hint, stays code, in which
    nothing else has a meaning.
    """
    parts = _CODE.split(" ".join(str(text).split()))
    parts[::2] = (_SPECIAL.sub(r"\\\g<0>", part) for part in parts[::2])
    return _NUMBERED.sub(r"\1\\\2", "".join(parts))


def without_options(problems: object) -> str:
    """As a page says it: `--batch-size: choose 1 to 1024` becomes `Batch size: choose 1 to 1024`."""

    def named(found: re.Match[str]) -> str:
        before, words = found[1], found[2].replace("-", " ")
        return before + (words if before == ", " else words.capitalize())

    return _OPTION.sub(named, str(problems))


def html_text(text: object) -> Markup:
    """The same for HTML: all of it escaped, and what stands between two backticks in `<code>`."""
    parts = [escape(part) for part in _CODE.split(str(text))]
    parts[1::2] = (Markup("<code>{}</code>").format(Markup(part[1:-1])) for part in parts[1::2])
    return Markup("").join(parts)


def _decimals(uncertainty: float) -> int:
    """Decimals at which an uncertainty has one figure; between 1 and 2, which is what people read."""
    return 1 if uncertainty >= 0.05 else 2


def speed(row: Mapping[str, Any]) -> str:
    """`2.9x faster ± 0.1`, `1.3x slower ± 0.1`, `same speed`, `not told apart`; empty where unknown.

    The figure after ± is half the 95 % interval.
    """
    ratio, low, high = (row.get(name) for name in ("speedup", "speedup_ci_low", "speedup_ci_high"))
    if ratio is None or not (is_number(ratio) and ratio > 0):
        return ""
    verdict = row.get("speed_verdict")
    if verdict == "same":
        return "same speed"
    if low is None or high is None or not (is_number(low) and is_number(high) and low > 0):
        return f"{ratio:.1f}x faster" if ratio >= 1 else f"{1 / ratio:.1f}x slower"
    if verdict == "unresolved":
        return f"not told apart ({low:.2f}–{high:.2f}x)"
    word = "faster"
    if ratio < 1:
        ratio, low, high, word = 1 / ratio, 1 / high, 1 / low, "slower"
    half = (high - low) / 2
    places = max(_decimals(half), 2 if ratio < 1.2 else 1)
    # An interval too narrow to show is said to be below the last figure, never to be none.
    shown = f"± {half:.{places}f}" if half >= 0.5 * 10**-places else f"± <{10**-places:.{places}f}"
    return f"{ratio:.{places}f}x {word} {shown}"


def accuracy(row: Mapping[str, Any]) -> str:
    """`-0.25 pp ± 0.30`, `+0.10 pp ± 0.15`, with `lost` or `unresolved` where that is the verdict.

    The figure after ± is half the 95 % interval; there is none where no answer differs.
    """
    delta, low, high = (row.get(f"accuracy_delta_{part}pp") for part in ("", "ci_low_", "ci_high_"))
    if delta is None or not is_number(delta):
        return ""
    text = f"{round(delta, 2) + 0.0:+.2f} pp"  # adding 0 makes of -0.00 a +0.00, as tables have it
    if low is not None and high is not None and is_number(low) and is_number(high) and high - low >= 0.01:
        text += f" ± {(high - low) / 2:.2f}"
    verdict = row.get("accuracy_verdict")
    return f"{text} ({verdict})" if verdict in ("lost", "unresolved") else text


def size(row: Mapping[str, Any]) -> str:
    """`3.7x smaller`, `1.2x larger`, `same size`."""
    ratio = row.get("size_ratio")
    if ratio is None or not (is_number(ratio) and ratio > 0):
        return ""
    if abs(math.log(ratio)) <= SIZE_TOLERANCE:
        return "same size"
    word, ratio = ("smaller", ratio) if ratio > 1 else ("larger", 1 / ratio)
    return f"{ratio:.{2 if ratio < 1.2 else 1}f}x {word}"


def relative(row: Mapping[str, Any]) -> str:
    """All three, joined: `2.9x faster ± 0.1, -0.25 pp ± 0.30, 3.7x smaller`."""
    if row.get("variant") == BASELINE:
        return "the reference"
    return ", ".join(filter(None, (speed(row), accuracy(row), size(row))))


def plus_minus(percent: Any) -> str:
    """A noise floor or a precision in percent: `±1.4 %`; empty where none is known."""
    return f"±{percent:.{1 if percent < 10 else 0}f} %" if is_number(percent) else ""


def interval(low: Any, high: Any, unit: str = "", places: int | None = None) -> str:
    """`2.50–2.64 ms`, `1.72–1.91x`: three figures, or so many decimals, and more where the ends would look the same.

    Empty where there is no interval, or nothing in it.
    """
    if not (is_number(low) and is_number(high)) or not high > low:
        return ""
    if places is None:
        places = 2 - math.floor(math.log10(max(abs(low), abs(high))))
    places = min(4, max(0, places, -math.floor(math.log10(high - low))))
    low, high = (round(float(end), places) + 0.0 for end in (low, high))  # never -0
    between = " to " if low < 0 else "–"
    return f"{low:,.{places}f}{between}{high:,.{places}f}{_after(unit)}"


def times(ratio: Any, low: Any, high: Any) -> str:
    """`2.86x [2.81–2.90x]`; empty where the ratio is not known, and without what is not known of its interval."""
    if not is_number(ratio):
        return ""
    ends = interval(low, high, "x", 2)
    return f"{ratio:.2f}x" + (f" [{ends}]" if ends else "")


def warnings(keys: Any) -> str:
    """A row's warnings in short: `test-subset;noisy;wide-interval` to `⚠ noisy, wide interval, test subset`."""
    found = sorted((key for key in str(keys or "").split(";") if key), key=lambda key: key in notes.INFORMATIVE)
    sign = "⚠ " if found and found[0] not in notes.INFORMATIVE else ""
    return sign + ", ".join(key.replace("-", " ") for key in found)


def number(value: Any, unit: str = "") -> str:
    """Three figures and the unit, `2.57 ms` or `1.81x`; a dash where unknown."""
    if not is_number(value):
        return "–"
    value = float(value)
    magnitude = math.floor(math.log10(abs(value))) if value else 0
    text = f"{value:,.{min(4, max(0, 2 - magnitude))}f}"
    return f"{text}{_after(unit)}"


def _after(unit: str) -> str:
    """A unit as it follows its figure."""
    return f" {unit}" if unit not in ("", "x") else unit


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`; empty of nothing."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def exact(value: float) -> str:
    """`0.5`, `1,234,567.5`: what somebody typed, with all its digits."""
    return f"{value:,.12g}"


def some(names: Sequence[str], most: int) -> str:
    """`A`, `A and B`, `A, B and 7 others`: no more than so many parts."""
    return listed(names if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1} others"])


def energy(kept: object) -> str:
    """What a row's details keep of its energy, in a sentence; empty where nothing is kept."""
    if not isinstance(kept, Mapping):
        return ""
    if not is_number(kept.get("mj")):
        return f"Energy was not measured. {kept.get('reason') or ''}".strip()
    return (
        f"An example takes {number(kept['mj'], 'mJ')} above idle ({number(kept.get('low_mj'))} to "
        f"{number(kept.get('high_mj'))} over {kept.get('windows')} windows; {number(kept.get('with_idle_mj'), 'mJ')} "
        f"with the {number(kept.get('idle_w'), 'W')} that idling draws). Source: {kept.get('source')}."
    )


def duration(seconds: float) -> str:
    """`8 s`, `2 min 10 s`, `1 h 05 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 3570:  # from there on it would be 60 min
        return f"{round(whole / 60)} min"
    whole = max(whole, 3600)
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def between(least_s: float, most_s: float) -> str:
    """`18 min to 45 min`; one of them where both are said alike."""
    least, most = duration(least_s), duration(max(least_s, most_s))
    return least if least == most else f"{least} to {most}"


def at_work(holder: str | None) -> str:
    """What has the machine's turn, as `turn.holder` tells it: a study by its id, else in words of its own."""
    if not holder:
        return "something else"
    if holder == CEILING:
        return "what this machine can do"
    return holder if " " in holder else f"the study {holder}"


def disturbs(holder: str | None, other: str) -> str:
    """Why `other` is refused now: `and making files now would disturb it`."""
    what = at_work(holder)
    return f"{what[0].upper()}{what[1:]} is being measured, {other}"


def ended(status: str, message: str) -> str:
    """`done.`, `failed. Nothing could be measured.`, `cancelled; what was measured is kept.`: a study's end."""
    said = message if message.lower().startswith(status) else f"{status}. {message}".strip()
    return said[:1].lower() + said[1:]


def waiting(holder: str | None, name: str, before: int = 0) -> str:
    """Why a queued study does not run yet; `name` is that of the study whose turn it is, if it is one of this database.
    `before`: how many of those that wait are served before it."""
    others = "another study is" if before == 1 else f"{before} other studies are"
    return _waits_for(holder, name) + (f" In the queue, {others} before it." if before else "")


def _waits_for(holder: str | None, name: str) -> str:
    if not holder:
        return "It is about to start."
    if holder == CEILING:
        return "It waits until it is measured what this machine can do; that takes some seconds."
    if name:
        return f"It waits for “{name}”: one study is measured at a time on a machine."
    whose = "" if " " in holder else ", which another database keeps"
    return f"It waits for {at_work(holder)}{whose}: one thing is measured at a time on a machine."
