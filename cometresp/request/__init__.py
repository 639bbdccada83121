"""Options and inputs -> the body of a request.

attachments  `--file` -> a content part (API 3.1): what a file is, by its content first, then by its
             name.
body         Options and items -> the body of POST /responses (API section 2). Pure: nothing is read and
             nothing is sent here.
content      Content of files in a request body, read when it is sent: a body's JSON piece by piece, its
             length known before.
curl         A request as one curl command for a POSIX shell.
files        Opening the file that a flag names.
inputs       Prompt words, standard input and files -> text and content parts (design section 2, API
             3.1).
kinds        What a file is: by its content first, then by its name (API 3.1).
limits       The API page's limits on what is sent (API section 9): warned about with the number, never
             refused. Pure.
rules        The rules of the API that can be known before sending.
secrets      Secrets: found, masked, and the request as a curl command (design, promise 6). Pure.
source       The bytes of a file, read again each time that a body is sent.
tools        `--tool` and `--tool-choice` -> JSON (API section 4). Pure: files are read by the caller's
             `read`.
"""
