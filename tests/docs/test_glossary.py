"""The Chinese pages use the terms of the glossary, and none that it rules out."""

import re

import pytest

from .markdown import CHINESE, PAIRS, REPO_ROOT, table_rows, without_code

GLOSSARY = CHINESE / 'glossary.md'
TERMS = table_rows(GLOSSARY.read_text(encoding='utf-8'))
PAGES_OF_BOTH = [pair for pair in PAIRS if pair[0].stem != 'index']
"""Those with sentences."""


def uses(page, term):
    return len(re.findall(rf'\b{re.escape(term)}s?\b', without_code(page).lower()))


def test_terms_are_in_order_and_stand_once():
    names = [row[0] for row in TERMS]
    assert len(names) == len(set(names)) > 50
    assert all(chinese for _, chinese, _ in TERMS)


@pytest.mark.parametrize(
    'pair', PAGES_OF_BOTH, ids=lambda pair: str(pair[1].relative_to(REPO_ROOT))
)
def test_pages_keep_to_the_glossary(pair):
    english, chinese = pair
    text = without_code(chinese)
    ruled_out = {word: term for _, term, words in TERMS for word in words.split('、') if word}
    found = {word: term for word, term in ruled_out.items() if word in text}
    assert not found, f'{chinese}: write the terms of {GLOSSARY.name}: {found}'
    missing = {
        word: term for word, term, _ in TERMS if uses(english, word) > 2 and term not in text
    }
    assert not missing, f'{chinese} lacks terms that {english} uses: {missing}'
