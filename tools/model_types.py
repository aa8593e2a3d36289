"""`python -m tools.model_types`: the page of model types says what the table of architectures has.

`make architectures` calls it. Only the lists and the numbers are written; what the page says of
them stays.
"""

import re
from pathlib import Path

from inspector.models import ARCHITECTURES

PAGE = Path(__file__).parent.parent / "docs" / "model_types.md"
_HEADINGS = {
    "encoder": "Encoders",
    "decoder": "Decoders",
    "encoder of two": "Encoders of encoder-decoders",
}


def listed(page: str) -> str:
    """Return the page with the model types of the table, in its order, and their numbers."""
    page = re.sub(r"^\d+ values", f"{len(ARCHITECTURES)} values", page, flags=re.MULTILINE)
    for kind, heading in _HEADINGS.items():
        names = [name for name, row in ARCHITECTURES.items() if row.kind == kind]
        section = f"## {heading} ({len(names)})\n\n`{'`, `'.join(names)}`."
        page, found = re.subn(rf"^## {heading} \(\d+\)\n\n`.*$", section, page, flags=re.MULTILINE)
        if found != 1:
            raise SystemExit(f"{PAGE.name} has no section {heading} with a list below it.")
    return page


if __name__ == "__main__":
    PAGE.write_text(listed(PAGE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
