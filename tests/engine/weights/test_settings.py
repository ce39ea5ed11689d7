"""Where models come from, what was accepted, and a token that is written nowhere."""

from dataclasses import replace

import keyring
import keyring.backend
import pytest

from engine.errors import CannotWrite, InputError
from engine.weights.settings import (
    HUB,
    DownloadSettings,
    TokenStore,
    checked_base_url,
    is_safe,
    load_settings,
    save_settings,
    settings_file,
)
from installer.launcher.network import Network


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("ECHOGEN_HUB", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_settings_come_back():
    settings = DownloadSettings("https://mirror.example/hub").accept("sam", "Apache-2.0")
    save_settings(settings)
    assert load_settings() == settings
    assert settings.has_accepted("sam", "Apache-2.0")
    assert not settings.has_accepted("sam", "MIT")
    assert settings.accept("sam", "Apache-2.0") is settings


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"base_url": 5, "accepted": []}', '{"base_url": "http://far.example"}']
)
def test_damaged_settings_are_the_standard_ones(content):
    settings_file().parent.mkdir(parents=True)
    settings_file().write_text(content)
    assert load_settings() == DownloadSettings(HUB)


def test_a_folder_that_cannot_be_written_is_said():
    settings_file().parent.parent.mkdir(parents=True, exist_ok=True)
    settings_file().parent.write_text("in the way")
    with pytest.raises(CannotWrite, match="cannot be written"):
        save_settings(DownloadSettings())


def test_the_environment_goes_first_and_has_to_be_safe(monkeypatch):
    monkeypatch.setenv("ECHOGEN_HUB", "http://127.0.0.1:8080/")
    assert load_settings().base_url == "http://127.0.0.1:8080"
    monkeypatch.setenv("ECHOGEN_HUB", "http://far.example")
    with pytest.raises(InputError, match="begin with https://"):
        load_settings()


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://huggingface.co", True),
        ("http://localhost:1", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:80", True),
        ("http://huggingface.co", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://localhost.evil.example", False),
        ("ftp://localhost", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_which_addresses_are_safe(url, safe):
    assert is_safe(url) is safe


@pytest.mark.parametrize(
    "url", ["https://me:secret@hub.example", "https://hub.example/?a=1", "https://hub.example/#x", "hub"]
)
def test_an_address_is_a_place_and_nothing_more(url):
    with pytest.raises(InputError):
        checked_base_url(url)
    assert checked_base_url(" https://hub.example/hf/ ") == "https://hub.example/hf"


class Memory(keyring.backend.KeyringBackend):
    """A keyring that keeps what it is given."""

    priority = 1

    def __init__(self):
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


def test_with_a_keyring_the_token_outlives_the_run():
    before = keyring.get_keyring()
    keyring.set_keyring(Memory())
    try:
        assert TokenStore().set("hf_token") is True
        assert TokenStore().get() == "hf_token"
        TokenStore().forget()
        assert TokenStore().get() is None
    finally:
        keyring.set_keyring(before)


def test_without_a_keyring_it_is_kept_for_this_run():
    store = TokenStore()
    assert store.set(" hf_token\n") is False
    assert store.get() == "hf_token"
    assert TokenStore().get() is None
    store.forget()
    assert store.get() is None


@pytest.mark.parametrize("token", ["", "two words", "smile\u263a", "line\nbreak", "x" * 501])
def test_what_cannot_be_a_token_is_refused(token):
    with pytest.raises(InputError, match="no access token"):
        TokenStore().set(token)


def test_the_environments_token_goes_first(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "from-outside\n")  # as a file of secrets ends
    store = TokenStore()
    store.set("own")
    assert store.get() == "from-outside"


def test_the_mirror_is_one_setting_of_program_and_launcher():
    """What either of them says, the other one has; everything else in the file stays."""
    Network(
        models="https://launcher.example", proxy="http://proxy.example:1", packages="https://packages.example"
    ).save()
    assert load_settings().base_url == "https://launcher.example"
    save_settings(replace(load_settings(), base_url="https://program.example"))
    assert Network.load() == Network(
        models="https://program.example", proxy="http://proxy.example:1", packages="https://packages.example"
    )
    save_settings(replace(load_settings(), base_url=HUB))
    assert Network.load().models == "" and load_settings().base_url == HUB


def test_the_folder_of_models_is_no_mirror_of_them(monkeypatch, tmp_path):
    monkeypatch.setenv("ECHOGEN_MODELS", str(tmp_path))
    assert Network.load().models == ""


def test_an_address_of_a_version_before_is_kept(monkeypatch):
    settings_file().parent.mkdir(parents=True, exist_ok=True)
    settings_file().write_text('{"base_url": "https://old.example"}', encoding="utf-8")
    assert load_settings().base_url == "https://old.example"
