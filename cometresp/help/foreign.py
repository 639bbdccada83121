"""Flags and commands of other programs (curl, llm, mods, sgpt, aichat, openai …), and what stands for them here."""

from cometresp.tuples import NamedTuple


class Advice(NamedTuple):
    """What to do instead. `flag`: the flag that the advice is about; where a command lacks it, it says nothing."""

    text: str
    flag: str = ""


_KEY = Advice(
    "export COMETAPI_KEY=…, or cometresp config set-key: there is no flag for the key, since the list of processes"
    " would show it"
)
_FILE = Advice("-f FILE attaches a file", "-f")
_PROMPT = Advice('the prompt needs no flag: cometresp ask "…"', "-m")
_CHAIN = Advice("--chain NAME names the chain", "--chain")
_FROM = Advice("--from ID continues a recorded response", "--from")
_CONTINUE = Advice("-c continues the chain", "-c")
_CA = Advice("--ca-file FILE trusts the certificates in a file; the check can't be switched off", "--ca-file")
_SYSTEM = Advice("-s TEXT gives instructions", "-s")
_SCHEMA = Advice("--schema SPEC gives the answer a shape, --json-object makes it any JSON object", "--schema")
_BODY = Advice("--body JSON, or @FILE, is the request to start from", "--body")
_EFFORT = Advice("--effort LEVEL says how much the model reasons", "--effort")
_URL = Advice("--base-url URL names the server", "--base-url")
_TOOL = Advice("-t SPEC offers a tool", "-t")
_SEARCH = Advice("-t web_search offers the search", "-t")
_FORMAT = Advice("-F FORMAT sets the output format", "-F")
_COLOUR = Advice("NO_COLOR=1 takes the colours away, --plain the redrawing", "--plain")
_VERSION = Advice("cometresp version prints the version, --verbose prints notices")
_STREAM = Advice("ask streams to a terminal already; into pipes: cometresp stream", "--no-stream")
_FIELD = Advice("the Responses API has no such field; -P NAME=VALUE sends one that a server knows", "-P")
_BACKGROUND = Advice("--background runs it on the server", "--background")
_APPROVE = Advice("--approve always runs calls without asking", "--approve")
_NOT_RECORDED = Advice("--no-save records nothing of this turn", "--no-save")
_RETRIES = Advice("--retries N says how often a request is tried again", "--retries")
_TOKENS = Advice("--max-output-tokens N limits the answer", "--max-output-tokens")
_TIMEOUT = Advice("--timeout SECONDS limits the wait for data, --max-time SECONDS the whole run", "--timeout")
_PROXY = Advice("HTTPS_PROXY=URL names a proxy")
_QUIET = Advice("-q prints no warnings and no status", "-q")
_OUTPUT = Advice("-o FILE writes the answer to a file", "-o")
_CODE = Advice("-x prints only the first code block", "-x")
_LAST_CODE = Advice("--extract-last prints only the last code block", "--extract-last")
_EDIT = Advice("--edit opens the prompt in an editor", "--edit")
_SELECT = Advice("--select PATH prints one field of the response", "--select")
_CONFIG = Advice("COMETRESP_CONFIG=FILE names another config file; cometresp config shows what is set")
_LIST = Advice("cometresp log lists recorded responses, cometresp chains the chains")
_MODELS = Advice("cometresp models lists the server's models")
_REASONING = Advice("--hide-reasoning leaves the reasoning out", "--hide-reasoning")

