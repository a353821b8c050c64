"""Generation of tiny videos with unusual properties."""

import struct

import cv2
import numpy as np

SIZE = (96, 64)


def write_video(path, frames=12, fps=30.0, size=SIZE, codec='mp4v', pictures=None):
    """A video whose frame t has a white square at x = 4 t, or of given RGB images."""
    if pictures is None:
        pictures = [square(t, size) for t in range(frames)]
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, (width, height))
    assert writer.isOpened()
    for picture in pictures:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def square(t, size=SIZE):
    width, height = size
    picture = np.full((height, width, 3), 40, np.uint8)
    picture[10:30, 4 * t : 4 * t + 16] = (250, 60, 60)
    return picture


def box(content, *path):
    """Return the offsets of the body and the size field of nested MP4 boxes, parents first."""
    start, end, places = 0, len(content), []
    for name in path:
        while True:
            size, kind = struct.unpack('>I4s', content[start : start + 8])
            if kind == name:
                break
            start += size
            assert start < end, name
        places.append(start)
        end, start = start + size, start + 8
    return start, places


def set_rotation(path, degrees):
    """Write a rotation by 90 degrees into the track header."""
    content = bytearray(path.read_bytes())
    start, _ = box(content, b'moov', b'trak', b'tkhd')
    cos, sin = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    one = 1 << 16
    matrix = struct.pack('>9i', cos * one, sin * one, 0, -sin * one, cos * one, 0, 0, 0, 1 << 30)
    content[start + 40 : start + 76] = matrix
    path.write_bytes(content)


def set_durations(path, durations):
    """Give each frame a duration of its own, in ticks of the track."""
    content = bytearray(path.read_bytes())
    start, places = box(content, b'moov', b'trak', b'mdia', b'minf', b'stbl', b'stts')
    old = struct.unpack('>I', content[places[-1] : places[-1] + 4])[0]
    body = struct.pack('>II', 0, len(durations))
    body += b''.join(struct.pack('>II', 1, duration) for duration in durations)
    content[start : places[-1] + old] = body
    for place in places:
        size = struct.unpack('>I', content[place : place + 4])[0]
        content[place : place + 4] = struct.pack('>I', size + 8 + len(body) - old)
    # The edit list would cut off what is later than the old end.
    content[content.index(b'edts') : content.index(b'edts') + 4] = b'free'
    assert content.index(b'mdat') < places[0], 'sample positions would have moved'
    path.write_bytes(content)


def set_pixel_aspect(path, across, down):
    """Add a box with the pixel aspect ratio to the only video format."""
    content = bytearray(path.read_bytes())
    start, places = box(content, b'moov', b'trak', b'mdia', b'minf', b'stbl', b'stsd')
    entry = start + 8
    size = struct.unpack('>I', content[entry : entry + 4])[0]
    content[entry + size : entry + size] = struct.pack('>I4sII', 16, b'pasp', across, down)
    for place in (*places, entry):
        old = struct.unpack('>I', content[place : place + 4])[0]
        content[place : place + 4] = struct.pack('>I', old + 16)
    assert content.index(b'mdat') < places[0], 'sample positions would have moved'
    path.write_bytes(content)


def ticks_per_second(path):
    content = path.read_bytes()
    start, _ = box(content, b'moov', b'trak', b'mdia', b'mdhd')
    return struct.unpack('>I', content[start + 12 : start + 16])[0]
