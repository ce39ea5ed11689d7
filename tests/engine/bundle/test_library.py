"""Where bundles are found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.bundle import library
from engine.bundle.manifest import MANIFEST
from engine.errors import BundleError
from engine.files import aside_of


@pytest.fixture
def places(tmp_path, tiny_bundle, monkeypatch) -> tuple[Path, Path]:
    """A folder of shipped bundles with “mini”, and the user's folder with “second” and a broken one."""
    shipped, own = tmp_path / "resources", tmp_path / "models"
    shutil.copytree(tiny_bundle, shipped / "mini")
    shutil.copytree(tiny_bundle, own / "second")
    (own / "broken").mkdir()
    (own / "broken" / MANIFEST).write_text("{")
    shutil.copytree(tiny_bundle, own / ".third.0123.part")  # being written, or left behind by a crash
    monkeypatch.setattr(library, "shipped_folder", lambda: shipped)
    monkeypatch.setenv("ECHOGEN_MODELS", str(own))
    return shipped, own


def test_finding(places):
    found = {bundle.name: bundle for bundle in library.find_bundles()}
    assert next(iter(found)) == "mini" and set(found) == {"mini", "second", "broken"}
    assert found["mini"].manifest is not None and found["mini"].problem == ""
    assert found["broken"].manifest is None and "damaged" in found["broken"].problem
    assert found["broken"].title == "broken" and found["mini"].title == "Random weights, for tests"


def test_a_bundle_that_stepped_aside_for_one_that_never_came_is_found(places):
    _, own = places
    (own / "second").rename(aside_of(own / "second"))
    assert library.resolve_bundle("second") == own / "second"
    (own / "second").rename(aside_of(own / "second"))
    assert "second" in {bundle.name for bundle in library.find_bundles()}
    (own / "second").rename(aside_of(own / "second"))
    assert library.resolve_bundle(own / "second") == own / "second"


def test_beside_a_bundle_and_in_the_folder_of_models_what_is_no_bundle_keeps_its_name(places, tiny_bundle, tmp_path):
    _, own = places
    shutil.copytree(tiny_bundle, tmp_path / "home" / "bundle")
    for place in (tmp_path / "home", own):
        (place / ".bashrc.old").write_text("mine", encoding="utf-8")
        (place / ".vim.old").mkdir()
    library.resolve_bundle(tmp_path / "home" / "bundle")
    library.resolve_bundle("second")
    library.find_bundles()
    for place in (tmp_path / "home", own):
        assert (place / ".bashrc.old").exists() and (place / ".vim.old").exists()


def test_a_shipped_bundle_wins_over_one_of_the_same_name(places, tiny_bundle):
    shipped, own = places
    shutil.copytree(tiny_bundle, own / "mini")
    assert [bundle.folder for bundle in library.find_bundles() if bundle.name == "mini"] == [shipped / "mini"]
    assert library.resolve_bundle("mini") == shipped / "mini"


def test_names_and_folders(places, tiny_bundle, monkeypatch):
    _, own = places
    assert library.resolve_bundle("second") == own / "second"
    assert library.resolve_bundle(tiny_bundle) == tiny_bundle
    assert library.resolve_bundle(str(tiny_bundle)) == tiny_bundle
    monkeypatch.chdir(own)
    assert library.resolve_bundle("./second") == Path("second")
    assert library.resolve_bundle("second/") == Path("second")


def test_a_name_means_the_library_even_beside_a_folder_of_that_name(places, tiny_bundle, tmp_path, monkeypatch):
    shipped, _ = places
    here = tmp_path / "here"
    shutil.copytree(tiny_bundle, here / "mini")
    shutil.copytree(tiny_bundle, here / "own")
    monkeypatch.chdir(here)
    assert library.resolve_bundle("mini") == shipped / "mini"
    assert library.resolve_bundle("own") == Path("own")


def test_what_is_not_there(places):
    with pytest.raises(BundleError, match=r"“echogen-2b” is not on this computer") as caught:
        library.resolve_bundle("echogen-2b")
    assert "mini" in caught.value.step and "second" in caught.value.step
    with pytest.raises(BundleError, match="no model in"):
        library.resolve_bundle("/nowhere/at/all")


def test_the_users_folder_is_private_to_the_system(monkeypatch):
    monkeypatch.delenv("ECHOGEN_MODELS", raising=False)
    assert library.models_folder().name == "bundles" and library.models_folder().parent.name == library.APP_NAME
    assert all(bundle.folder.parent == library.shipped_folder() for bundle in library.find_bundles())
