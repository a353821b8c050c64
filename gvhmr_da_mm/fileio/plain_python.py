"""Evaluate tables written as Python source without running it.

The source is parsed, and a small interpreter walks over literals, arithmetic, loops and functions
of plain values. It has no names but its own and cannot import, open or call anything else, so a
file of unknown origin can do no harm. What it does not understand, such as an import, only matters
if the value that is asked for depends on it.
"""

import ast
import operator
from collections.abc import Iterable
from typing import Any, Callable, Optional

from ..core.errors import DataError

MAX_STEPS = 1_000_000
MAX_SIZE = 1_000_000
MAX_DEPTH = 40

_OPERATORS: dict[type, Callable] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_,
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip
_BUILTINS: dict[str, Callable] = {
    function.__name__: function
    for function in (
        abs, bool, dict, enumerate, float, int, len, list, max, min, range, reversed, sorted, str,
        tuple, zip,
    )
}  # fmt: skip
_CHANGING = ('append', 'extend', 'insert', 'setdefault', 'update')
_METHODS = {
    list: ('append', 'copy', 'extend', 'index', 'insert'),
    dict: ('copy', 'get', 'items', 'keys', 'setdefault', 'update', 'values'),
    str: ('endswith', 'split', 'startswith'),
}
_FAILURES = (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)


class _NotPlain(Exception):
    """Something that this interpreter does not evaluate."""


class _Return(Exception):
    """The value that a function returns."""


