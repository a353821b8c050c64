"""Reading the Markdown pages of the docs."""

import re
import shlex
from pathlib import Path

REPO_ROOT = Path(__file__).resolve().parents[2]
ENGLISH = REPO_ROOT / 'docs' / 'en'
CHINESE = REPO_ROOT / 'docs' / 'zh_tw'
CONFIGS = REPO_ROOT / 'configs'
PAGES = sorted(
    [*ENGLISH.glob('*.md'), *CHINESE.glob('*.md'), *REPO_ROOT.glob('*.md')]
    + [*CONFIGS.glob('*.md')]
)
PAIRS = [(page, CHINESE / page.name) for page in sorted(ENGLISH.glob('*.md'))]
PAIRS += [(folder / 'README.md', folder / 'README_zh-TW.md') for folder in (REPO_ROOT, CONFIGS)]

_FENCE = re.compile(r'^```(\w*)\n(.*?)^```', re.M | re.S)


def blocks(page: Path, language: str = 'python') -> list[str]:
    """Return the fenced code blocks of a language."""
    text = page.read_text(encoding='utf-8')
    return [code for name, code in _FENCE.findall(text) if name == language]


def section(page: Path, heading: str) -> str:
    """Return the text below a heading up to the next one of any level."""
    text = _FENCE.sub('', page.read_text(encoding='utf-8'))
    parts = re.split(r'^(#+ .*)$', text, flags=re.M)
    for title, body in zip(parts[1::2], parts[2::2]):
        if title.lstrip('# ').strip() == heading:
            return body
    raise AssertionError(f'{page} has no heading {heading!r}')


def headings(page: Path) -> list[str]:
    """Return the headings, with their marks."""
    return re.findall(r'^#+ .*$', _FENCE.sub('', page.read_text(encoding='utf-8')), flags=re.M)


def table_rows(text: str) -> list[list[str]]:
    """Return the cells of all table rows but headings and rules."""
    rows = [line.strip() for line in text.splitlines() if line.strip().startswith('|')]
    rules = [index for index, row in enumerate(rows) if set(row) <= set('|-: ')]
    skipped = {index - 1 for index in rules} | set(rules)
    kept = [row for index, row in enumerate(rows) if index not in skipped]
    return [[cell.strip() for cell in re.split(r'(?<!\\)\|', row)[1:-1]] for row in kept]


def code_words(text: str) -> list[str]:
    """Return what stands between single backticks, outside of code blocks."""
    return re.findall(r'`([^`\n]+)`', _FENCE.sub('', text))


def without_code(page: Path) -> str:
    """Return what is read as text: without code and targets of links."""
    text = _FENCE.sub('', page.read_text(encoding='utf-8'))
    return re.sub(r'`[^`\n]*`|\]\([^)]*\)', '', text)


_ENVIRONMENT = re.compile(r'[A-Z_]+=\S*')
_BETWEEN = ('&&', '||', ';', '|')
_INLINE_COMMAND = re.compile(
    r'(?:[A-Z_]+=\S+ )?(?:python|make|mim|pip|tensorboard|sqlite3|sha256sum) \S'
    r'|(?:[\w/]+/)?\w+\.(?:py|sh) \S'
)


def commands(page: Path) -> list[tuple[list[str], bool]]:
    """Return the commands of bash blocks and of inline code.

    Returns:
        list[tuple[list[str], bool]]: The words of each, without variables of the environment, and
        whether it is inline, where arguments may be left out.
    """
    lines = [
        line for code in blocks(page, 'bash') for line in code.replace('\\\n', ' ').split('\n')
    ]
    inline = filter(_INLINE_COMMAND.match, code_words(page.read_text(encoding='utf-8')))
    found = [(line, False) for line in lines] + [(word, True) for word in inline]
    result: list[tuple[list[str], bool]] = []
    for text, is_inline in found:
        command: list[str] = []
        for word in [*shlex.split(text, comments=True), ';']:
            if word not in _BETWEEN:
                if command or not _ENVIRONMENT.fullmatch(word):
                    command.append(word)
            elif command:
                result.append((command, is_inline))
                command = []
    return result


def anchor(heading: str) -> str:
    """Return the anchor that GitHub makes of a heading."""
    title = re.sub(r'`|\*', '', heading.lstrip('# ').strip()).lower()
    return re.sub(r'[^\w\- ]', '', title).replace(' ', '-')