_BY_ADVICE: dict[Advice, str] = {
    _KEY: "--key --api-key --apikey --openai-api-key --token --auth --bearer --password",
    Advice("export COMETAPI_KEY=… for the key; for a self-signed certificate: --ca-file FILE"): "-k",
    _FILE: "-a --attachment --attach --at --image --images --img --picture --pdf --document --upload "
    "--file-path --path",
    Advice("-f FILE attaches a file, -P NAME=VALUE sets a field of the request", "-f"): "-i --field --option",
    _PROMPT: "-p --prompt --message --msg --query --question --text --content --user-prompt --input-text --print",
    _CHAIN: "--session --chat --chat-id --thread --conversation-name --name --title",
    _FROM: "--cid --id --response-id --followup --follow-up --branch --fork",
    _CONTINUE: "-C --continue-last --resume --last --reply",
    _CA: "--insecure --cacert --ca-cert --ca --ca-bundle --cert --no-verify --no-verify-ssl --no-check-certificate",
    _SYSTEM: "--system-prompt --sys-prompt --sf --role --persona --developer --append-system-prompt",
    _SCHEMA: "--json-schema --output-schema --response-format --structured --json-mode --format-as",
    _BODY: "-d --data --data-raw --data-binary --input-file --request-body",
    _EFFORT: "--reasoning --thinking --think --reason --thinking-level --thinking-budget --reasoning-level",
    _URL: "--url --api-base --base --api-url --endpoint --host --server --api --openai-base-url",
    _TOOL: "-T --tool-type --enable-tool --plugin",
    _SEARCH: "--web --search --web-search --browse --online --internet",
    _FORMAT: "-r --output-format --out-format --fmt --raw --md --markdown --jsonl --ndjson --stream-json --yaml "
    "--pretty",
    _COLOUR: "--no-color --no-colour --no-ansi --monochrome",
    _VERSION: "-v --version -V",
    _STREAM: "--stream --streaming --live",
    Advice("--no-stream asks for one plain reply", "--no-stream"): "-S --no-streaming --batch-reply",
    Advice("cometresp stream prints deltas at once", "--no-stream"): "-N --no-buffer --unbuffered",
    _FIELD: "--seed --stop --stop-sequence --n --best-of --frequency-penalty --presence-penalty --logit-bias --top-k "
    "--min-p --repeat-penalty --num-ctx",
    _BACKGROUND: "-b --bg --async --detach --no-wait",
    _APPROVE: "-y --yes --yolo --auto-approve --dangerously-skip-permissions --no-confirm --tools-approve",
    Advice("--approve ask, the default, asks before each call", "--approve"): "--ta --confirm --interactive-approval",
    Advice("--max-turns N limits the responses of one run", "--max-turns"): "--cl --chain-limit --max-iterations "
    "--max-steps",
    _NOT_RECORDED: "-n --no-log --no-history --no-cache --ephemeral --temporary --incognito --no-record",
    _RETRIES: "--retry --max-retries --max-retry --attempts",
    Advice("did you mean --temperature?", "--temperature"): "--temp",
    Advice("--template NAME uses a kept prompt; cometresp templates lists them", "--template"): "--pattern --preset "
    "--recipe --snippet --macro --prompt-template --prompt-file",
    Advice("--var NAME=VALUE fills in a variable of the template", "--template"): "--variable --variables --vars --arg "
    "--set --define",
    _TOKENS: "--max-tokens --max-new-tokens --max-completion-tokens --num-predict --max-length --length --limit-tokens",
    _TIMEOUT: "--connect-timeout --read-timeout --request-timeout --wait-time --deadline",
    _PROXY: "--proxy --http-proxy --https-proxy --socks5 --noproxy --no-proxy",
    _QUIET: "--silent --no-warnings --no-spinner --no-status --no-progress",
    _OUTPUT: "--out --output-file --outfile --save --write --save-to --file-output",
    _CODE: "--code --code-only --extract-code",
    _LAST_CODE: "--xl --last-code",
    _EDIT: "-e --editor --compose",
    _SELECT: "--transform --query-path --jq",
    _CONFIG: "--config --config-file --settings --rc",
    _LIST: "-l --list --history --ls --list-chats --list-sessions",
    _MODELS: "--models --list-models --model-list -M --ask-model",
    _REASONING: "-R --no-reasoning --hide-thinking --no-thinking",
    Advice("--count-tokens prints the number of input tokens, -u the usage of a run", "--count-tokens"): "--tokens "
    "--token-count --count --show-usage",
    Advice("-u prints what a run cost where the price is known", "-u"): "--cost --show-cost",
    Advice("--max-cost USD ends a run before it costs more", "--max-cost"): "--budget --max-budget --max-budget-usd "
    "--cost-limit --max-price --limit-cost --max-spend",
    Advice("--debug shows requests and replies", "--debug"): "--trace --log-level --loglevel --vv "
    "--trace-http",
    Advice("-H 'User-Agent: NAME' sends another", "-H"): "-A --user-agent",
    Advice("-H 'NAME: VALUE' sends a header", "-H"): "--headers --http-header --extra-header --cookie",
    Advice("the request is a POST with a body; --dry-run shows it", "--dry-run"): "-X --request --method",
    Advice("each command is one turn; cometresp continue is the next"): "--interactive --repl --tui --chat-mode "
    "--no-interaction --no-interactive",
    Advice("--json prints the response as JSON", "--json"): "-j --json-output --as-json",
    Advice("--show-reasoning prints the reasoning on stderr", "--show-reasoning"): "--reasoning-text --show-thinking",
    Advice("--jobs N says how many requests are made at once", "--jobs"): "--concurrency --parallel --workers "
    "--threads --max-workers --max-concurrency --max-parallel --batch-size",
    Advice("--rpm N and --tpm N keep to the limits of the key", "--rpm"): "--rate --rate-limit --qps --rps "
    "--max-requests-per-minute",
    Advice("-f - attaches standard input; - in the prompt, or a pipe alone, puts its text there", "-f"): "--stdin "
    "--from-stdin --read-stdin",
    Advice("-h lists the flags, cometresp help the commands"): "-? --usage-help --man --info --docs",
}  # fmt: skip
FLAGS: dict[str, Advice] = {flag: advice for advice, flags in _BY_ADVICE.items() for flag in flags.split()}

