"""Export to binary glTF 2.0: a skinned, animated mesh for browsers, Blender and game engines.

Source: Khronos, glTF 2.0 Specification, Sec. 3.6-3.11 and 4 (binary container).
"""

import json
import struct
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from ..body_models.body_rig import BodyRig
from ..core.conventions import BODY_JOINT_NAMES, PARENTS_22
from ..fileio.atomic_file import write_atomically
from ..version import __version__
from .glb_camera import CameraTrack, continuous_quaternions
from .skeleton_motion import SkeletonMotion

MAGIC, VERSION = 0x46546C67, 2
JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942
FLOAT, UINT16, UINT32 = 5126, 5123, 5125
ARRAY_BUFFER, ELEMENT_BUFFER = 34962, 34963
ACCESSOR_TYPES = {1: 'SCALAR', 3: 'VEC3', 4: 'VEC4', 16: 'MAT4'}
BODY_COLOUR = (0.36, 0.62, 1.0, 1.0)


def write_glb(
    path: Union[str, Path],
    motion: SkeletonMotion,
    rig: BodyRig,
    camera: Optional[CameraTrack] = None,
) -> Path:
    """Write a GLB file.

    Args:
        path (str | Path): The file; its folder is created.
        motion (SkeletonMotion): The motion, F frames. The space should be the world: glTF is y up.
        rig (BodyRig): The mesh; its joints replace the bones of the motion.
        camera (CameraTrack, optional): The camera in the same world, F frames. Defaults to None:
            the file has no camera.

    Returns:
        Path: The file.
    """
    buffer = _Buffer()
    scene = _scene(motion, rig, camera, buffer)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(scene, separators=(',', ':')).encode()
    chunks = _chunk(JSON_CHUNK, text, b' ') + _chunk(BINARY_CHUNK, bytes(buffer.content), b'\0')
    write_atomically(path, struct.pack('<III', MAGIC, VERSION, 12 + len(chunks)) + chunks)
    return path


class _Buffer:
    """The binary chunk, and the views and accessors that refer to it."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(self, values: np.ndarray, target: Optional[int] = None, bounds: bool = False) -> int:
        """Append an array (N, K) or (N,) and return the index of its accessor."""
        component_types = {np.dtype('<f4'): FLOAT, np.dtype('<u2'): UINT16, np.dtype('<u4'): UINT32}
        self.content += b'\0' * (-len(self.content) % 4)
        data = np.ascontiguousarray(values).tobytes()
        view = dict(buffer=0, byteOffset=len(self.content), byteLength=len(data))
        self.content += data
        self.views.append(view if target is None else {**view, 'target': target})
        flat = values.reshape(len(values), -1)
        accessor = dict(
            bufferView=len(self.views) - 1,
            componentType=component_types[values.dtype],
            count=len(values),
            type=ACCESSOR_TYPES[flat.shape[1]],
        )
        if bounds:
            accessor.update(min=flat.min(axis=0).tolist(), max=flat.max(axis=0).tolist())
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def _scene(
    motion: SkeletonMotion, rig: BodyRig, camera: Optional[CameraTrack], buffer: _Buffer
) -> dict[str, Any]:
    joints = len(PARENTS_22)
    nodes = _nodes(motion, rig)
    nodes.append(dict(name='body', mesh=0, skin=0))
    tracks = [(0, 'translation', motion.root.numpy())]
    rotations = continuous_quaternions(motion.R_local)
    tracks += [(joint, 'rotation', rotations[:, joint]) for joint in range(joints)]
    roots, parts = [0, joints], {}
    if camera is not None:
        roots.append(len(nodes))
        parts = dict(cameras=[camera.lens()])
        placed = camera.placed()
        tracks += [(len(nodes), path, values) for path, values in placed.items()]
        first = {path: values[0].tolist() for path, values in placed.items()}
        nodes.append(dict(name='camera', camera=0, **first))
    animation = _animation(tracks, motion.fps, buffer)
    return dict(
        **parts,
        asset=dict(version='2.0', generator=f'gvhmr_da_mm {__version__}'),
        scene=0,
        scenes=[dict(nodes=roots)],
        nodes=nodes,
        meshes=[dict(name='body', primitives=[_primitive(rig, buffer)])],
        skins=[
            dict(
                inverseBindMatrices=buffer.add(_inverse_binds(rig)),
                skeleton=0,
                joints=list(range(joints)),
            )
        ],
        materials=[
            dict(
                name='skin',
                pbrMetallicRoughness=dict(
                    baseColorFactor=BODY_COLOUR, metallicFactor=0.0, roughnessFactor=0.8
                ),
            )
        ],
        animations=[animation],
        accessors=buffer.accessors,
        bufferViews=buffer.views,
        buffers=[dict(byteLength=len(buffer.content))],
    )


def _nodes(motion: SkeletonMotion, rig: BodyRig) -> list[dict[str, Any]]:
    """Return a node for each joint, in the pose of the first frame."""
    rotations = continuous_quaternions(motion.R_local)[0].tolist()
    nodes = []
    for joint, parent in enumerate(PARENTS_22):
        place = motion.root[0].numpy() if parent < 0 else rig.joints[joint] - rig.joints[parent]
        children = [child for child, above in enumerate(PARENTS_22) if above == joint]
        node = dict(
            name=BODY_JOINT_NAMES[joint], translation=place.tolist(), rotation=rotations[joint]
        )
        nodes.append({**node, 'children': children} if children else node)
    return nodes


def _primitive(rig: BodyRig, buffer: _Buffer) -> dict[str, Any]:
    index_type = '<u2' if len(rig.vertices) < 2**16 - 1 else '<u4'
    attributes = dict(
        POSITION=buffer.add(rig.vertices.astype('<f4'), ARRAY_BUFFER, bounds=True),
        NORMAL=buffer.add(rig.normals.astype('<f4'), ARRAY_BUFFER),
        JOINTS_0=buffer.add(rig.bone_ids.astype('<u2'), ARRAY_BUFFER),
        WEIGHTS_0=buffer.add(rig.weights.astype('<f4'), ARRAY_BUFFER),
    )
    indices = buffer.add(rig.faces.reshape(-1).astype(index_type), ELEMENT_BUFFER)
    return dict(attributes=attributes, indices=indices, material=0)


def _inverse_binds(rig: BodyRig) -> np.ndarray:
    """Return the matrices from mesh to joint frames at rest (22, 16), column-major."""
    matrices = np.tile(np.eye(4), (len(rig.joints), 1, 1))
    matrices[:, :3, 3] = -rig.joints
    return matrices.transpose(0, 2, 1).reshape(-1, 16).astype('<f4')


def _animation(
    tracks: list[tuple[int, str, np.ndarray]], fps: float, buffer: _Buffer
) -> dict[str, Any]:
    """Return an animation of nodes: index, property and its values (F, ...) of each track."""
    times = (np.arange(len(tracks[0][2])) / fps).astype('<f4')
    clock = buffer.add(times, bounds=True)
    samplers = [
        dict(input=clock, output=buffer.add(values.astype('<f4')), interpolation='LINEAR')
        for _, _, values in tracks
    ]
    channels = [
        dict(sampler=index, target=dict(node=node, path=path))
        for index, (node, path, _) in enumerate(tracks)
    ]
    return dict(name='motion', samplers=samplers, channels=channels)


def _chunk(kind: int, content: bytes, fill: bytes) -> bytes:
    content += fill * (-len(content) % 4)
    return struct.pack('<II', len(content), kind) + content
