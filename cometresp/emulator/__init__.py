"""An embedded server on loopback that speaks the Responses API without a model.

answer       What the emulator answers: output items and an outcome, as a function of the request and its
             context.
api          The endpoints (section 1 of the API reference), without HTTP: a request in, JSON or a stream
             of events out.
calls        Which of the user's own tools the emulator calls, and with what (sections 4.1, 4.2 and 6.3
             of the API reference).
catalogue    The models that the emulator lists (section 1 of the API reference, 11 and 12); it answers
             for any other too.
context      What a response is asked with: the items of this turn and of the turns before it (section 3
             of the API reference).
errors       The one error of the emulator, and the shape in which CometAPI's gateway reports it.
events       The events of a response (section 7 of the API reference), a pure function of what is
             recorded.
faults       Misbehaviour on purpose: what `--fault KIND[=ARG][@N|%P]` means, and how it changes a reply.
framing      JSON as bytes, and an event as a frame of server-sent events (section 7.1 of the API
             reference).
hosted       The items of the tools that the server runs itself (sections 4.1 and 6.3 of the API
             reference).
input_rules  What an input item must look like (section 3 of the API reference).
response     The response object (section 6.1 of the API reference).
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
