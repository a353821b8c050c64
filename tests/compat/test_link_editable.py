import pytest

from gvhmr_da_mm.compat import link_editable


@pytest.fixture
def site_packages(tmp_path):
    record = tmp_path / 'site-packages' / 'gvhmr_da_mm-0.1.0.dist-info' / 'RECORD'
    record.parent.mkdir(parents=True)
    record.write_text('gvhmr_da_mm-0.1.0.dist-info/RECORD,,\n')
    (tmp_path / 'checkout').mkdir()
    return record.parents[1]


def test_link_and_record(site_packages, tmp_path):
    record = next(site_packages.glob('*.dist-info/RECORD'))
    link = site_packages / 'gvhmr_da_mm'
    for _ in range(2):  # again changes nothing
        link_editable.link_package(tmp_path / 'checkout', link, record)
        assert link.resolve() == (tmp_path / 'checkout').resolve()
        assert record.read_text() == 'gvhmr_da_mm-0.1.0.dist-info/RECORD,,\ngvhmr_da_mm,,\n'


def test_a_link_to_another_checkout_is_replaced(site_packages, tmp_path):
    record = next(site_packages.glob('*.dist-info/RECORD'))
    link = site_packages / 'gvhmr_da_mm'
    link.symlink_to(tmp_path / 'gone')
    link_editable.link_package(tmp_path / 'checkout', link, record)
    assert link.resolve() == (tmp_path / 'checkout').resolve()


def test_not_installed(monkeypatch, capsys):
    def missing(name):
        raise link_editable.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(link_editable.metadata, 'distribution', missing)
    assert link_editable.main() == 1
    assert 'pip install --no-deps -e .' in capsys.readouterr().out
