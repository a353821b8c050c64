"""The page of models has the numbers of the shipped cards, and the limits of their facts."""

import json

import pytest
import yaml

from gvhmr_da_mm.apis import list_models, read_card
from gvhmr_da_mm.apis.model_table import table_row
from gvhmr_da_mm.models.checkpoint_reading import read_checkpoint

from .markdown import CHINESE, CONFIGS, ENGLISH, section

PAGES = {
    ENGLISH / 'models.md': ('Shipped models', 'No weights are shipped yet'),
    CHINESE / 'models.md': ('隨附的模型', '目前尚未隨附權重'),
}
SHIPPED = list_models()


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.parent.name)
def test_the_table_has_each_shipped_model_with_the_numbers_of_its_card(page):
    heading, none_yet = PAGES[page]
    text = section(page, heading)
    table = [line for line in text.splitlines() if line.startswith('| `')]
    assert table == [table_row(read_card(name)) for name in SHIPPED]
    assert (none_yet in text) == (not SHIPPED)


def test_the_limits_are_those_of_the_facts():
    facts = json.loads((CONFIGS / 'gvhmr_keypoints_s_cmu.facts.json').read_text())
    text = section(ENGLISH / 'models.md', 'What they were never shown')
    assert [line[2:] for line in text.splitlines() if line.startswith('- ')] == facts['limits']
    text = section(CHINESE / 'models.md', '從未見過的內容')
    assert text.count('\n- ') == len(facts['limits'])


def test_shipped_models_are_whole_and_in_the_index():
    for name in SHIPPED:
        assert read_checkpoint(name).state_dict
        card = read_card(name)
        assert card.metrics and card.training['seed'] is not None
    index = yaml.safe_load((CONFIGS / 'metafile.yml').read_text())
    named = {model['Metadata'].get('Shipped Model') for model in index['Models']} - {None}
    assert named == set(SHIPPED)
