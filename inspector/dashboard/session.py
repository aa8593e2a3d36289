"""What a page is given: the settings, the language, the model's name.

Must not know: Streamlit.
"""

from dataclasses import dataclass

from inspector.dashboard.settings import Settings


@dataclass(frozen=True)
class Visit:
    """One run of one page for one reader."""

    settings: Settings
    language: str
    """Code of a catalogue, such as 'en'."""
    model: str
    """One of the settings' models."""
