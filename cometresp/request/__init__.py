"""Options and inputs -> the body of a request.

attachments  `--file` -> a content part (API 3.1): what a file is, by its content first, then by its
             name.
body         Options and items -> the body of POST /responses (API 2). Pure: nothing is read and nothing
             is sent here.
content      Content of files in a request body, read when the body is sent.
curl         A request as one curl command for a POSIX shell.
estimate     The number of input tokens of a request, estimated where no server counts them. Pure.
fallback     `--fallback-model`: the models that are asked in place of one that is overloaded, limited or
             unknown.
files        Opening the file that a flag names.
inputs       Prompt words, standard input and files -> text and content parts (API 3.1).
kinds        What a file is: by its content first, then by its name (API 3.1).
limits       The API page's limits on what is sent (API 9): a warning with the number, never a refusal.
             Pure.
magic        The first bytes that identify a file's type.
rules        The rules of the API that can be checked before sending.
secrets      Secrets of the tools in a body: masked, looked up, refused where they weren't recorded. Pure.
source       The bytes of a file, read again each time a body is sent.
tool_types   The types of tools that the API page lists, and the forms of `--tool` that set their fields
             (API 4.1). Pure.
tools        `--tool` and `--tool-choice` -> JSON (API 4). Pure: files are read by the caller's `read`.
"""
