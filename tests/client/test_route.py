"""The way to a server: which proxy is used, and what is said of it."""

import socket
import time

import pytest

from cometresp.client.route import is_exempt
from tests.conftest import Command
from tests.scripted import Request, Wire, json_reply, message, reply, response

EXEMPT = [
    ("https://api.example", "api.example", True),
    ("https://api.example", "API.Example", True),
    ("https://api.example", "example", True),
    ("https://api.example", ".example", True),
    ("https://api.example", "*.example", True),
    ("https://api.example", "other.example", False),
    ("https://api.example", "pi.example", False),
    ("https://example", ".example", False),
    ("https://api.example.", "api.example", True),
    ("https://api.example", "x, ,y api.example", True),
    ("https://api.example", "*", True),
    ("https://api.example", "", False),
    ("https://api.example", ".", False),
    ("https://api.example", "api.example:443", True),
    ("https://api.example", "api.example:8443", False),
    ("https://api.example:8443/v1", "api.example:8443", True),
    ("http://api.example", "api.example:80", True),
    ("https://api.example", "https://api.example", True),
    ("https://api.example", "all://api.example", True),
    ("https://api.example", "http://api.example", False),
    ("https://10.1.2.3", "10.1.2.3", True),
    ("https://10.1.2.3", "10.0.0.0/8", True),
    ("https://10.1.2.3", "10.1.2.9/24", True),
    ("https://10.1.2.3", "11.0.0.0/8", False),
    ("https://10.1.2.3", "10.0.0.0/99", False),
    ("https://10.1.2.3", "2.3", False),
    ("https://10.1.2.3", "fd00::/8,10.1.2.3:443", True),
    ("https://[fd12::1]", "fd00::/8", True),
    ("https://[fd12::1]", "[fd00::]/8", True),
    ("https://[fd12::1]:8443", "[fd12::1]:8443", True),
    ("https://[fd12::1]:8443", "[fd12::1]:443", False),
    ("https://[fd12::1]", "[fd12:0:0::1]", True),
    ("https://[fd12::1]", "fd12::1", True),
    ("https://[fd12::1]", "fe80::/10,[::1],10.0.0.0/8", False),
    ("https://[::ffff:10.1.2.3]", "10.0.0.0/8", True),
    ("https://api.example", "fd00::/8,[::1],fe80::/10,10.0.0.0/8,[,]:,a:b:c", False),
]


@pytest.mark.parametrize(("url", "no_proxy", "exempt"), EXEMPT)
def test_no_proxy_names_hosts_domains_networks_and_ports(url: str, no_proxy: str, exempt: bool) -> None:
    assert is_exempt(url, no_proxy) is exempt


ODD = "fd00::/8, [::1],fe80::/10,10.0.0.0/8,[fd00::1]:443,192.168.0.0/16,[,a:b:c"
GONE = {"COMETAPI_BASE_URL": "https://nowhere.invalid", "NO_PROXY": ODD}


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("HTTPS_PROXY", "http://127.0.0.1:1", "http://127.0.0.1:1 (HTTPS_PROXY)"),
        ("https_proxy", "127.0.0.1:1", "http://127.0.0.1:1 (https_proxy)"),
        ("ALL_PROXY", "http://me:s3cret@127.0.0.1:1", "http://***@127.0.0.1:1 (ALL_PROXY)"),
    ],
)
def test_a_proxy_that_cant_be_reached_is_named_with_its_variable(
    ask: Command, name: str, value: str, shown: str
) -> None:
    result = ask("ask", "--retries", "0", "hi", env=GONE | {name: value, "no_proxy": ODD})
    assert list(result) == [69, "", f"cometresp: error: the proxy {shown} can't be reached: Connection refused\n"]


def test_a_request_goes_through_the_proxy_whatever_networks_are_exempt(ask: Command, wire: Wire) -> None:
    wire.answer(json_reply(response(message("hi"))))
    env = {"COMETAPI_BASE_URL": "http://api.invalid", "HTTP_PROXY": f"http://127.0.0.1:{wire.port}", "NO_PROXY": ODD}
    assert list(ask("ask", "--insecure-http", "hi", env=env)) == [0, "hi\n", ""]
    assert [request.path for request in wire.requests] == ["http://api.invalid/v1/responses"]


def test_a_proxy_that_refuses_is_named(ask: Command, wire: Wire) -> None:
    wire.answer(reply(407, "", "").replace(b"407 X", b"407 Proxy Authentication Required"))
    env = GONE | {"HTTPS_PROXY": f"http://127.0.0.1:{wire.port}"}
    told = f"the proxy http://127.0.0.1:{wire.port} (HTTPS_PROXY) refused: 407 Proxy Authentication Required"
    assert list(ask("ask", "--retries", "0", "hi", env=env)) == [69, "", f"cometresp: error: {told}\n"]


@pytest.mark.parametrize("piece", [b"", b"HTTP/1.1 103 X\r\n\r\n"], ids=["silent", "dripping"])
def test_a_proxy_that_never_connects_is_given_up_after_the_timeout(ask: Command, wire: Wire, piece: bytes) -> None:
    def script(_: Request, connection: socket.socket) -> None:
        while piece:
            connection.sendall(piece)
            time.sleep(0.02)
        connection.recv(1)

    wire.answer(script)
    env = GONE | {"HTTPS_PROXY": f"http://127.0.0.1:{wire.port}"}
    what = "no reply within" if piece else "no data for"
    told = f"the proxy http://127.0.0.1:{wire.port} (HTTPS_PROXY): {what} 1 s (--timeout)"
    assert list(ask("ask", "--timeout", "1", "hi", env=env)) == [69, "", f"cometresp: error: {told}\n"]


def test_a_server_behind_a_proxy_that_breaks_off_is_told_of_itself(ask: Command, wire: Wire) -> None:
    wire.answer(reply(200, "", ""))
    env = GONE | {"HTTPS_PROXY": f"http://127.0.0.1:{wire.port}"}
    result = ask("ask", "--retries", "0", "hi", env=env)
    assert (result.code, result.err.startswith("cometresp: error: https://nowhere.invalid/v1 can't be reached: ")) == (
        69,
        True,
    )
