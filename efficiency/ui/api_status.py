"""How the API of a technique stands: a tag beside its name, and the sentence behind the tag."""

from __future__ import annotations

from efficiency.techniques.base import Technique


def tag(technique: Technique) -> str:
    """`stable` or `deprecated` as a badge, in Streamlit's Markdown."""
    colour = "orange" if technique.api_status == "deprecated" else "gray"
    return f":{colour}-badge[{technique.api_status}]"


def said(technique: Technique) -> str:
    """With what is to be used in its place, where there is something."""
    instead = f"; its successor here is {technique.successor}" if technique.successor else ""
    return f"The API of {technique.label} is {technique.api_status}{instead}."
