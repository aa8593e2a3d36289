"""Every frame and its columns: dtype, unit and meaning, as frames.yaml has them.

`python -m inspector.frames` prints the reference page, docs/frames.md.
Must not know: how a figure is computed, which page shows it.
"""

from collections.abc import Mapping

from inspector.frames.table import ENGLISH, Column, Dtype, Frame, Frames, frames

__all__ = ["ENGLISH", "Column", "Dtype", "Frame", "Frames", "dtypes", "frames", "meanings"]


def dtypes(frame: str) -> dict[str, str]:
    """Return column → dtype of a frame, in order, without optional columns.

    Example:
        >>> dtypes("kinds")
        {'relation': 'str', 'kind': 'str'}
    """
    table = frames()
    return {name: table.column(frame, name).dtype for name in table.frames[frame].columns}


def meanings(frame: str, language: str = ENGLISH) -> Mapping[str, str]:
    """Return column → meaning of a frame, optional columns too.

    Example:
        >>> meanings("claims", "zh")["lift"]
        '准确率减基线准确率。'
    """
    table = frames()
    listed = table.frames[frame]
    names = [*listed.columns, *listed.optional]
    return {name: table.column(frame, name).says(language) for name in names}
