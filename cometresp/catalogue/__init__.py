"""The models that a server has and what they cost, kept for a day.

cache        The cached catalogues: one file for each base URL, in the user's cache directory.
entries      The models in a server's list, whatever shape it gives them (API 1, #11, #12). Pure.
fetch        The list of models of a server: CometAPI's catalogue, else OpenAI's list; from the cache while
             that is fresh.
near         The models of a catalogue that an unknown name was probably meant for. Pure.
price        What a model costs, as a list price.
prices       The price of a model by its name, from the cache alone: no network is used.
pricing      The price of a model in the JSON of a server. Pure.
select       Which models are listed, in which order; and what to try where there are none. Pure.
shown        A model in words: its price, its context, and its line in a list. Pure.
suggestions  Models, providers and endpoints for a shell's completion: from the record and the cache, never
             from a server.
"""
