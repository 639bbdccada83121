"""The state file: chains, turns, and what servers were seen to refuse.

batches      The batches that were submitted to providers: their ids, and what was last seen of them.
chains       The chains: which turn each of them continues from.
database     The open state file: transactions that many processes share, and what happens when the file
             is damaged.
file         The state file as a file: its version, its locks, its damage. What is in it is defined
             elsewhere.
ids          Response ids as they are typed and shown: the start of one that is unique in the record.
listing      Chains as they are listed: one query reads what is shown of them, and no more.
migrations   The tables of the state file, version by version. Step n takes a file from version n to n +
             1; a new one takes all.
names        The names of chains: `tty` is one per terminal, `.` one per directory.
patience     How long a run waits for other processes that hold the state file.
records      What the state file holds, as plain data: turns, their settings, chains.
retention    What is removed from the state file: old text, chains, turns that nothing needs.
search       Recorded turns that have some words. Most of them are passed over by their bytes, without reading
             JSON.
soundness    Whether the state file is sound, without changing it.
state        The state file: what was recorded of turns, chains and servers, in one SQLite file.
suggestions  Names and ids for a shell's completion; none where the state can't be read.
sums         What the recorded turns used in all, by day, model, chain or profile.
transcript   A recorded turn as something to read: what was asked, what was answered. Pure.
turns        The recorded turns: one row each, since some servers give every response the same id.
unanswered   The last request of each chain, where it got no response id: it is no turn, but can be sent
             again.
"""
