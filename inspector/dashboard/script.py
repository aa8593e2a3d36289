"""What `inspector dashboard` gives Streamlit to run, wherever inspector is installed."""

import contextlib
import os
import sys

from inspector.dashboard import main
from inspector.dashboard.settings import read_arguments

if __name__ == "__main__":
    # The server was started in inspector's own folder; names in the settings mean the reader's.
    folder = read_arguments(sys.argv[1:]).folder
    if folder is not None:
        with contextlib.suppress(OSError):  # it is gone: whole paths still work
            os.chdir(folder)
    main()
