"""Where the gold data lies; it need not be there."""

import os
from pathlib import Path

DATA = Path(os.environ.get("INSPECTOR_DATA", Path(__file__).parents[4] / "shared" / "data"))
