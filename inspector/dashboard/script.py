"""What `inspector dashboard` gives Streamlit to run, wherever inspector is installed.

Must not know: what is on the pages.
"""

from inspector.dashboard import main

if __name__ == "__main__":
    main()
