"""Settings of the site that both languages share; ``docs/<language>/conf.py`` imports them."""

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS / '_ext'), str(DOCS.parent)]

from gvhmr_da_mm import __version__  # noqa: E402 - needs the path above

project = 'gvhmr_da_mm'
author = 'GVHMR-DA-MM Contributors'
copyright = author
version = release = __version__

extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.napoleon',
    'sphinx.ext.viewcode',
    'sphinx_copybutton',
    'sphinxcontrib.mermaid',
    'api_pages',
    'chinese',
    'outside_pages',
    'sidebar',
]
source_suffix = ['.md', '.rst']
exclude_patterns: list = []

# GitHub shows the same files: its anchors of headings, its diagrams, and nothing else of MyST than
# fences of colons, which it shows as text.
myst_enable_extensions = ['colon_fence']
myst_fence_as_directive = ['mermaid']
mermaid_include_elk = ''  # a layout engine that no diagram uses
myst_heading_anchors = 4

# Types are in the docstrings; the docstrings of MMEngine's methods are not ours to show.
autodoc_typehints = 'none'
autodoc_inherit_docstrings = False
autodoc_member_order = 'bysource'
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = 'furo'
html_static_path = [str(DOCS / '_static')]
html_css_files = ['site.css']
html_title = f'{project} {version}'
html_show_sourcelink = False
pygments_style = 'friendly'
pygments_dark_style = 'monokai'
copybutton_exclude = '.linenos, .gp'
