"""The API's messages as plain values. No I/O.

batches       Reading the JSON of batches (API 13), and what a server says that offers none. Pure.
endpoints     The requests of every endpoint (API 1) as values. The client sends them; --dry-run, --curl
              and --debug print them.
error_bodies  Which JSON is an error, and what it says, whatever shape a server gives it (API 7.4, 8.1,
              8.4, 12.6).
events        The events of a response, what their types mean, and the statuses of a response.
form          A form as the body of a request (RFC 7578): fields of text, and a file that is read while it
              is sent.
headers       Header names, and which headers hold secrets.
ids           Which ids of a server are taken: those that can be printed, typed and put into a path as
              they are (API 12.17).
images        Generated images in an output, and which images the API takes.
items         Reading the JSON of items and their parts (API 3, 6.3, 6.4).
json          JSON as plain values: parsing it, and reading values that may have another type than
              expected.
masking       The secrets of one run, and text and JSON with a mask in their place. Pure.
payload       A request body as bytes, in pieces, with a length that is known before it is sent.
refusals      Whether an error may mean that a server doesn't take an id or an item of an earlier turn
              (API 3.3, 10.3, 12.8).
replies       Replies that aren't an answer: error bodies of every shape, and when to retry (API 8,
              12.6). Pure.
select        Fields of JSON by their path, as `--select` names them. Pure.
tool_secrets  The secrets in tools, however deep they stand: found by what their fields mean, and changed in
              a copy. Pure.
urls          Base URLs: joined to the path of a request, and as they may be shown. Pure.
"""
