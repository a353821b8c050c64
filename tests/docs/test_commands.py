"""Commands and settings of the pages: options, config keys and values are those that exist."""

import argparse
import ast
import importlib
import importlib.util
import inspect
import os
import re
import subprocess
import sys
from functools import cache

import pytest
from mmengine.registry import Registry

from gvhmr_da_mm import registry, structures
from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.config.loading import RUNNER_FIELDS
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.evaluation.protocols import Protocol
from gvhmr_da_mm.models.test_time import MotionRecovery
from gvhmr_da_mm.registry.arguments import parameters_of

from .markdown import CONFIGS, PAGES, REPO_ROOT, code_words, commands

MAIN = CONFIGS / 'da_bedlam_emdb_3dpw.py'
OF_OTHERS = {
    'cd', 'docker', 'pip', 'scontrol', 'sha256sum', 'source', 'sqlite3', 'tensorboard', 'test',
    'python3.11', 'python3.12',
}  # fmt: skip
"""Programs of others, whose arguments are not checked."""
SCRIPTS = {path.name: path for path in (REPO_ROOT / 'tools').rglob('*.py')}
HISTORY = 'CHANGELOG.md'
"""It names what does not exist any more."""


class Parsed(BaseException):
    """Carries the parsed command line out of a tool."""


class Refused(Exception):
    """The parser's complaint."""


@pytest.fixture
def parse(monkeypatch):
    """Return a function that has a program parse its command line, and returns the result."""
    original = argparse.ArgumentParser.parse_args

    def parse_args(self, *args, **kwargs):
        raise Parsed(original(self, *args, **kwargs))

    def error(self, message):
        raise Refused(message)

    monkeypatch.setattr(argparse.ArgumentParser, 'parse_args', parse_args)
    monkeypatch.setattr(argparse.ArgumentParser, 'error', error)

    def _parse(main, arguments):
        monkeypatch.setattr(sys, 'argv', ['program', *arguments])
        with pytest.raises(Parsed) as parsed:
            main()
        return parsed.value.args[0]

    return _parse


@cache
def main_of(path):
    spec = importlib.util.spec_from_file_location(f'page_{path.stem}', path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.main


def check_config_options(arguments):
    """Apply the overrides of a command to its config."""
    options = getattr(arguments, 'cfg_options', None)
    path = REPO_ROOT / (getattr(arguments, 'config', None) or MAIN)
    if path.name in ('CONFIG', 'my_config.py'):  # The user's own.
        path = MAIN
    if path.suffix == '.py':
        load_config(path, options)


def check_script(parse, name, arguments, inline):
    path = SCRIPTS.get(name, REPO_ROOT / name)
    assert path.is_file(), name
    try:
        check_config_options(parse(main_of(path), arguments))
    except Refused as error:
        assert inline and 'are required' in str(error), (name, arguments, error)


def check_shell_script(parse, name, arguments):
    """Run a launch script with a program that prints in the place of Python."""
    environment = dict(os.environ, PYTHON='echo')
    command = ['bash', str(REPO_ROOT / name), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    words = done.stdout.split()
    tool = next(index for index, word in enumerate(words) if word.endswith(('train.py', 'test.py')))
    check_script(parse, words[tool].split('tools/')[-1], words[tool + 1 :], False)


def check_mim(arguments):
    command, *rest = arguments
    module = importlib.import_module(f'mim.commands.{command}')
    parameters = module.cli.make_context(command, rest).params
    if command in ('train', 'test'):
        assert (CONFIGS / parameters['config']).is_file()
    elif command == 'run':
        assert f'{parameters["command"]}.py' in SCRIPTS


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(REPO_ROOT)))
def test_commands_are_accepted(parse, page):
    if page.name == HISTORY:
        return
    for (program, *arguments), inline in commands(page):
        if program == 'python' and arguments[:2] == ['-m', 'gvhmr_da_mm.demo']:
            module = importlib.import_module('gvhmr_da_mm.demo.__main__')
            parse(module.main, arguments[2:])
        elif program == 'python' and arguments[0] == '-m':  # It takes no arguments.
            assert callable(importlib.import_module(arguments[1]).main) and not arguments[2:]
        elif program == 'python':
            check_script(parse, arguments[0], arguments[1:], inline)
        elif program.endswith('.py'):
            check_script(parse, program, arguments, inline)
        elif program == '--cfg-options':  # To be added to a command above.
            check_script(parse, 'tools/train.py', ['CONFIG', program, *arguments], False)
        elif program.endswith('.sh'):
            check_shell_script(parse, program, arguments)
        elif program == 'make':
            targets = (REPO_ROOT / 'Makefile').read_text(encoding='utf-8')
            for target in (word for word in arguments if '=' not in word):
                assert re.search(rf'^{target}:', targets, flags=re.M), target
        elif program == 'mim':
            check_mim(arguments)
        else:
            assert program in OF_OTHERS, f'{page}: {program} {arguments}'
            files = re.findall(r'(?<=-r )\S+', ' '.join(arguments))
            assert all((REPO_ROOT / file).is_file() for file in files), arguments


# Settings in the text


SETTING = re.compile(r'([\w.]+)=(\S+|dict\(.*\)|\(.*\))')


@cache
def parameter_names():
    """Return the names of all arguments of registered classes, structures and protocols."""
    found = set(inspect.signature(MotionRecovery).parameters) | SETTINGS_OF_OTHERS
    for one in vars(registry).values():
        if isinstance(one, Registry):
            one.import_from_location()
            for kind in one.module_dict.values():
                found |= set(parameters_of(kind)[0]) | set(inspect.signature(kind).parameters)
    for kind in (Protocol, *(getattr(structures, name) for name in structures.__all__)):
        found |= set(inspect.signature(kind).parameters)
    return found


SETTINGS_OF_OTHERS = {'_delete_', 'lr_mult', 'strict', 'type', 'weights_only', 'window_size'}
"""Arguments of MMEngine and PyTorch."""


def settings(page):
    words = code_words(page.read_text(encoding='utf-8'))
    return [m for m in map(SETTING.fullmatch, words) if m and not m[0].endswith('.ckpt')]


def value_of(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


@cache
def accepted(key, text):
    """Return whether some config takes an override, also relative to the model."""
    for path in (MAIN, CONFIGS / 'gvhmr_bedlam.py', CONFIGS / 'da_video.py'):
        for prefix in ('', 'model.'):
            try:
                load_config(path, {prefix + key: value_of(text)})
                return True
            except ConfigError:
                continue
    return False


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(REPO_ROOT)))
def test_settings_in_the_text_exist(page):
    if page.name == HISTORY:
        return
    for match in settings(page):
        key, value = match.groups()
        if key.startswith('detector.'):  # Of `convert.py videos --options`.
            assert key.split('.')[1] in parameter_names(), match[0]
        elif '.' in key or key in RUNNER_FIELDS:
            assert accepted(key, value), match[0]
        else:
            assert key in parameter_names(), match[0]
