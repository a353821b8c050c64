"""Tables in Python source: what is understood, what is not, and that nothing runs."""

import pytest

from gvhmr_da_mm.core.errors import DataError
from gvhmr_da_mm.fileio.plain_python import evaluate_name

TABLES = """
import torch

\"\"\"A docstring.\"\"\"
A = {"pose": {"mean": [0.5, -1.0] * 2, "std": [1.0] * 4}, "shape": {"mean": [3], "std": [2e-3]}}
B = {"pose": {"mean": [9.0] * 4, "std": [8.0] * 4}, "more": dict(mean=(1, 2), std=(3, 4))}


def compose(names, tables, scale=1):
    result = {"mean": [], "std": []}
    if len(tables) == 1:
        tables = tables * len(names)
    for name, table in zip(names, tables):
        for key, values in result.items():
            values.extend([scale * x for x in table[name][key]])
    return result


X = compose(["pose", "shape", "more"], [A, A, B])
Y: dict = {**compose(["pose"], [B], scale=2), "extra": X["mean"][-2:]}
Z = [f"{k}!" for k in A if k != "pose"]
W = sum([[1], [2, 3]], [])
ALIAS = W
ALIAS += [4]
AS_TENSOR = torch.tensor(X["mean"])
if __name__ == "__main__":
    import os
    os.system("true")
"""


def test_tables_loops_and_helpers():
    def read(name):
        return evaluate_name(TABLES, name)

    assert read('X') == dict(mean=[0.5, -1, 0.5, -1, 3, 1, 2], std=[1, 1, 1, 1, 2e-3, 3, 4])
    assert read('Y') == dict(mean=[18] * 4, std=[16] * 4, extra=[1, 2])
    assert read('Z') == ['shape!']
    # `+=` changes the list itself, as in Python.
    assert read('W') == read('ALIAS') == [1, 2, 3, 4]


def test_the_same_as_python_gives():
    source = TABLES.replace('import torch', '').replace('torch.tensor', 'list')
    scope = {'__name__': 'tables'}
    exec(source, scope)
    for name in ('A', 'B', 'X', 'Y', 'Z', 'W'):
        assert evaluate_name(source, name) == scope[name]


def test_what_depends_on_an_import_is_not_known():
    with pytest.raises(DataError, match='`AS_TENSOR`.*line 25.*`torch` is imported'):
        evaluate_name(TABLES, 'AS_TENSOR', 'tables.py')


@pytest.mark.parametrize(
    'source',
    [
        'X = [1]\nX.append(open("f").read())',
        'import numpy as np\nX = {}\nX["a"] = np.zeros(3)',
        'import numpy as np\nX = [1]\ndef f(a):\n    a.append(2)\n    a.append(np.e)\nf(X)',
        'X = [1]\nfor i in range(3):\n    X.append(2)\n    X.append(unknown)',
        'X = [1]\nwhile True:\n    X = X + [1]',
        'def X():\n    return 1',
        'class X:\n    pass',
    ],
)
def test_what_may_be_half_changed_is_not_known(source):
    with pytest.raises(DataError, match='cannot be read without running'):
        evaluate_name(source, 'X')


@pytest.mark.parametrize(
    'attack',
    [
        '__import__("pathlib").Path({path!r}).touch()',
        'open({path!r}, "w")',
        'eval("open({path!r}, \'w\')")',
        '[].__class__.__base__.__subclasses__()',
        '"{{0.__class__}}".format(1)',
        '(lambda: open({path!r}, "w"))()',
    ],
)
def test_nothing_is_run(tmp_path, attack):
    marker = tmp_path / 'marker'
    source = f'X = {attack.format(path=str(marker))}'
    with pytest.raises(DataError, match='`X` cannot be read'):
        evaluate_name(source, 'X')
    assert not marker.exists()


@pytest.mark.parametrize(
    'bomb',
    [
        'X = [0] * 10**12',
        'X = [0]\nfor i in range(90):\n    X = X + X',
        'X = [0]\nfor i in range(90):\n    X.extend(X)',
        'X = 2\nfor i in range(90):\n    X = X * X',
        'X = list(range(10 ** 15))',
        'def f(n):\n    return f(n)\nX = f(1)',
        'def f(n):\n    return [f(n - 1) for i in range(50)] if n else 0\nX = f(30)',
        'X = ' + '-' * 5000 + '1',
    ],
)
def test_limits(bomb):
    with pytest.raises(DataError):
        evaluate_name(bomb, 'X')


def test_bad_source():
    with pytest.raises(DataError, match='stats.py should be Python source'):
        evaluate_name('X = [', 'X', 'stats.py')
    with pytest.raises(DataError, match="stats.py should define `X`, got.*'Y'"):
        evaluate_name('Y = 1', 'X', 'stats.py')
