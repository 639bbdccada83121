"""An embedded server on loopback that speaks the Responses API without a model.

answer       What the emulator answers: output items and an outcome, as a function of the request and its
             context.
api          The endpoints (API 1), without HTTP: a request in, JSON or a stream of events out.
calls        Which of the user's own tools the emulator calls, and with what (sections 4.1, 4.2 and 6.3
             of the API reference).
catalogue    The models that the emulator lists (API 1, #11 and #12); it answers for any other too.
context      What a response is asked with: the items of this turn and of the turns before it (API 3).
errors       The one error of the emulator, and the shape in which CometAPI's gateway reports it.
events       The events of a response (API 7), a pure function of what is recorded.
faults       Misbehaviour on purpose: what `--fault KIND[=ARG][@N|%P]` means, and how it changes a reply.
framing      JSON as bytes, and an event as a frame of server-sent events (API 7.1).
hosted       The items of the tools that the server runs itself (sections 4.1 and 6.3 of the API
             reference).
input_rules  What an input item must look like (API 3).
response     The response object (API 6.1).
rules        Small checks from which the validation is put together: each raises the 400 that names the
             culprit.
server       The emulator over HTTP on loopback: the sockets, the threads and the framing, nothing of the
             API's meaning.
store        What the emulator remembers: one SQLite file that many processes share, or nothing but this
             process's memory.
structured   JSON that fits a JSON Schema, filled with the words and numbers of a prompt.
validation   The checks on the body of `POST /responses` (sections 2, 4, 5 and 9 of the API reference).
wording      Text: the words that steer the emulator, quoting, counting tokens, and cutting text into
             deltas.
"""
