"""No module imports itself by way of others: a check without the contracts of pyproject.toml."""

import grimp
import pytest


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
