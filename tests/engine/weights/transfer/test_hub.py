"""What the hub says about a repository, and what is not believed."""

from __future__ import annotations

import json

import pytest

from engine.errors import AccessRefused, NetworkError
from engine.weights.catalogue import APACHE, FLUX_DEV, MIT, PARTS
from engine.weights.transfer.hub import is_plain_name, list_part
from tests.engine.weights import hub_server as faults
from tests.engine.weights.hub_server import COMMIT, FakeHub, Repository

PART = PARTS["dinov2-base"]
FILES = {"config.json": b"{}", "model.safetensors": b"w" * 1000, "README.md": b"words", "flax_model.msgpack": b"f"}


@pytest.fixture
def elsewhere():
    server = FakeHub({PART.repository: Repository(dict(FILES))})
    yield server
    server.close()


def test_a_part_is_listed_at_one_commit_with_the_publishers_hashes(hub):
    hub.repositories[PART.repository] = Repository(dict(FILES), git_only=("config.json",))
    listing = list_part(PART, hub.url)
    assert listing.commit == COMMIT and listing.licence == "apache-2.0"
    files = {file.name: file for file in listing.files}
    assert files.keys() == {"config.json", "model.safetensors"}
    assert len(files["model.safetensors"].sha256) == 64 and files["config.json"].git and not files["config.json"].sha256
    assert listing.url("a b.bin").endswith(f"/{PART.repository}/resolve/{COMMIT}/a%20b.bin")


@pytest.mark.parametrize("url", ["http://example.org/api/models/x", "http://192.0.2.1/"])
def test_a_redirect_to_an_unsafe_address_is_refused(hub, url):
    hub.repositories[PART.repository] = Repository(dict(FILES))
    hub.metadata_faults.append(faults.redirect(url))
    with pytest.raises(NetworkError, match="unsafe address"):
        list_part(PART, hub.url)


def test_a_redirect_to_another_server_leaves_the_token_behind(hub, elsewhere):
    hub.metadata_faults.append(faults.redirect(f"{elsewhere.url}/api/models/{PART.repository}"))
    assert list_part(PART, hub.url, "hf_secret").commit == COMMIT
    assert hub.requests[0].headers["authorization"] == "Bearer hf_secret"
    assert elsewhere.requests and not any("authorization" in request.headers for request in elsewhere.requests)


def metadata(**changes: object) -> faults.Fault:
    """An answer about the repository, with some fields changed; None leaves a field out."""
    sha256 = {"sha256": "a" * 64, "size": 3, "pointerSize": 134}
    siblings = [{"rfilename": name, "size": 3, "blobId": "b" * 40, "lfs": dict(sha256)} for name in FILES]
    data = {"id": PART.repository, "sha": COMMIT, "gated": False, "siblings": siblings, "cardData": {}} | changes
    body = json.dumps({name: value for name, value in data.items() if value is not None}).encode()

    def fault(handler, content, headers):
        handler.answer(200, body, {"content-type": "application/json"})

    return fault


def files(**changes: object) -> list[dict]:
    return [{"rfilename": name, "size": 3, "blobId": "b" * 40, **changes} for name in FILES]


def test_a_repository_that_says_no_licence_and_git_hashes_only_is_taken(hub):
    hub.metadata_faults.append(metadata(siblings=files(), cardData=None))
    listing = list_part(PART, hub.url)
    assert listing.licence == "" and all(file.git and not file.sha256 for file in listing.files)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (metadata(sha=None), "does not say which version"),
        (metadata(sha="main"), "does not say which version"),
        (metadata(siblings=files(size=None)), "does not say how large config.json is"),
        (metadata(siblings=files(size=-1)), "does not say how large config.json is"),
        (metadata(siblings=files(size=2**60)), "does not say how large config.json is"),
        (metadata(siblings=files(blobId=None)), "no hash for config.json"),
        (metadata(siblings=files(blobId="../../etc")), "no hash for config.json"),
        (metadata(siblings=5), "is damaged"),
        (metadata(siblings=[]), "has no file"),
        (faults.status(418), "with 418"),
    ],
)
def test_an_answer_that_cannot_be_is_not_believed(hub, answer, message):
    hub.metadata_faults.append(answer)
    with pytest.raises(NetworkError, match=message):
        list_part(PART, hub.url)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_says_where_to_ask(hub, status):
    hub.metadata_faults.append(faults.status(status))
    with pytest.raises(AccessRefused, match="given only to accounts"):
        list_part(PART, hub.url)


def test_a_repository_that_the_server_does_not_have_is_no_question_of_access(hub):
    with pytest.raises(NetworkError, match="does not give facebook/dinov2-base to this program") as caught:
        list_part(PART, hub.url)
    assert not isinstance(caught.value, AccessRefused)
    assert f"{hub.url}/facebook/dinov2-base opens in a browser" in caught.value.step
    hub.metadata_faults.append(faults.status(404, x_error_code="RepoNotFound"))
    with pytest.raises(NetworkError, match="does not give") as caught:
        list_part(PART, hub.url, "hf_secret")
    assert "Check the access token" in caught.value.step
    hub.metadata_faults.append(faults.status(403, x_error_code="GatedRepo"))
    with pytest.raises(AccessRefused, match="given only to accounts"):
        list_part(PART, hub.url)


def test_another_commit_than_the_one_begun_is_not_taken(hub):
    hub.metadata_faults.append(metadata())
    with pytest.raises(NetworkError, match="which version"):
        list_part(PART, hub.url, revision="f" * 40)
    hub.metadata_faults.append(faults.status(404, x_error_code="RevisionNotFound"))
    with pytest.raises(NetworkError, match="no longer there"):
        list_part(PART, hub.url, revision="f" * 40)


def test_an_unsafe_address_is_not_asked(hub):
    with pytest.raises(NetworkError, match="no safe address"):
        list_part(PART, "http://example.org")
    assert hub.requests == []


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("model.safetensors", True),
        ("vae/config.json", True),
        ("../model.safetensors", False),
        ("/etc/passwd", False),
        ("C:/x.safetensors", False),
        ("a\\b", False),
        ("a/../b", False),
        ("a//b", False),
        ("con.safetensors", False),
        ("vae/NUL", False),
        ("lpt1.json", False),
        ("console.json", True),
        ("x.", False),
        (7, False),
        ("a" * 201, False),
    ],
)
def test_only_plain_names_are_taken(name, plain):
    assert is_plain_name(name) == plain


def test_licence_files_are_told_apart():
    assert MIT.is_text("MIT License\n\nCopyright (c) 2025")
    assert MIT.is_text("Copyright\n\nPermission is hereby granted, free of\ncharge, to any person")
    assert APACHE.is_text("                                 Apache License\n                           Version 2.0")
    assert not MIT.is_text("Apache License") and not APACHE.is_text("MIT License")
    assert FLUX_DEV.is_text("FLUX.1 [dev] Non-Commercial License v1.1.1")
    assert not APACHE.is_text("")
