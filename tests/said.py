"""What a page says, as one text, and where its links lead."""

from urllib.parse import parse_qs

from streamlit.testing.v1 import AppTest


def said(at: AppTest) -> str:
    """Every sentence, number and caption on the page, style sheets aside."""
    kinds = (at.markdown, at.caption, at.error, at.warning, at.info, at.success, at.metric, at.get("html"))
    values = [str(getattr(e, "value", "") or getattr(e.proto, "body", "")) for kind in kinds for e in kind]
    return "\n".join(value for value in values if not value.startswith("<style>"))


def links(at: AppTest) -> dict[str, dict[str, str]]:
    """What each link asks of its page, by its label."""
    found = ((one.proto.label, parse_qs(one.proto.query_string.lstrip("?"))) for one in at.get("page_link"))
    return {label: {name: values[0] for name, values in asks.items()} for label, asks in found}
