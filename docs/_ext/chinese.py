"""What pages in Traditional Chinese need of Sphinx: a search, and lines joined without spaces.

Chinese has no spaces between words. Sphinx's own search cuts texts with a dictionary of Simplified
Chinese, but not what a reader types, so that a phrase of two words is never found. Here both are
cut into pairs of characters.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.search import SearchLanguage

_CHINESE = re.compile(r'[\u3000-\u9fff\uff00-\uffef]')
_RUN = re.compile(r'[\u4e00-\u9fff]+|[^\W\u4e00-\u9fff]+')


def pairs(text: str) -> list[str]:
    """Return the words of other scripts, and neighbouring characters of Chinese in pairs."""
    words = []
    for run in _RUN.findall(text):
        is_chinese = '\u4e00' <= run[0] <= '\u9fff' and len(run) > 1
        words += [run[i : i + 2] for i in range(len(run) - 1)] if is_chinese else [run]
    return words


class PairSearch(SearchLanguage):
    """Search by :func:`pairs`, in the index and in the browser."""

    lang = 'zh_TW'
    language_name = 'Traditional Chinese'
    js_stemmer_code = 'function Stemmer() { this.stemWord = (word) => word; }'
    js_splitter_code = r"""
function splitQuery(query) {
  const words = [];
  for (const run of query.match(/[\u4e00-\u9fff]+|[\p{L}\p{N}_]+/gu) || []) {
    if (/^[\u4e00-\u9fff]{2,}$/.test(run))
      for (let i = 0; i < run.length - 1; i++) words.push(run.slice(i, i + 2));
    else words.push(run);
  }
  return words;
}
"""

    def split(self, input: str) -> list[str]:
        """Cut a text into words of the index."""
        return pairs(input)


def join_lines(app: Sphinx, doctree: nodes.document) -> None:
    """Remove the ends of lines between two characters of Chinese; browsers show them as spaces."""
    for text in list(doctree.findall(nodes.Text)):
        if text != '\n':
            continue
        siblings = text.parent.children
        index = next(i for i, node in enumerate(siblings) if node is text)
        before = ''.join(node.astext() for node in siblings[:index])
        after = ''.join(node.astext() for node in siblings[index + 1 :])
        if _CHINESE.match(before[-1:]) and _CHINESE.match(after):
            del siblings[index]


def setup(app: Sphinx) -> dict:
    """Register the language of the search, and join lines of every page."""
    app.add_search_language(PairSearch)
    app.connect('doctree-read', join_lines)
    return dict(parallel_read_safe=True, parallel_write_safe=True)
