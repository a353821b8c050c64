import json
import re

import numpy as np

from tests.video.people import walking
from tests.video.videos import write_video


def make(folder, names=('a', 'b')):
    for kind in ('videos', 'keypoints'):
        (folder / kind).mkdir()
    for name in names:
        write_video(folder / 'videos' / f'{name}.mp4', 36)
        np.savez(folder / 'keypoints' / f'{name}.npz', kp2d=walking(36))
    return folder / 'videos', folder / 'keypoints'


def test_videos_become_a_pack(call, tmp_path):
    videos, keypoints = make(tmp_path)
    tool = 'dataset_converters/convert'
    options = ('--keypoints', keypoints, '--camera', 'static')
    code, out, err = call(tool, 'videos', videos, tmp_path / 'pack', *options, '--dry-run')
    assert '2 sequences' in out and not (tmp_path / 'pack').exists(), err
    (videos / 'c.mp4').write_bytes(b'broken')
    code, out, err = call(tool, 'videos', videos, tmp_path / 'pack', *options)
    assert '2 sequences written' in out and '1 failed' in out
    assert 'a: 36 frames; camera still' in out
    code, out, err = call(tool, 'videos', videos, tmp_path / 'pack', *options, '--limit', 2)
    assert '2 done before' in out


def test_brackets_of_names_are_printed(call, tmp_path):
    videos, keypoints = make(tmp_path, ['walk [final]', 'b[red]'])
    (videos / 'poster [old].jpg').write_bytes(b'')
    (videos / 'c[bold].mp4').write_bytes(b'broken')
    options = ('--keypoints', keypoints, '--camera', 'static')
    for source in ('videos', 'features'):
        code, out, _ = call(
            'dataset_converters/convert', source, videos, tmp_path / 'out' / source, *options[:2],
            *(options[2:] if source == 'videos' else ()),
        )  # fmt: skip
        assert code == 1
        assert 'Not read: poster [old].jpg' in out and 'c[bold]' in out
    command = ('dataset_converters/convert', 'videos', videos, tmp_path / 'out' / 'videos')
    assert 'walk [final]: 36 frames' in call(*command, *options)[1]


def test_what_does_not_go_together(call, tmp_path):
    videos, keypoints = make(tmp_path, ['a'])
    tool = 'dataset_converters/convert'
    extracted = ('--features', tmp_path / 'extracted')
    code, _, err = call(
        tool, 'videos', videos, tmp_path / 'p', *extracted, '--checkpoint', tmp_path / 'hmr2.ckpt'
    )
    assert code == 2 and 'leave `--checkpoint` out' in err
    code, _, err = call(tool, 'videos', videos, tmp_path / 'p', *extracted)
    assert code == 2 and 'extracted' in err
    code, _, err = call(
        tool, 'videos', videos, tmp_path / 'p', '--keypoints', keypoints, '--checkpoint', 'no.ckpt'
    )
    assert code == 2 and 'no.ckpt' in err
    code, _, err = call(tool, videos, tmp_path / 'p')
    assert code == 2 and re.search("argument SOURCE: .*'?videos'?, '?features", err)
    code, _, err = call(tool, 'videos', tmp_path / 'none', tmp_path / 'p', '--keypoints', keypoints)
    assert code == 2 and 'none' in err
    code, _, err = call(tool, 'videos', videos, tmp_path / 'p', '--keypoints', 'nothing')
    assert code == 2 and 'nothing' in err
    code, _, err = call(tool, 'videos', videos, tmp_path / 'p', '--options', 'max_people=2')
    assert code == 2 and "`--options` has no field 'max_people'; it has detector, network" in err
    assert not (tmp_path / 'p').exists() or not any((tmp_path / 'p').rglob('*.safetensors'))


def test_extraction(call, tmp_path):
    videos, keypoints = make(tmp_path)
    (videos / 'c.mp4').write_bytes(b'broken')
    command = ('dataset_converters/convert', 'features', videos, tmp_path / 'out')
    options = ('--keypoints', keypoints)
    code, out, _ = call(*command, *options)
    assert code == 1 and '2 written' in out and 'failed c' in out
    code, out, _ = call(*command, *options)
    assert '2 done before' in out
    manifest = json.loads((tmp_path / 'out' / 'manifest.json').read_text())
    assert manifest['a']['files'][0]['frames'] == 36
    code, _, err = call(*command, *options, '--checkpoint', tmp_path / 'no.ckpt')
    assert code == 2 and 'no.ckpt' in err
