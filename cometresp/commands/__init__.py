"""The subcommands: one file each, named as the command is, and nothing else.

ask         `cometresp ask`: one response.
cancel      `cometresp cancel`: end a background response.
chains      `cometresp chains`: what is recorded, chain by chain, and what may go. Offline: only the state
            file is touched.
completion  `cometresp completion`: the script for a shell; and the values that only the state knows.
continue_   `cometresp continue`: the next turn of a chain.
delete      `cometresp delete`: have the server forget a response. The record here stays.
emulator    `cometresp emulator`: the offline server in the foreground.
get         `cometresp get`: fetch a response, wait for it, or follow it.
items       `cometresp items`: the input items of a response, as the server has them (API section 1, #5).
log         `cometresp log`: recorded responses, newest first; one of them whole. Offline: only the state
            file is read.
schema      `cometresp schema`: the JSON Schema that `--schema` would send. Offline.
stream      `cometresp stream`: one response, its deltas as they come, into pipes too.
"""
