"""The API's messages as plain values. No I/O.

endpoints  The requests of every endpoint (API 1) as values: the client sends them, --dry-run, --curl and
           --debug show them.
events     What a server says, one event at a time; and the statuses of a response.
headers    Header names, and which headers hold secrets.
items      Questions to the JSON of items and their parts (API 3, 6.3, 6.4).
json       JSON as plain values: reading it, and asking a value for what it should hold.
payload    A body as bytes, piece by piece, its length known before.
replies    Replies that aren't an answer: error bodies of every shape, and when to try again (API 8, 12.6).
           Pure.
"""
