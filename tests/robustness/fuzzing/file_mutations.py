"""Ways to spoil a file, whatever it holds."""

from pathlib import Path

import numpy as np


def mutate_file(path: Path, others: list[Path], rng: np.random.Generator) -> str:
    """Damage a file in place.

    Args:
        path (Path): The file.
        others (list[Path]): Files whose content it may get instead.
        rng (np.random.Generator): Decides how.

    Returns:
        str: What was done, in words.
    """
    operations = (_truncate, _truncate, _flip_bits, _flip_bits, _overwrite, _append, _insert)
    draw = int(rng.integers(len(operations) + 5))
    if draw < len(operations):
        data = path.read_bytes()
        path.write_bytes(operations[draw](data, rng))
        return operations[draw].__name__.strip('_').replace('_', ' ')
    kind = ('removed', 'emptied', 'a folder', 'text', 'another file')[draw - len(operations)]
    content = path.read_bytes()
    path.unlink()
    if kind == 'emptied':
        path.write_bytes(b'')
    elif kind == 'a folder':
        path.mkdir()
    elif kind == 'text':
        path.write_text('<html>404 Not Found</html>\n' * 3)
    elif kind == 'another file':
        other = others[int(rng.integers(len(others)))] if others else None
        path.write_bytes(other.read_bytes() if other else content)
    return kind


def _truncate(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: int(rng.integers(max(len(data), 1)))]


def _flip_bits(data: bytes, rng: np.random.Generator) -> bytes:
    spoiled = np.frombuffer(data, dtype=np.uint8).copy()
    # Most of a file is numbers; what says how to read them is at its ends.
    near = rng.random() < 0.7
    for _ in range(int(rng.integers(1, 20))):
        place = int(rng.integers(min(2000, len(data)) if near else len(data)))
        place = place if rng.random() < 0.5 or not near else len(data) - 1 - place
        spoiled[place] ^= 1 << int(rng.integers(8))
    return spoiled.tobytes()


def _overwrite(data: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(len(data)))
    junk = rng.bytes(int(rng.integers(1, 4096)))
    return (data[:start] + junk + data[start + len(junk) :])[: len(data)]


def _append(data: bytes, rng: np.random.Generator) -> bytes:
    return data + rng.bytes(int(rng.integers(1, 4096)))


def _insert(data: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(len(data)))
    return data[:start] + rng.bytes(int(rng.integers(1, 64))) + data[start:]
