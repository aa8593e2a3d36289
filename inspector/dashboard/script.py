"""What `inspector dashboard` gives Streamlit to run, wherever inspector is installed.

Must not know: what is on the pages.
"""

import contextlib
import os
import sys

from inspector.dashboard import main
from inspector.dashboard.settings import reader_folder

if __name__ == "__main__":
    # The server was started in inspector's own folder; names in the settings mean the reader's.
    folder = reader_folder(sys.argv[1:])
    if folder is not None:
        with contextlib.suppress(OSError):  # it is gone: whole paths still work
            os.chdir(folder)
    main()
