"""Unpickler of arrays and plain values that calls listed functions only.

A pickle is a program: it can call any function of any module, set attributes of what it refers to,
and make numpy treat raw memory as objects. :class:`RestrictedUnpickler` resolves listed names only,
sets the state of stand-ins, arrays and their dtypes only, and refuses structured dtypes. Objects of
other packages can become :class:`PickledObject`, which keeps their state; their packages are not
imported.
"""

import codecs
import pickle
from collections import OrderedDict
from typing import Any

import numpy as np

PLAIN_KINDS = 'biufcSUO'
"""Allowed kinds of dtypes: no structured ones, whose fields may overlap."""


class PickledObject:
    """The stored state of an object whose class is not imported."""

    pickled_as = ''
    state: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Accept and ignore all arguments of the original class."""

    def __setstate__(self, state: Any) -> None:
        self.state = state


def stand_in(module: str, name: str, base: type = PickledObject) -> type:
    """Return a class for objects of a class that is not imported."""
    return type(name, (base,), {'pickled_as': f'{module}.{name}'})


def _reconstruct_object(cls: type, base: type, state: Any) -> PickledObject:
    """Replacement of ``copyreg._reconstructor``, for stand-ins only."""
    if not (isinstance(cls, type) and issubclass(cls, PickledObject)):
        raise pickle.UnpicklingError(f'cannot reconstruct {cls!r}')
    return cls()


def _reconstruct_array(cls: type, shape: tuple, kind: Any) -> np.ndarray:
    """Replacement of numpy's: an empty array, whose content is set with its state."""
    if cls is not np.ndarray or tuple(shape) != (0,):
        raise pickle.UnpicklingError(f'cannot reconstruct {cls!r} of shape {shape!r}')
    return np.ndarray((0,), np.int8)


def _dtype(*args: Any) -> np.dtype:
    """Replacement of ``numpy.dtype``: a new one of a plain kind, given by its name."""
    if not args or not isinstance(args[0], (str, bytes)):
        raise pickle.UnpicklingError(f'refused the array type {args!r}')
    name = args[0].decode('latin1') if isinstance(args[0], bytes) else args[0]
    made = np.dtype(name, align=False, copy=True)
    if made.kind not in PLAIN_KINDS or made.fields or made.subdtype:
        raise pickle.UnpicklingError(f'refused the array type {name!r}')
    return made


def _zeros(shape: Any, *args: Any) -> np.ndarray:
    """Replacement of ``numpy.zeros``."""
    return np.zeros(shape, *(arg for arg in args if isinstance(arg, np.dtype)))


def _encode(text: str, encoding: str = 'latin1') -> bytes:
    """Replacement of ``_codecs.encode``, with which old protocols store bytes."""
    if encoding not in ('latin1', 'latin-1', 'utf-8', 'ascii'):
        raise pickle.UnpicklingError(f'refused the encoding {encoding!r}')
    return codecs.encode(text, encoding)


def _plain_names() -> dict[tuple[str, str], Any]:
    array = np.zeros(1)
    # Taken from numpy's own pickles: their modules changed with numpy 2.
    scalar, from_buffer = array[0].__reduce__()[0], array.__reduce_ex__(5)[0]
    names: dict[tuple[str, str], Any] = {
        ('numpy', 'ndarray'): np.ndarray,
        ('numpy', 'dtype'): _dtype,
        ('numpy', 'zeros'): _zeros,
        ('_codecs', 'encode'): _encode,
    }
    for package in ('numpy.core', 'numpy._core'):
        names[package + '.multiarray', '_reconstruct'] = _reconstruct_array
        names[package + '.multiarray', 'scalar'] = scalar
        names[package + '.numeric', '_frombuffer'] = from_buffer
    for builtins in ('builtins', '__builtin__'):
        for plain in (object, set, frozenset, bytearray, complex, slice):
            names[builtins, plain.__name__] = plain
    for copyreg in ('copyreg', 'copy_reg'):
        names[copyreg, '_reconstructor'] = _reconstruct_object
    return names


PLAIN_NAMES = _plain_names()
"""Names that every restricted unpickler resolves: numpy arrays and plain types."""


class RestrictedUnpickler(pickle._Unpickler):
    """Unpickler of :data:`PLAIN_NAMES` and the names that a subclass adds in :meth:`find_class`.

    It derives from the implementation in Python, as the one in C cannot restrict states.
    """

    dispatch = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        """Return the object of a name.

        Raises:
            pickle.UnpicklingError: If the name is not listed.
        """
        if (module, name) in PLAIN_NAMES:
            return PLAIN_NAMES[module, name]
        raise pickle.UnpicklingError(f'refers to `{module}.{name}`')

    def load_build(self) -> None:
        """Set the state of the object on top of the stack, if its type is allowed."""
        state = self.stack.pop()
        target = self.stack[-1]
        if isinstance(target, PickledObject):
            target.__setstate__(state)
        elif type(target) is np.ndarray:
            _set_array(target, state)
        elif isinstance(target, np.dtype):
            _set_dtype(target, state)
        elif type(target) is OrderedDict:
            _set_metadata(target, state)
        else:
            raise pickle.UnpicklingError(f'refused to set the state of {target!r}')

    dispatch[pickle.BUILD[0]] = load_build

    def load_newobj(self) -> None:
        """Create an object, but no array of uninitialised memory."""
        if self.stack[-2] is np.ndarray:
            raise pickle.UnpicklingError('refused an array without content')
        super().load_newobj()

    dispatch[pickle.NEWOBJ[0]] = load_newobj

    def load_reduce(self) -> None:
        """Call a listed function, but create no array of uninitialised memory."""
        if self.stack[-2] is np.ndarray:
            raise pickle.UnpicklingError('refused an array without content')
        super().load_reduce()

    dispatch[pickle.REDUCE[0]] = load_reduce


def _set_array(array: np.ndarray, state: Any) -> None:
    version, shape, dtype, fortran, data = state
    if not isinstance(dtype, np.dtype) or dtype.hasobject != isinstance(data, list):
        raise pickle.UnpicklingError(f'refused an array of {dtype!r}')
    array.__setstate__((version, shape, dtype, fortran, data))


def _set_dtype(dtype: np.dtype, state: Any) -> None:
    """Set the byte order; refuse fields and ignore sizes."""
    order, structure = state[1], state[2:5]
    if any(part is not None for part in structure):
        raise pickle.UnpicklingError(f'refused a structured array type {state!r}')
    if dtype.hasobject:
        return  # It has no byte order, and a new state would unmark its references.
    order = order.decode('latin1') if isinstance(order, bytes) else order
    # Only strings have a size, which is part of the name.
    size, alignment = (-1, -1) if dtype.kind not in 'SU' else (dtype.itemsize, dtype.alignment)
    dtype.__setstate__((3, order, None, None, None, size, alignment, 0))


def _set_metadata(mapping: OrderedDict, state: Any) -> None:
    """Keep the metadata of a state dict, the versions of its modules."""
    if isinstance(state, dict) and isinstance(state.get('_metadata'), dict):
        mapping._metadata = state['_metadata']
