"""`python -m tools.default_run`: profile minilm on inspector's own text, for the dashboard to ship.

It is what the page Specialization would compute, without the shards that only a resume reads.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import inspector
from inspector.dashboard.store import SETTINGS, SHIPPED


def main(target: Path = SHIPPED) -> None:
    """Compute the run and put its frames where the package has them."""
    chosen: Mapping[str, Any] = SETTINGS
    settings = inspector.ProfileSettings(**chosen)
    with TemporaryDirectory() as folder:
        inspector.profile("minilm", output=Path(folder) / "run", settings=settings, workers=2)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(
            Path(folder) / "run", target, ignore=shutil.ignore_patterns("shards", ".*", "*.lock")
        )


if __name__ == "__main__":
    main()
