"""How the documentation is built: `make docs`, where every warning is an error.

Owns Sphinx's settings, and that the generated pages are written before anything is read; knows nothing of their text
(`tables.py` does).
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import tables  # noqa: E402

from fsprobe import __version__  # noqa: E402

tables.write(HERE / "generated")

project = "fsprobe"
author = "the fsprobe authors"
copyright = "the fsprobe authors, Apache-2.0"
version = release = __version__

extensions = ["myst_parser"]
myst_enable_extensions = ["attrs_inline"]
myst_heading_anchors = 3
nitpicky = True
exclude_patterns = ["examples"]

html_theme = "furo"
html_title = f"fsprobe {__version__}"
html_static_path = ["_static"]
html_css_files = ["house.css"]
html_show_sphinx = False
html_copy_source = False
highlight_language = "none"
html_theme_options = {
    # The colours of fsprobe's own HTML report (fsprobe/report/page/page.css).
    "light_css_variables": {
        "color-background-primary": "#fcfcfb", "color-background-secondary": "#f3f4f5",
        "color-foreground-primary": "#1d2126", "color-foreground-secondary": "#5b6470",
        "color-brand-primary": "#1f5fa8", "color-brand-content": "#1f5fa8", "color-brand-visited": "#1f5fa8",
    },
    "dark_css_variables": {
        "color-background-primary": "#14171a", "color-background-secondary": "#1b1f23",
        "color-foreground-primary": "#e3e6e9", "color-foreground-secondary": "#9aa4ae",
        "color-brand-primary": "#86b7f0", "color-brand-content": "#86b7f0", "color-brand-visited": "#86b7f0",
    },
}  # fmt: skip
