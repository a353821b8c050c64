"""An independent reader finds the mesh and motion, skinned here by the formula of glTF."""

import json
import struct

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from gvhmr_da_mm.body_models import make_body_rig
from gvhmr_da_mm.core.camera import perspective_project
from gvhmr_da_mm.core.conventions import BODY_JOINT_NAMES
from gvhmr_da_mm.export import CameraTrack, person_skeleton, write_glb
from tests.export.posed_skeleton import posed

NUMPY = {5126: '<f4', 5123: '<u2', 5125: '<u4'}
SIZES = {'SCALAR': 1, 'VEC3': 3, 'VEC4': 4, 'MAT4': 16}


@pytest.fixture
def rig(person, body):
    return make_body_rig(body, torch.from_numpy(person.betas[0]))


@pytest.fixture
def written(person, rig, tmp_path):
    return write_glb(tmp_path / 'new' / 'turn.glb', person_skeleton(person), rig)


def accessor(scene, blob, index):
    """Read an accessor."""
    info = scene.accessors[index]
    view = scene.bufferViews[info.bufferView]
    size = SIZES[info.type]
    values = np.frombuffer(blob, NUMPY[info.componentType], info.count * size, view.byteOffset)
    assert view.byteLength == values.nbytes
    if info.min:
        flat = values.reshape(-1, size)
        np.testing.assert_allclose(flat.min(axis=0), info.min)
        np.testing.assert_allclose(flat.max(axis=0), info.max)
    return values.reshape(-1, size)


def global_matrices(scene, rotations, root):
    """Return the matrices (22, 4, 4) of the joints of one frame."""
    matrices = {}

    def visit(index, parent):
        node = scene.nodes[index]
        local = np.eye(4)
        local[:3, :3] = Rotation.from_quat(rotations[index]).as_matrix()
        local[:3, 3] = root if index == 0 else node.translation
        matrices[index] = parent @ local
        for child in node.children or ():
            visit(child, matrices[index])

    visit(0, np.eye(4))
    return np.stack([matrices[index] for index in range(22)])


def test_an_independent_reader_finds_the_mesh(written, dump, body):
    pygltflib = pytest.importorskip('pygltflib', reason='requirements/tests.txt has pygltflib')
    scene = pygltflib.GLTF2().load(str(written))
    blob = scene.binary_blob()
    (primitive,) = scene.meshes[0].primitives
    points, normals, bones, weights = (
        accessor(scene, blob, getattr(primitive.attributes, name))
        for name in ('POSITION', 'NORMAL', 'JOINTS_0', 'WEIGHTS_0')
    )
    assert scene.accessors[primitive.attributes.POSITION].min  # glTF demands bounds
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
    faces = accessor(scene, blob, primitive.indices).reshape(-1, 3)
    np.testing.assert_array_equal(np.sort(faces, axis=1), np.sort(body.faces.numpy(), axis=1))
    corners = points[faces]
    volume = np.linalg.det(corners.astype(float)).sum() / 6
    assert 0.01 < volume < 0.3  # m3; positive: the triangles face outwards

    skin = scene.skins[scene.nodes[-1].skin]
    assert [scene.nodes[joint].name for joint in skin.joints] == list(BODY_JOINT_NAMES)
    binds = accessor(scene, blob, skin.inverseBindMatrices).reshape(-1, 4, 4).transpose(0, 2, 1)
    (animation,) = scene.animations
    outputs = {
        (channel.target.node, channel.target.path): accessor(
            scene, blob, animation.samplers[channel.sampler].output
        )
        for channel in animation.channels
    }
    times = accessor(scene, blob, animation.samplers[0].input)[:, 0]
    np.testing.assert_allclose(times, np.arange(len(dump)) / 30, atol=1e-6)

    p = dump.sample.pred_instances
    straight = body(p.body_pose * 0, p.betas[:1].expand_as(p.betas), p.global_orient_w, p.transl_w)
    joints = body.fk(p.body_pose, p.betas, p.global_orient_w, p.transl_w).numpy()
    expected = body(p.body_pose, p.betas, p.global_orient_w, p.transl_w).numpy()
    for frame in range(len(dump)):
        rotations = [outputs[joint, 'rotation'][frame] for joint in range(22)]
        matrices = global_matrices(scene, rotations, outputs[0, 'translation'][frame])
        np.testing.assert_allclose(matrices[:, :3, 3], joints[frame], atol=1e-5)
        blended = np.einsum('vk,vkij->vij', weights, (matrices @ binds)[bones])
        posed = np.einsum('vij,vj->vi', blended[:, :3, :3], points) + blended[:, :3, 3]
        # Apart from the pose blend shapes it is the body model's mesh.
        error = np.linalg.norm(posed - expected[frame], axis=1)
        assert error.mean() < 0.005
        assert error.mean() < 0.1 * np.linalg.norm(straight[frame] - expected[frame], axis=1).mean()
    # Neighbours in time are never more than half a turn of the quaternion sphere apart.
    for joint in range(22):
        values = outputs[joint, 'rotation']
        assert ((values[1:] * values[:-1]).sum(axis=1) > 0).all()


def test_the_camera_sees_the_joints_where_the_video_does(person, rig, joints, tmp_path):
    pygltflib = pytest.importorskip('pygltflib', reason='requirements/tests.txt has pygltflib')
    K, size = torch.tensor([[120.0, 0, 40], [0, 110, 30], [0, 0, 1]]), (80, 60)
    camera = CameraTrack(torch.from_numpy(person.T_w2c), K, size)
    lift = torch.tensor([0.0, 0.3, 0.0])
    moved = person_skeleton(person)
    moved = type(moved)(moved.R_local, moved.root + lift, moved.offsets)
    path = write_glb(tmp_path / 'a.glb', moved, rig, camera.shifted(lift))
    scene = pygltflib.GLTF2().load(str(path))
    blob = scene.binary_blob()
    node = next(i for i in scene.scenes[0].nodes if scene.nodes[i].camera is not None)
    lens = scene.cameras[scene.nodes[node].camera].perspective
    outputs = {
        channel.target.path: accessor(
            scene, blob, scene.animations[0].samplers[channel.sampler].output
        )
        for channel in scene.animations[0].channels
        if channel.target.node == node
    }
    expected = perspective_project(joints('camera').double(), K.double()).numpy()
    for frame in range(len(person)):
        # The projection of glTF: the camera looks along -z, y is up.
        rotation = Rotation.from_quat(outputs['rotation'][frame]).as_matrix()
        pelvis = posed(moved)[1][frame].numpy() - outputs['translation'][frame]
        x, y, z = (pelvis @ rotation).T
        scale = 1 / np.tan(lens.yfov / 2)
        ndc = np.stack((scale / lens.aspectRatio * x / -z, scale * y / -z), axis=-1)
        pixels = (ndc * [1, -1] + 1) / 2 * size
        np.testing.assert_allclose(pixels, expected[frame], atol=1e-2)


def test_container(written):
    content = written.read_bytes()
    magic, version, length = struct.unpack_from('<4sII', content)
    assert (magic, version, length) == (b'glTF', 2, len(content))
    size, kind = struct.unpack_from('<I4s', content, 12)
    assert kind == b'JSON' and size % 4 == 0
    scene = json.loads(content[20 : 20 + size])
    binary, kind = struct.unpack_from('<I4s', content, 20 + size)
    assert kind == b'BIN\0' and binary % 4 == 0
    assert scene['buffers'][0]['byteLength'] <= binary == len(content) - 28 - size
    assert all(view['byteOffset'] % 4 == 0 for view in scene['bufferViews'])