class _Unknown:
    """Stands for a value that could not be evaluated."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def evaluate_name(source: str, name: str, where: str = 'the source') -> Any:
    """Return the value that a module gives to a name.

    Args:
        source (str): Python source; it is parsed, never run.
        name (str): The name.
        where (str): The file, for messages. Defaults to ``'the source'``.

    Returns:
        Any: Numbers, strings, lists, tuples and dicts.

    Raises:
        DataError: If the source is no Python, has no such name, or its value depends on more than
            plain values.
    """
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise DataError(f'{where} should be Python source, but cannot be parsed: {error}') from None
    interpreter = _Interpreter()
    scope: dict[str, Any] = {'__name__': 'plain'}
    for statement in module.body:
        interpreter.tolerant(statement, scope)
    if name not in scope:
        raise DataError(f'{where} should define `{name}`, got {sorted(scope)[:20] or "no names"}')
    value = scope[name]
    if isinstance(value, _Unknown) or callable(value):
        reason = getattr(value, 'reason', 'it is a function')
        raise DataError(f'{where}: `{name}` cannot be read without running the file: {reason}')
    return value


class _Interpreter:
    """Walks over a syntax tree; ``scope`` holds the names of the module or of a call."""

    def __init__(self) -> None:
        self.steps = 0
        self.depth = 0
        self.changes = 0
        self.builtins = {**_BUILTINS, 'print': lambda *_: None, 'sum': self._sum}

    # -- statements -------------------------------------------------------------------------------

    def tolerant(self, statement: ast.stmt, scope: dict[str, Any]) -> None:
        """Execute a statement of a module; names it cannot give a value become unknown."""
        changes = self.changes
        try:
            self.execute(statement, scope)
        except (_NotPlain, _Return, *_FAILURES) as error:
            reason = f'line {statement.lineno}: {str(error) or type(error).__name__}'
            for name in _affected(statement):
                scope[name] = _Unknown(reason)
            if self.changes != changes:  # Whatever was changed in place may be half changed.
                for name in [name for name in scope if isinstance(scope[name], (dict, list))]:
                    scope[name] = _Unknown(reason)

    def execute(self, node: ast.stmt, scope: dict[str, Any]) -> None:
        """Execute a statement."""
        self._step()
        if isinstance(node, ast.Assign):
            value = self.value(node.value, scope)
            for target in node.targets:
                self._assign(target, value, scope)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self._assign(node.target, self.value(node.value, scope), scope)
        elif isinstance(node, ast.AugAssign):
            old = self.value(_as_load(node.target), scope)
            value = self._apply(node.op, old, self.value(node.value, scope))
            if isinstance(old, list):  # Others may hold the same list.
                self.changes += 1
                old[:] = value
            else:
                self._assign(node.target, value, scope)
        elif isinstance(node, ast.FunctionDef):
            scope[node.name] = self._function(node, scope)
        elif isinstance(node, ast.Expr):
            self.value(node.value, scope)
        elif isinstance(node, ast.Return):
            raise _Return(None if node.value is None else self.value(node.value, scope))
        elif isinstance(node, ast.If):
            self._block(node.body if self.value(node.test, scope) else node.orelse, scope)
        elif isinstance(node, ast.For) and not node.orelse:
            for item in self._items(self.value(node.iter, scope)):
                self._assign(node.target, item, scope)
                self._block(node.body, scope)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                name = (alias.asname or alias.name).partition('.')[0]
                scope[name] = _Unknown(f'line {node.lineno}: `{alias.name}` is imported')
        elif not isinstance(node, (ast.Pass, ast.Assert)):
            raise _NotPlain(f'`{type(node).__name__}` is not supported')

    def _block(self, body: list[ast.stmt], scope: dict[str, Any]) -> None:
        for statement in body:
            self.execute(statement, scope)

    def _assign(self, target: ast.expr, value: Any, scope: dict[str, Any]) -> None:
        if isinstance(target, ast.Name):
            scope[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            values = list(self._items(value))
            if len(values) != len(target.elts):
                raise _NotPlain(f'{len(values)} values for {len(target.elts)} names')
            for element, part in zip(target.elts, values):
                self._assign(element, part, scope)
        elif isinstance(target, ast.Subscript):
            self.changes += 1
            self.value(target.value, scope)[self.value(target.slice, scope)] = value
        else:
            raise _NotPlain(f'cannot assign to `{ast.unparse(target)}`')

    def _function(self, node: ast.FunctionDef, module: dict[str, Any]) -> Callable:
        if node.args.vararg or node.args.kwarg or node.args.kwonlyargs or node.decorator_list:
            raise _NotPlain(f'the signature of `{node.name}` is not supported')
        names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
        defaults = [self.value(value, module) for value in node.args.defaults]

        def call(*args: Any, **kwargs: Any) -> Any:
            given = dict(zip(names[len(names) - len(defaults) :], defaults))
            given.update(zip(names, args), **kwargs)
            if set(given) != set(names) or len(args) > len(names):
                raise _NotPlain(f'`{node.name}` should be called with {names}')
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise _NotPlain('functions call each other too deeply')
            try:
                self._block(node.body, {**module, **given})
            except _Return as result:
                return result.args[0]
            finally:
                self.depth -= 1
            return None

        return call

    # -- expressions ------------------------------------------------------------------------------

    def value(self, node: Optional[ast.AST], scope: dict[str, Any]) -> Any:
        """Evaluate an expression."""
        self._step()
        method = getattr(self, f'_value_{type(node).__name__}', None)
        if method is None:
            raise _NotPlain(f'`{type(node).__name__}` is not supported')
        value = method(node, scope)
        if isinstance(value, _Unknown):
            raise _NotPlain(value.reason)
        return value

    def _value_Constant(self, node: ast.Constant, scope: dict) -> Any:
        return node.value

    def _value_Name(self, node: ast.Name, scope: dict) -> Any:
        if node.id in scope:
            return scope[node.id]
        if node.id in self.builtins:
            return self.builtins[node.id]
        raise _NotPlain(f'`{node.id}` is not defined')

    def _value_List(self, node: ast.List, scope: dict) -> list:
        items: list[Any] = []
        for element in node.elts:
            if isinstance(element, ast.Starred):
                items += self._items(self.value(element.value, scope))
            else:
                items.append(self.value(element, scope))
        return items

    def _value_Tuple(self, node: ast.Tuple, scope: dict) -> tuple:
        return tuple(self._value_List(node, scope))

    def _value_Dict(self, node: ast.Dict, scope: dict) -> dict:
        result: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values):
            if key is None:
                result.update(self.value(value, scope))
            else:
                result[self.value(key, scope)] = self.value(value, scope)
        return result

    def _value_UnaryOp(self, node: ast.UnaryOp, scope: dict) -> Any:
        return self._apply(node.op, self.value(node.operand, scope))

    def _value_BinOp(self, node: ast.BinOp, scope: dict) -> Any:
        return self._apply(node.op, self.value(node.left, scope), self.value(node.right, scope))

    def _value_BoolOp(self, node: ast.BoolOp, scope: dict) -> Any:
        wanted = isinstance(node.op, ast.Or)
        for part in node.values:
            value = self.value(part, scope)
            if bool(value) == wanted:
                break
        return value

    def _value_Compare(self, node: ast.Compare, scope: dict) -> bool:
        left = self.value(node.left, scope)
        for op, part in zip(node.ops, node.comparators):
            right = self.value(part, scope)
            if not self._apply(op, left, right):
                return False
            left = right
        return True

    def _value_IfExp(self, node: ast.IfExp, scope: dict) -> Any:
        return self.value(node.body if self.value(node.test, scope) else node.orelse, scope)

    def _value_Subscript(self, node: ast.Subscript, scope: dict) -> Any:
        return self._limited(self.value(node.value, scope)[self.value(node.slice, scope)])

    def _value_Slice(self, node: ast.Slice, scope: dict) -> slice:
        parts = (node.lower, node.upper, node.step)
        return slice(*(None if part is None else self.value(part, scope) for part in parts))

    def _value_JoinedStr(self, node: ast.JoinedStr, scope: dict) -> str:
        parts = [
            part.value if isinstance(part, ast.FormattedValue) else part for part in node.values
        ]
        return ''.join(str(self.value(part, scope)) for part in parts)

    def _value_ListComp(self, node: ast.ListComp, scope: dict) -> list:
        return [self.value(node.elt, inner) for inner in self._loops(node.generators, scope)]

    _value_GeneratorExp = _value_ListComp

    def _value_DictComp(self, node: ast.DictComp, scope: dict) -> dict:
        loops = self._loops(node.generators, scope)
        return {self.value(node.key, inner): self.value(node.value, inner) for inner in loops}

    def _loops(self, generators: list[ast.comprehension], scope: dict) -> Iterable[dict]:
        if not generators:
            yield scope
            return
        first, *rest = generators
        for item in self._items(self.value(first.iter, scope)):
            inner = dict(scope)
            self._assign(first.target, item, inner)
            if all(self.value(test, inner) for test in first.ifs):
                yield from self._loops(rest, inner)

    def _value_Call(self, node: ast.Call, scope: dict) -> Any:
        if isinstance(node.func, ast.Attribute):
            owner = self.value(node.func.value, scope)
            if node.func.attr not in _METHODS.get(type(owner), ()):
                raise _NotPlain(f'`{ast.unparse(node.func)}` is not supported')
            function = getattr(owner, node.func.attr)
            self.changes += node.func.attr in _CHANGING
        else:
            function = self.value(node.func, scope)
        args = self._value_List(ast.List(node.args), scope)
        kwargs: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self.value(keyword.value, scope)
            kwargs.update(value if keyword.arg is None else {keyword.arg: value})
        if not callable(function) or any(map(callable, (*args, *kwargs.values()))):
            raise _NotPlain(f'`{ast.unparse(node.func)}` is not supported')
        result = self._limited(function(*args, **kwargs))
        if isinstance(node.func, ast.Attribute):
            self._limited(owner)
        return result

    def _sum(self, values: Iterable, start: Any = 0) -> Any:
        for value in self._items(values):
            start = self._apply(ast.Add(), start, value)
        return start

    # -- limits -----------------------------------------------------------------------------------

    def _step(self) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise _NotPlain('it takes too many steps')

    def _items(self, values: Iterable) -> Iterable:
        for item in values:
            self._step()
            yield item

    def _apply(self, op: ast.AST, *values: Any) -> Any:
        function = _OPERATORS.get(type(op))
        if function is None:
            raise _NotPlain(f'the operator `{type(op).__name__}` is not supported')
        if isinstance(op, ast.Mult):
            sizes = [len(v) if hasattr(v, '__len__') else v for v in values]
            if all(isinstance(size, int) for size in sizes):
                self._limited(sizes[0] * sizes[1])  # an int: before anything is made
        return self._limited(function(*values))

    def _limited(self, value: Any) -> Any:
        """Refuse what gets too large; what is large counts as many steps."""
        if isinstance(value, int) and abs(value) > MAX_SIZE:
            raise _NotPlain(f'a number gets larger than {MAX_SIZE}')
        if hasattr(value, '__len__'):
            self.steps += len(value)
            self._step()
        return value


def _as_load(target: ast.expr) -> ast.expr:
    """Return the target of an assignment as an expression that reads it."""
    return ast.parse(ast.unparse(target), mode='eval').body


def _affected(statement: ast.stmt) -> Iterable[str]:
    """Return the names whose value is not known if a statement was not executed."""
    for node in ast.walk(statement):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            yield from _names(node.value)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            if 'print' not in _names(node.value.func):
                yield from _names(node.value)


def _names(node: ast.AST) -> list[str]:
    return [part.id for part in ast.walk(node) if isinstance(part, ast.Name)]