CHAINS: dict[str, str] = {
    **dict.fromkeys(("ls", "list", "all"), "cometresp chains lists them"),
    **dict.fromkeys(("delete", "remove", "del", "clear", "forget"), "cometresp chains rm NAME removes one"),
    **dict.fromkeys(("log", "cat", "view", "print"), "cometresp chains show NAME prints one"),
    **dict.fromkeys(("mv", "move", "name"), "cometresp chains rename NAME NEW"),
    **dict.fromkeys(("new", "create", "add", "start"), 'cometresp ask --chain NAME "…" starts one'),
}
CONFIG: dict[str, str] = {
    **dict.fromkeys(("list", "ls", "view", "print", "dump"), "cometresp config show lists the settings"),
    **dict.fromkeys(("rm", "remove", "delete", "del", "clear", "reset"), "cometresp config unset NAME removes one"),
    **dict.fromkeys(("add", "put", "write", "save"), "cometresp config set NAME VALUE writes one"),
    **dict.fromkeys(("key", "keys", "login", "auth", "set-token"), "cometresp config set-key stores a key"),
    **dict.fromkeys(("open", "vi", "vim", "init"), "cometresp config edit opens the file in an editor"),
    **dict.fromkeys(("file", "where", "location"), "cometresp config path prints where the file is"),
}
COMMANDS: dict[str, str] = {
    **dict.fromkeys(
        ("prompt", "complete", "completions", "query", "q", "send", "generate", "create", "responses", "run", "exec",
         "message", "api", "say", "p"), 'cometresp ask "…" asks for a response',
    ),
    **dict.fromkeys(
        ("chat", "repl", "interactive", "shell", "talk", "session", "conversation", "start"),
        'cometresp ask "…" starts a chain, cometresp continue "…" is its next turn',
    ),
    **dict.fromkeys(
        ("reply", "resume", "next", "followup", "follow-up", "c", "more", "branch"),
        'cometresp continue "…" is the next turn of the chain',
    ),
    **dict.fromkeys(
        ("login", "auth", "init", "configure", "setup", "keys", "key", "signin", "logout", "register"),
        'cometresp config set-key stores a key; without one: cometresp ask --offline "…"',
    ),
    **dict.fromkeys(
        ("batches", "bulk", "map", "many", "parallel", "foreach", "run-batch"),
        "cometresp batch FILE sends the requests of a file",
    ),
    **dict.fromkeys(
        ("list-models", "prices", "pricing", "catalog", "catalogue"),
        "cometresp models lists the server's models, with their prices",
    ),
    **dict.fromkeys(
        ("retry", "redo", "repeat", "rerun", "regenerate"),
        "cometresp again sends the last turn once more, with what its flags change",
    ),
    **dict.fromkeys(
        ("template", "prompts", "role", "roles", "pattern", "patterns", "snippets", "macro", "macros"),
        "cometresp templates lists the kept prompts; --template NAME uses one",
    ),
    **dict.fromkeys(
        ("history", "logs", "ls", "list", "responses-list"),
        "cometresp log lists recorded responses, cometresp chains the chains",
    ),
    **dict.fromkeys(
        ("show", "view", "cat", "print", "transcript"),
        "cometresp log ID prints a recorded response, cometresp chains show a chain",
    ),
    **dict.fromkeys(
        ("retrieve", "fetch", "status", "wait", "poll", "follow", "tail", "watch"),
        "cometresp get ID fetches a response; --wait and --stream wait for it",
    ),
    **dict.fromkeys(("exit-codes", "exit", "codes", "errors"), "cometresp help exit-codes lists them"),
    **dict.fromkeys(("environment", "env", "variables"), "cometresp help environment lists the variables"),
    **dict.fromkeys(("stop", "abort", "kill"), "cometresp cancel ID cancels a background response"),
    **dict.fromkeys(
        ("rm", "remove", "del", "forget", "clear", "reset"),
        "cometresp delete ID deletes from the server, cometresp chains rm NAME from the record",
    ),
    **dict.fromkeys(("new", "restart"), 'cometresp ask "…" starts a chain again'),
    **dict.fromkeys(("serve", "server", "mock", "proxy"), "cometresp emulator serves the API on this machine"),
    **dict.fromkeys(("cost", "costs", "spend", "spending", "stats", "bill"), "cometresp usage sums tokens and cost"),
    **dict.fromkeys(
        ("record", "replay", "vcr", "cassette"),
        "cometresp emulator --record DIR --upstream URL records what a server says, --replay DIR says it again",
    ),
    **dict.fromkeys(
        ("tokens", "count", "count-tokens"), 'cometresp ask --count-tokens "…" prints the number of input tokens'
    ),
    **dict.fromkeys(
        ("image", "images", "draw", "imagine"),
        'cometresp ask -t image_generation --save-images DIR "…" makes and keeps an image',
    ),
    **dict.fromkeys(("search", "web"), 'cometresp ask -t web_search "…" offers a web search'),
    **dict.fromkeys(
        ("settings", "set", "preferences", "profile", "profiles"),
        "cometresp config shows the settings, cometresp config set NAME VALUE changes one",
    ),
    **dict.fromkeys(
        ("check", "diagnose", "diagnostics", "health", "ping", "test", "selftest", "debug", "about"),
        "cometresp doctor shows what is set and what is wrong; --probe asks the server",
    ),
    **dict.fromkeys(("man", "docs", "info", "?"), "cometresp help"),
    **dict.fromkeys(("tool", "tools", "functions"), 'cometresp ask -t SPEC "…" offers a tool'),
    "mcp": 'cometresp ask --mcp SERVER "…" offers the tools of an MCP server',
    **dict.fromkeys(("completions-install", "install-completion"), "cometresp completion SHELL prints the script"),
    **dict.fromkeys(("file", "files", "upload", "attach"), 'cometresp ask -f FILE "…" attaches a file'),
}  # fmt: skip
