"""The site builds without a warning, and holds what is registered."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from mmengine.registry import Registry

from gvhmr_da_mm import registry

from .markdown import CHINESE, ENGLISH, REPO_ROOT

pytest.importorskip('sphinx', reason='Sphinx is not installed (requirements/docs.txt)')
pytest.importorskip('furo', reason='the theme is not installed (requirements/docs.txt)')
pytestmark = pytest.mark.slow


BUILD = """
import sys
from sphinx.cmd.build import main
options = ['-W', '--keep-going', '-q', '-b', 'html']
places = zip(sys.argv[1::2], sys.argv[2::2])
sys.exit(max([main([*options, source, target]) for source, target in places]))
"""
"""One process reads the code of the package once for both languages."""


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    """Build both languages; return the folders of the pages by language."""
    folder = tmp_path_factory.mktemp('site')
    places = [ENGLISH, folder / 'en', CHINESE, folder / 'zh_tw']
    build = subprocess.run(
        [sys.executable, '-c', BUILD, *map(str, places)], stderr=subprocess.PIPE, text=True
    )
    assert build.returncode == 0, build.stderr
    return {'en': folder / 'en', 'zh_tw': folder / 'zh_tw'}


def test_every_page_is_in_both_languages(site):
    names = [{path.relative_to(root) for path in root.rglob('*.html')} for root in site.values()]
    assert names[1] - names[0] == {Path('glossary.html')} and names[0] < names[1]
    listed = {path.stem for path in ENGLISH.glob('*.md')}
    assert listed <= {path.stem for path in names[0]}


def test_everything_registered_is_described(site):
    pages = (site['en'] / 'reference' / 'api').glob('*.html')
    text = '\n'.join(page.read_text(encoding='utf-8') for page in pages)
    described = {anchor.rpartition('.')[2] for anchor in re.findall(r'id="([\w.]+)"', text)}
    for one in vars(registry).values():
        if isinstance(one, Registry):
            own = [k for k in one.module_dict.values() if k.__module__.startswith('gvhmr_da_mm')]
            assert {part.__name__ for part in own} <= described


def test_links_of_pages_that_were_copied_stay_on_the_site(site):
    for root in site.values():
        for name in ('overview', 'configs'):
            text = (root / 'reference' / f'{name}.html').read_text(encoding='utf-8')
            assert not re.findall(r'href="[^":]*\.md[^"]*"', text)
            assert 'href="../data.html' in text


def test_chinese_is_found(site):
    index = (site['zh_tw'] / 'searchindex.js').read_text(encoding='utf-8')
    terms = json.loads(index[len('Search.setIndex(') : -1])['terms']
    assert {'信心', '心門', '門檻'} <= set(terms)
    # The browser cuts what is typed in the same way.
    language = (site['zh_tw'] / '_static' / 'language_data.js').read_text(encoding='utf-8')
    assert 'function splitQuery' in language


def test_lines_of_chinese_are_joined_without_a_space(site):
    text = (site['zh_tw'] / 'troubleshooting.html').read_text(encoding='utf-8')
    assert '每種設定以相同的種子執行一次。不作更改時' in text
    assert not re.search(r'[\u3000-\u9fff]\n[\u3000-\u9fff]', text)


def test_settings_of_read_the_docs_build_the_same():
    settings = yaml.safe_load((REPO_ROOT / '.readthedocs.yaml').read_text(encoding='utf-8'))
    (command,) = settings['build']['jobs']['build']['html']
    command = command.replace('python -m sphinx', 'echo')
    for language, pages in (('en', 'docs/en'), ('zh_TW', 'docs/zh_tw'), ('zh-tw', 'docs/zh_tw')):
        environment = dict(os.environ, READTHEDOCS_LANGUAGE=language, READTHEDOCS_OUTPUT='out')
        done = subprocess.run(
            ['sh', '-c', command], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.split()[-2:] == [pages, 'out/html']
    installed = ' '.join(settings['build']['jobs']['install'])
    for name in re.findall(r'-r (\S+)', installed):
        assert (REPO_ROOT / name).is_file()
    pin = re.search(r'torch==\S+', installed)[0]
    assert pin in (REPO_ROOT / 'requirements' / 'mminstall.txt').read_text().splitlines()
