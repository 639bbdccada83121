"""An embedded server on loopback that speaks the Responses API without a model.

answer       The answer to a request: output items and an outcome, computed from the request and its
             context.
api          The endpoints (API 1) without HTTP: a request in, JSON or a stream of events out.
batch_lines  The lines of a batch's input (API 13.2): requests, and what is wrong with those that are none.
batches      Batches (API 1, #16 to #19; API 13): requests of a file, or of the body, that are answered
             together.
calls        The calls of the user's own tools: which tools, with which arguments (API 4.1, 4.2 and 6.3).
compaction   Compaction (API 1, #7): a conversation folded into one item, which later requests send in
             place of the turns.
catalogue    The models that the emulator lists (API 1, #11 and #12). It answers requests for any other
             model too.
context      The input of a response: the items of this turn and of the turns before it (API 3).
conversations  Conversations (API 1, #8 to #10): items that the server keeps, and adds to the input of
             responses.
errors       The emulator's exception, and its JSON in the form of CometAPI's gateway.
events       The events of a response (API 7), computed from its record alone.
faults       Faults: the meaning of `--fault KIND[=ARG][@N|%P]`, and which of them apply to a request.
files        Uploaded files (API 1, #13 to #15): the input of batches, and the output that is made of it.
form         Bodies of type `multipart/form-data` (RFC 7578): the fields of a form, one of which may be a
             file.
framing      JSON as bytes, and an event as a frame of server-sent events (API 7.1).
hosted       The tools that the server runs itself, and their items (API 4.1 and 6.3).
incoming     What precedes the API: a request's Host and Origin, which have to be of this machine, and the
             bytes of its body.
input_rules  The checks on input items (API 3).
lifecycle    The life of a response: created, kept, viewed in its present state, followed event by event.
listening    HTTP on loopback: sockets, threads, requests that are read and replies that are framed; not
             what is replied.
oddities     Faults that change a response where it is sent: what some servers send, though the API doesn't
             (API 12).
query        What a request asks for: the JSON of its body, and the flags, numbers and pages of its query.
replacements  The replies that faults send in place of the API's: errors of many forms, a page, nothing.
response     The response object (API 6.1).
rules        Small checks that validation.py combines. Each raises ApiError (400) that names the field at
             fault.
server       The emulator's HTTP server: the replies of the API, changed by faults, as bytes on a
             connection.
store        The stored responses and conversations: in one SQLite file that several processes may share,
             or in memory.
structured   JSON that fits a JSON Schema, filled with the words and numbers of a prompt.
validation   The checks on the bodies of `POST /responses` (API 2, 4, 5 and 9) and `POST
             /responses/compact`.
wording      Texts: the `emulate:` words of a prompt, quotes, token counts, and the split of a text into
             deltas.
"""
