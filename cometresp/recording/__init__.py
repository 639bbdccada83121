"""The replies of a real server, kept as files and sent again without it (`emulator --record` and `--replay`).

bodies       Bytes of a body as readable JSON, from which the same bytes can be made again.
document     The text of a file: one request, its reply, and when each part of it came.
exchange     One request and its reply as plain values.
folder       A folder of recordings: read whole, added to.
masks        The secrets of an exchange: found in its request, masked in all of it.
nearest      Which recording is most like a request that was never recorded, and what is different.
recorder     The server of `--record`: it passes requests on and records them with their replies.
replayer     The server of `--replay`: it answers with what was recorded.
requests     A request as it is recorded and compared: without secrets, its parts named, with a digest.
watch        A client that disconnects while it is waiting.
"""
