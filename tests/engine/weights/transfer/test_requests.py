"""Proxies, certificates and addresses that cannot be used: one sentence, whatever the client makes of them."""

from __future__ import annotations

import pytest

from engine.errors import InputError, NetworkError
from engine.weights.settings import checked_base_url, is_safe
from engine.weights.transfer import requests
from engine.weights.transfer.requests import cannot_reach, make_client

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
