import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError, MissingFilesError
from gvhmr_da_mm.datasets import AMASSDataset, ClipKey, PackDataset
from gvhmr_da_mm.datasets.sources.downloads import AMASSDownload
from gvhmr_da_mm.datasets.sources.write_pack import write_pack

from ..mocap import recordings


@pytest.fixture
def folder(tmp_path):
    recordings.write(tmp_path / 'amass/CMU/01/a.npz')
    recordings.write(tmp_path / 'amass/CMU/01/b.npz', frame_rate=60.0)
    recordings.write(tmp_path / 'amass/KIT/c.npz', columns=156, gender='female')
    return tmp_path / 'amass'


def labels_of(pack, root):
    dataset = PackDataset(root, pack=pack, domain='synthetic', supervision='labels', min_frames=1)
    return {
        sample.sequence: sample.gt_instances
        for sample in (dataset[ClipKey(i, 0)]['data_samples'] for i in range(len(dataset)))
    }


def test_a_pack_holds_labelled_clips_and_the_motions_of_the_files(toy_root, folder, tmp_path):
    pack = tmp_path / 'pack'
    report = write_pack(AMASSDownload(folder, data_root=toy_root), pack)
    assert (report.written, report.failures) == (3, [])
    labels = labels_of(pack, toy_root)
    assert set(labels) == {'CMU/01/a', 'CMU/01/b', 'KIT/c'}
    assert all(value.transl_c[:, 2].min() > 0 for value in labels.values())

    packed = AMASSDataset(toy_root, pack=pack)
    files = AMASSDataset(toy_root, motions=folder)
    for index in range(2):  # Recorded with the neutral body: the same to rounding.
        first, second = (dataset[ClipKey(index, 5)] for dataset in (packed, files))
        assert first['data_samples'].sequence == second['data_samples'].sequence
        for key, value in first['data_samples'].gt_instances.items():
            torch.testing.assert_close(
                value, second['data_samples'].gt_instances[key], atol=2e-3, rtol=0
            )


def test_converting_again_gives_the_same_cameras(toy_root, folder, tmp_path):
    sources = [AMASSDownload(folder, data_root=toy_root) for _ in range(2)]
    for number, source in enumerate(sources):
        write_pack(source, tmp_path / f'pack{number}')
    first, second = (labels_of(tmp_path / f'pack{number}', toy_root) for number in range(2))
    assert torch.equal(first['KIT/c'].transl_c, second['KIT/c'].transl_c)
    assert write_pack(sources[0], tmp_path / 'pack0').skipped == 3


def test_bad_and_short_recordings_are_failures(toy_root, folder, tmp_path):
    recordings.write(folder / 'old.npz', columns=72)
    poses, trans = recordings.fields()['poses'], recordings.fields()['trans']
    recordings.write(folder / 'short.npz', poses=poses[:20], trans=trans[:20])
    report = write_pack(AMASSDownload(folder, data_root=toy_root), tmp_path / 'pack')
    messages = {failure.id: failure.message for failure in report.failures}
    assert report.written == 3 and set(messages) == {'old', 'short'}
    assert 'SMPL-X' in messages['old'] and '20' in messages['short']


def test_the_tool(call, toy_root, folder, tmp_path):
    pack = tmp_path / 'pack'
    tool = 'dataset_converters/convert'
    code, output, _ = call(tool, 'amass', folder, pack, '--data-root', toy_root)
    assert code == 0 and '3 sequences written' in output


def test_no_features_and_no_files(toy_root, folder, tmp_path):
    with pytest.raises(ConfigError, match='no images: leave'):
        AMASSDownload(folder, tmp_path)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(MissingFilesError, match='no .npz file'):
        AMASSDownload(tmp_path / 'empty', data_root=toy_root).sequences()
