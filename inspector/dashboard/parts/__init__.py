"""Parts of pages that the reader works with: our own components, and what goes out of the page.

Each component is a Python file, a script and a style beside it; nothing comes from another host.
"""
