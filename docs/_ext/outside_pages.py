"""Pages of the repository that stand outside of the folder of docs: copied, and linked as pages."""

import os
import re
from pathlib import Path

from sphinx.application import Sphinx

REPO_ROOT = Path(__file__).resolve().parents[2]
FOLDER = 'reference'
PAGES = {
    'en': dict(overview='README.md', configs='configs/README.md'),
    'zh_TW': dict(overview='README_zh-TW.md', configs='configs/README_zh-TW.md'),
}
"""Names on the site and files, by language."""
IN_ONE_LANGUAGE = dict(
    changelog='CHANGELOG.md', contributing='CONTRIBUTING.md', security='SECURITY.md'
)
_LINK = re.compile(r'\]\(([^)\s:#]+)(#[^)\s]*)?\)')
_OTHER_LANGUAGE = re.compile(r'^.*\]\(README[^)]*\).*\n\n', flags=re.M)
"""The line that leads to the other language, which the site does on its own."""


def originals(app: Sphinx) -> dict[str, Path]:
    """Return the files that are copied, by the name of the page on the site."""
    pages = {**PAGES[app.config.language], **IN_ONE_LANGUAGE}
    return {f'{FOLDER}/{name}': REPO_ROOT / file for name, file in pages.items()}


def copy_pages(app: Sphinx) -> None:
    """Copy the pages of the language into the source of the site."""
    folder = Path(app.srcdir) / FOLDER
    folder.mkdir(exist_ok=True)
    copies = {Path(app.srcdir) / f'{name}.md': file for name, file in originals(app).items()}
    for old in set(folder.glob('*.md')) - set(copies):
        old.unlink()
    for copy, original in copies.items():
        text = _OTHER_LANGUAGE.sub('', original.read_text(encoding='utf-8'))
        if not copy.exists() or copy.read_text(encoding='utf-8') != text:
            copy.write_text(text, encoding='utf-8')


def rewrite_links(app: Sphinx, docname: str, source: list[str]) -> None:
    """Make links between pages of the repository links between pages of the site."""
    root = Path(app.srcdir).resolve()
    copied = originals(app)
    page = root / docname
    folder = copied.get(docname, page).parent
    places = {original: root / f'{name}.md' for name, original in copied.items()}

    def link(match: re.Match) -> str:
        target, anchor = (folder / match[1]).resolve(), match[2] or ''
        if target.suffix == '.md' and target.parent != root and target.parent.parent == root.parent:
            # The same page of this language, whose headings have other names.
            target, anchor = root / target.name, ''
        target = places.get(target, target)
        return f']({os.path.relpath(target, page.parent)}{anchor})'

    source[0] = _LINK.sub(link, source[0])


def setup(app: Sphinx) -> dict:
    """Connect both steps to a build."""
    app.connect('builder-inited', copy_pages)
    app.connect('source-read', rewrite_links)
    return dict(parallel_read_safe=True, parallel_write_safe=True)
