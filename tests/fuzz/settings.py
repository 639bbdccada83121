"""The config file and environment variables: whatever they hold, the exit code is none of a bug, and nothing is sent.

An input is variables (`NAME=value`), each with a zero byte behind it, then the config file. A run has no network, and
so what isn't only shown is refused at the first connection.
"""

import re

from tests.fuzz import forks
from tests.fuzz.command_lines import CODES
from tests.fuzz.forks import BrokenError
from tests.fuzz.target import Target

_VARIABLE = re.compile(rb"([A-Za-z][A-Za-z_]{1,30})=([^\0]*)\0")
_LONGEST = 20_000
_RUNS = (
    ["ask", "--dry-run", "hi"],
    ["ask", "--curl", "hi"],
    ["ask", "--retries", "0", "-m", "m", "hi"],
    ["ask", "--retries", "0", "-m", "m", "-H", "Authorization: Bearer x", "hi"],
    ["get", "--retries", "0", "--insecure-http", "-H", "Authorization: Bearer x", "resp_1"],
    ["chains", "--json"],
    ["continue", "--offline", "hi"],
    ["config", "show", "--json"],
    ["config", "set", "model", "m"],
    ["config", "unset", "model"],
    ["doctor", "--json"],
)
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "all_proxy", "no_proxy")
_NAMES = (
    *("COMETAPI_KEY", "COMETAPI_BASE_URL", "COMETAPI_DEFAULT_MODEL", "COMETRESP_CHAIN", "COMETRESP_STATE_DIR"),
    *("COMETRESP_CONFIG", "COMETRESP_RECORD", "COMETRESP_NO_STDIN", "COMETRESP_PLAIN", "SSL_CERT_FILE", "LANG", "TERM"),
    *("XDG_CONFIG_HOME", "XDG_STATE_HOME", "LC_ALL", *_PROXIES),
)
_CONFIG = ".config/cometresp/config.toml"


def check(data: bytes) -> None:
    env, file = parsed(data)
    words = _RUNS[len(data) % len(_RUNS)]
    with forks.folder({_CONFIG: file, "ca.pem": b"no certificate", "other.toml": b'model = "o"\n'}) as (home, own):
        ran = forks.run(words, home, {**own, **env})
    forks.check_ran(ran, CODES)
    if ran.sent and {"--dry-run", "--curl", "--json", "--offline", "config"} & set(words):
        raise BrokenError("something was sent", "", ran)


def parsed(data: bytes) -> tuple[dict[str, str], bytes]:
    """The variables that a program may be given, and the config file."""
    env, place = {}, 0
    data = data[:_LONGEST]
    while found := _VARIABLE.match(data, place):
        name, place = found[1].decode(), found.end()
        if name in _NAMES:
            env[name] = found[2].decode("utf-8", "surrogateescape")
    return env, data[place:]


# what to start from -------------------------------------------------------------------------------------------------

_URLS = (
    *(
        "http://127.0.0.1:9/v1",
        "http://localhost/",
        "https://h",
        "https://h/v1/responses?api-version=1",
        "http://[::1]:9",
    ),
    *("http://127.999.1.1/v1", "http://x.localhost:9", "https://u:p@h", "https://h#a", "ftp://h", "https://h:99999"),
    *("https://" + "h" * 300, "https://h/" + "p" * 9000, "https://bücher.example/v1", "https://xn--", "https://h..x"),
    *("http://[fe80::1%25eth0]/", "http://[::1", "https://\u202eh", "//h", "h", "https://h?***", "https://h:-1"),
    *("https://.", "https://\u2488com", "https://a_b/v1", "http://0x7f.1/v1", "http://2130706433/", "https://h\\@x"),
)
_PROXY_VALUES = (
    *("http://127.0.0.1:9", "socks5://127.0.0.1:9", "http://u:p@h:1", "h:1", "http://", "http://[", "ftp://h", "://"),
    *("fd00::/8", "[::1]", "fe80::/10", "10.0.0.0/8", "*", ".h", "h,[::1]:9,*.x", ",", "h:99999", "all://h", "\u202e"),
    *("http://h:x", "http://h:99999", "::1", "localhost,127.0.0.1", "https://h", "http://%zz@h", "http://\x01"),
)
_OTHERS = (
    *("k", "\u00fc", "a b", "\ufeffk", "none", "ids", "wat", "1", "no", "ca.pem", "missing", ".", "~", "other.toml"),
    *("/dev/null", "/dev/full", "a" * 300, "a/" * 200, "\udcff", "\x1b[2J", "\n", "tty", "", " ", "ca.pem/x", "C"),
)
_TOML = (
    *('base_url = "http://127.0.0.1:9/v1"', 'model = "m"', 'chain = "."', 'record = "ids"', "no_stdin = true"),
    *("plain = false", "insecure_http = true", "[keys]", '"https://api.cometapi.com/v1" = "k"', '"https://h" = 1'),
    *("model = 1", "x = 1", "model = '''\na'''", "a.b = 1", "[[keys]]", "# c", "keys = {a = 'b'}", 'model = "\\uD800"'),
    *(
        "model = 1979-05-27",
        "model = nan",
        "plain = " + "9" * 5000,
        "keys = " + "[" * 500,
        "chain = '\u202e'",
        "\ufeff",
    ),
    *("[keys.x]", "'http://[' = 'k'", "'***' = 'k'", "\r\n", '"" = ""', "chain = ''", 'record = "\\u001b[2J"'),
)
_SEEDS = (
    *(f"COMETAPI_BASE_URL={url}\0COMETAPI_KEY=k\0" for url in _URLS),
    *(
        f"{_PROXIES[n % 8]}={value}\0COMETAPI_BASE_URL=https://h\0COMETAPI_KEY=k\0"
        for n, value in enumerate(_PROXY_VALUES)
    ),
    *(f"{name}={value}\0" for name in _NAMES[3:13] for value in _OTHERS[:6]),
    *("\n".join(_TOML[n : n + 9]) for n in range(0, len(_TOML), 3)),
    *(line + "\n" for line in _TOML),
)
_WORDS = (
    *_URLS,
    *_PROXY_VALUES,
    *_OTHERS,
    *_TOML,
    *(f"\0{name}=" for name in _NAMES),
    *(f"{name}=" for name in _NAMES),
)

TARGET = Target(
    check=check,
    seeds=tuple(seed.encode("utf-8", "surrogateescape") for seed in _SEEDS),
    words=tuple(word.encode("utf-8", "surrogateescape") for word in _WORDS if word),
    separator=b"\n",
    is_guided=False,
)
