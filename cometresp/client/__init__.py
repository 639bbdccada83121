"""HTTP: sends requests, reads events, maps httpx's exceptions to those of errors.py. Only here httpx is imported.

body        The body of a reply as it comes: as bytes, whole or in pieces, and as the text of a stream.
client      The endpoints of one server, each a method: a request goes out, events or JSON come back.
connection  What it takes to reach a server, and the pool of connections made of it.
early       What the first request takes, loaded by a thread while the input is read.
encoding    The compression of replies: decoded piece by piece, and what can't be decoded (API 12.12).
endings     The end of a reply whose answer has come: read, so that its connection can be used again.
following   A response asked for until it has ended, or followed as a stream: through errors that pass
            (API 7.5, 12.9).
reading     What a reply holds: the events of a stream, or one event for a whole reply (API 7.1, 12.1).
requests    Requests and their 2xx replies: retries, time limits, and httpx's exceptions mapped to those
            of `errors`.
route       The way to a server: through a proxy or directly, and what stands for a name under .localhost.
upstream    Requests of others passed on to a server as they are, each on a connection of its own that can be
            closed at any time.
"""
