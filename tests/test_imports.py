"""No module imports itself by way of others: a check without the contracts of pyproject.toml."""

import subprocess
import sys

import grimp
import pytest

import gvhmr_da_mm


def circles(graph):
    """Return the modules on circles, and those between two circles."""
    imports = {name: set(graph.find_modules_directly_imported_by(name)) for name in graph.modules}
    while True:
        imported = set().union(*imports.values()) if imports else set()
        kept = {name for name, targets in imports.items() if targets and name in imported}
        if kept == set(imports):
            return sorted(kept)
        imports = {name: imports[name] & kept for name in kept}


@pytest.fixture
def graph():
    return grimp.build_graph('gvhmr_da_mm', cache_dir=None)


def test_no_module_is_part_of_a_circle(graph):
    assert len(graph.modules) > 200
    assert circles(graph) == []


def test_a_circle_is_found(graph):
    lower, upper = 'gvhmr_da_mm.registry', 'gvhmr_da_mm.models.losses.gvhmr_loss'
    assert graph.chain_exists(importer=upper, imported=lower)
    graph.add_import(importer=lower, imported=upper)
    found = circles(graph)
    assert {lower, upper} <= set(found)
    assert 'gvhmr_da_mm.core.errors' not in found


def test_the_package_imports_nothing_heavy():
    code = (
        'import sys, gvhmr_da_mm; '
        "heavy = {'torch', 'mmpose', 'mmengine', 'cv2', 'scipy'} & set(sys.modules); "
        'assert not heavy, heavy; '
        'names = set(gvhmr_da_mm.__all__); assert names <= set(dir(gvhmr_da_mm)); '
        'assert all(getattr(gvhmr_da_mm, name) for name in names); '
        'import gvhmr_da_mm.apis; '
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, '-c', code], check=True)


def test_unknown_name_of_the_package():
    with pytest.raises(AttributeError, match="'gvhmr_da_mm' has no attribute 'nothing'"):
        gvhmr_da_mm.nothing  # noqa: B018
