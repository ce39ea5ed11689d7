"""Proxies, certificates and addresses that cannot be used: one sentence, whatever the client makes of them."""

from __future__ import annotations

import os

import pytest

from engine.errors import InputError, NetworkError
from engine.weights.settings import checked_base_url, is_safe, network_file
from engine.weights.transfer import requests
from engine.weights.transfer.requests import cannot_reach, make_client, proxy_name

VARIABLES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy", "SSL_CERT_FILE")


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("proxy", ["ftp://proxy.example", "://", "http://[::1", "http://proxy.example:x"])
def test_a_proxy_that_is_none_is_named(monkeypatch, proxy):
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(NetworkError, match="HTTPS_PROXY"):
        make_client()


def test_a_proxy_that_needs_a_package_is_named(monkeypatch):
    import httpx

    def refuse(*_, **__):
        raise ImportError("Using SOCKS proxy, but the 'socksio' package is not installed.")

    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    monkeypatch.setattr(httpx, "AsyncClient", refuse)
    with pytest.raises(NetworkError, match="ALL_PROXY"):
        make_client()


def test_certificates_that_are_gone_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    with pytest.raises(NetworkError, match="SSL_CERT_FILE"):
        make_client()


def test_a_connection_through_a_proxy_says_so(monkeypatch):
    assert cannot_reach() == "the server cannot be reached"
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    assert "proxy that HTTPS_PROXY names" in cannot_reach()


@pytest.mark.parametrize("address", ["http://[::1", "https://hub.example:99999", "https://", "x" * 10**5])
def test_an_address_that_is_none_is_refused_in_short(address):
    with pytest.raises(InputError) as caught:
        checked_base_url(address)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("location", ["https://hub.example:99999/x", "http://[::1"])
def test_a_redirect_to_no_address_is_a_sentence(location):
    with pytest.raises(NetworkError, match="an address that is none"):
        requests._joined("https://hub.example/a", location)
    assert not is_safe("http://[::1")


def test_clients_trust_whom_the_system_trusts():
    """Ours and the one of the hub's library; nothing of it is left in the ssl module."""
    import ssl

    import truststore
    from huggingface_hub import close_session, get_session

    before = ssl.SSLContext
    client = make_client()
    close_session()
    with requests.saying_client_errors():
        session = get_session()
    try:
        assert isinstance(client._transport._pool._ssl_context, truststore.SSLContext)
        assert isinstance(session._transport._pool._ssl_context, truststore.SSLContext)
        assert ssl.SSLContext is before
    finally:
        close_session()


def test_the_proxy_of_the_network_settings_is_used_where_there_is_no_other(monkeypatch):
    network_file().parent.mkdir(parents=True, exist_ok=True)
    network_file().write_text('{"proxy": "http://settings.example:3128", "packages": 7}', encoding="utf-8")
    monkeypatch.setenv("HTTP_PROXY", "http://environment.example:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://environment.example:1")
    make_client()
    assert os.environ["HTTPS_PROXY"] == "http://environment.example:1"
    monkeypatch.delenv("HTTP_PROXY")
    monkeypatch.delenv("HTTPS_PROXY")
    client = make_client()
    assert os.environ["HTTPS_PROXY"] == "http://settings.example:3128" and proxy_name() == "HTTPS_PROXY"
    assert any("settings.example" in str(mount._pool._proxy_url) for mount in client._mounts.values() if mount)
