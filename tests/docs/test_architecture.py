"""The picture and the tables of the architecture page against the package."""

import re

import pytest
from importlinter.api import read_configuration
from mmengine.registry import Registry

from gvhmr_da_mm import datasets, models, registry

from .markdown import CHINESE, ENGLISH, REPO_ROOT, blocks, code_words, section, table_rows

PACKAGE = REPO_ROOT / 'gvhmr_da_mm'


@pytest.mark.parametrize('folder', [ENGLISH, CHINESE], ids=lambda folder: folder.name)
def test_the_picture_shows_the_layers_of_the_contract(folder):
    contracts = read_configuration(str(REPO_ROOT / 'pyproject.toml'))['contracts_options']
    layers = next(contract['layers'] for contract in contracts if contract['type'] == 'layers')
    (picture,) = blocks(folder / 'architecture.md', 'mermaid')
    drawn = [re.findall(r'(\w+)\["<b>', layer) for layer in picture.split('subgraph')[1:]]
    assert drawn == [layer.split(' | ') for layer in layers]
    names = [f'layer{i}' for i in range(1, len(layers) + 1)]
    assert re.findall(r'subgraph (\w+)', picture) == names
    assert picture.splitlines()[-1].strip() == ' --> '.join(names)


def test_classes_of_the_life_of_a_batch_exist():
    words = code_words(section(ENGLISH / 'architecture.md', 'The life of a batch'))
    names = {re.match(r'\w+', word)[0] for word in words if word[0].isupper()}
    assert len(names) > 10
    registries = [value for value in vars(registry).values() if isinstance(value, Registry)]
    for name in names:
        found = any(hasattr(package, name) for package in (datasets, models, models.test_time))
        assert found or any(one.get(name) for one in registries), name


def test_places_exist():
    for what, where, _ in table_rows(section(ENGLISH / 'architecture.md', 'Where to add what')):
        words = code_words(where)
        assert words or what == 'a recipe'
        for word in words:
            known = isinstance(getattr(registry, word, None), Registry)
            assert known or (PACKAGE / word).exists() or (REPO_ROOT / word).exists(), word
