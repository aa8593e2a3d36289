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
    """'en' or 'zh'."""
    model: str
    """One of the settings' models."""
