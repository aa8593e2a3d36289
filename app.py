"""Starts the dashboard: `streamlit run app.py -- --config configs/minilm.yaml`.

Must not know: what is on the pages.
"""

from pathlib import Path

from inspector.dashboard import main

main(default_config=Path(__file__).parent / "configs" / "minilm.yaml")
