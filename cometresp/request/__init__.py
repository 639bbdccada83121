"""Options and inputs -> the body of a request.

attachments  `--file` -> a content part (API 3.1): what a file is, by its content first, then by its
             name.
body         Options and items -> the body of POST /responses (API 2). Pure: nothing is read and nothing
             is sent here.
content      Content of files in a request body, read when it is sent: a body's JSON piece by piece, its
             length known before.
curl         A request as one curl command for a POSIX shell.
files        Opening the file that a flag names.
inputs       Prompt words, standard input and files -> text and content parts (API 3.1).
kinds        What a file is: by its content first, then by its name (API 3.1).
limits       The API page's limits on what is sent (API 9): warned about with the number, never refused.
             Pure.
magic        The first bytes that tell what a file is.
rules        The rules of the API that can be known before sending.
secrets      Secrets of MCP tools in a body: found, masked, looked up. Pure.
source       The bytes of a file, read again each time that a body is sent.
tools        `--tool` and `--tool-choice` -> JSON (API 4). Pure: files are read by the caller's `read`.
"""
