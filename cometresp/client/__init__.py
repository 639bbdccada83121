"""HTTP: requests go out, events come back, httpx's exceptions become ours. Only here httpx is imported.

client      The only package that knows httpx: a body goes out, events come back, foreign exceptions
            become ours.
connection  What it takes to reach a server, and the pool of connections made of it (design section 3).
following   Asking for a response until it has ended, and following it: through whatever happens on the
            way (API 7.5, 12.9).
reading     What a reply holds: the events of a stream, or one event for a whole reply (API 7.1, 12.1).
requests    Requests and their 2xx replies: what is tried again, how long anything may take, foreign
            exceptions become ours.
"""
