"""The bare floor: what one request costs a program that is nothing but Typer, httpx, httpx-sse and sqlite3.

It sends the words as one prompt, prints each delta as it comes, and records the response, as `cometresp ask` does.
"""

import json
import os
import sqlite3

import httpx
import typer
from httpx_sse import connect_sse


def ask(words: list[str]) -> None:
    """Prints the answer to a prompt."""
    url, path = os.environ["COMETAPI_BASE_URL"], os.environ["FLOOR_DATABASE"]
    headers = {"Authorization": f"Bearer {os.environ['COMETAPI_KEY']}"}
    body = {"model": os.environ["COMETAPI_DEFAULT_MODEL"], "input": " ".join(words), "stream": True}
    secure = url.startswith("https:")  # loading the certificates for http would be time lost
    with (
        httpx.Client(headers=headers, timeout=600, verify=secure) as client,
        connect_sse(client, "POST", f"{url}/responses", json=body) as source,
    ):
        source.response.raise_for_status()
        for sent in source.iter_sse():
            event = json.loads(sent.data)
            if event["type"] == "response.output_text.delta":
                print(event["delta"], end="", flush=True)
    print()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE IF NOT EXISTS responses (id TEXT, input TEXT, response TEXT)")
        row = event["response"]["id"], body["input"], json.dumps(event["response"])
        database.execute("INSERT INTO responses VALUES (?, ?, ?)", row)


def main() -> None:
    typer.run(ask)


if __name__ == "__main__":
    main()
