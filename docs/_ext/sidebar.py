"""The list of all pages beside each page, made without what it does not show.

The theme asks for the branches of all pages. As every page of this site is one level below the
front page, these are headings, classes and members, which it drops again: a quarter of a build.
"""

from typing import Any, Optional

from docutils import nodes
from sphinx.application import Sphinx


def collapse_branches(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Optional[nodes.Node]
) -> None:
    """Make the tree of pages, for which a template asks, without branches of other pages."""
    tree = context['toctree']
    context['toctree'] = lambda **options: tree(**{**options, 'collapse': True})


def setup(app: Sphinx) -> dict:
    """Connect the step, before that of the theme."""
    app.connect('html-page-context', collapse_branches, priority=400)
    return dict(parallel_read_safe=True, parallel_write_safe=True)
