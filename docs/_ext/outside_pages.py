"""Pages of the repository that stand outside of the folder of docs, copied before a build."""

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
IN_ONE_LANGUAGE = dict(changelog='CHANGELOG.md', contributing='CONTRIBUTING.md')
_LINK = re.compile(r'\]\(([^)\s:#]+)(#[^)\s]*)?\)')
_OTHER_LANGUAGE = re.compile(r'^.*\]\(README[^)]*\).*\n\n', flags=re.M)
"""The line that leads to the other language, which the site does on its own."""


def copy_pages(app: Sphinx) -> None:
    """Copy the pages of a language into the source, with links that lead to the site."""
    source = Path(app.srcdir).resolve()
    folder = source / FOLDER
    folder.mkdir(exist_ok=True)
    pages = {**PAGES[app.config.language], **IN_ONE_LANGUAGE}
    copies = {REPO_ROOT / file: folder / f'{name}.md' for name, file in pages.items()}
    for original, copy in copies.items():

        def link(match: re.Match, folder_of_original: Path = original.parent) -> str:
            target, anchor = (folder_of_original / match[1]).resolve(), match[2] or ''
            if target.parent != source and target.parent.parent == source.parent:
                # The same page of this language, whose headings have other names.
                target, anchor = source / target.name, ''
            target = copies.get(target, target)
            return f']({os.path.relpath(target, folder)}{anchor})'

        text = _OTHER_LANGUAGE.sub('', original.read_text(encoding='utf-8'))
        text = _LINK.sub(link, text)
        if not copy.exists() or copy.read_text(encoding='utf-8') != text:
            copy.write_text(text, encoding='utf-8')


def setup(app: Sphinx) -> dict:
    """Connect the step to a build."""
    app.connect('builder-inited', copy_pages)
    return dict(parallel_read_safe=True, parallel_write_safe=True)
