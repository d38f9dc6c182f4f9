"""What a page says, as one text."""

from streamlit.testing.v1 import AppTest


def said(at: AppTest) -> str:
    """Every sentence, number and caption on the page, style sheets aside."""
    kinds = (at.markdown, at.caption, at.error, at.warning, at.info, at.success, at.metric, at.get("html"))
    values = [str(getattr(e, "value", "") or getattr(e.proto, "body", "")) for kind in kinds for e in kind]
    return "\n".join(value for value in values if not value.startswith("<style>"))
