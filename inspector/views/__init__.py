"""What is shown: frames and arrays as charts, pages and tables.

Altair, BertViz and torch load when a chart or a page is first made.
Must not know: torch models, Streamlit.
"""

from inspector.views.maps import AttentionMaps
from inspector.views.page import Page

__all__ = ["AttentionMaps", "Page"]
