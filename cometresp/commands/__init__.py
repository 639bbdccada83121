"""The subcommands: one file each, named as the command is, and nothing else.

again       `cometresp again`: the same turn once more, from the record.
ask         `cometresp ask`: one response.
batch       `cometresp batch`: many requests from one file, sent from here; `merge` joins the outputs of several runs.
cancel      `cometresp cancel`: end a background response.
chains      `cometresp chains`: what is recorded, chain by chain, and what is removed. Only `compact` sends a
            request.
completion  `cometresp completion`: the script for a shell.
config      `cometresp config`: what is set and from where; changes of the config file.
continue_   `cometresp continue`: the next turn of a chain.
delete      `cometresp delete`: delete a response or a conversation from the server. What is recorded here is
            kept.
doctor      `cometresp doctor`: what is set and what is there; with `--probe`, what the server takes.
emulator    `cometresp emulator`: the offline server in the foreground.
get         `cometresp get`: fetch a response, wait for it, or follow it.
help        `cometresp help`: the page of the program, of a command, or of a topic.
items       `cometresp items`: the input of a response, or a conversation, as the server has it (API 1, #5, #10).
log         `cometresp log`: recorded responses, newest first; one of them whole. Offline: only the state
            file is read.
models      `cometresp models`: the models of the server, with their context and prices (API 1, #11, #12).
schema      `cometresp schema`: the JSON Schema that `--schema` would send. Offline.
stream      `cometresp stream`: one response, its deltas printed as they come, into pipes too.
templates   `cometresp templates`: the prompts that are kept for --template. Offline: only their folder is read.
usage       `cometresp usage`: what recorded turns used and cost, summed. Offline: only the record and cached
            prices are read.
version     `cometresp version`: the version, as `--version` prints it.
"""
