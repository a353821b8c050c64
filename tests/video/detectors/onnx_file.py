"""Writing of a tiny ONNX file, field by field, as the package onnx is not required."""

import numpy as np

FLOAT, IR_VERSION, OPSET = 1, 8, 13


def write_constant_network(path, input_size, *outputs):
    """Write a network that takes an image (1, 3, H, W) and returns constant arrays."""
    tensors = [_tensor(f'output{number}', array) for number, array in enumerate(outputs)]
    graph = b''.join(_field(5, tensor) for tensor in tensors)
    graph += _field(2, b'constants') + _field(11, _value('image', (1, 3, *input_size)))
    for number, array in enumerate(outputs):
        # Initialisers are no outputs of a graph by themselves.
        node = _field(1, f'output{number}') + _field(2, f'result{number}') + _field(4, 'Identity')
        graph += _field(1, node) + _field(12, _value(f'result{number}', array.shape))
    model = _number(1, IR_VERSION) + _field(7, graph) + _field(8, _number(2, OPSET))
    path.write_bytes(model)
    return path


def _tensor(name, array):
    sizes = b''.join(_number(1, size) for size in array.shape)
    data = np.ascontiguousarray(array, dtype='<f4').tobytes()
    return sizes + _number(2, FLOAT) + _field(8, name) + _field(9, data)


def _value(name, shape):
    sizes = b''.join(_field(1, _number(1, size)) for size in shape)
    return _field(1, name) + _field(2, _field(1, _number(1, FLOAT) + _field(2, sizes)))


def _number(field, value):
    return _varint(field << 3) + _varint(value)


def _field(field, content):
    content = content.encode() if isinstance(content, str) else content
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(value):
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])
