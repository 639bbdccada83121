"""JSON Schema: made of what `--schema` says, made strict, and checked.

check   Whether a schema is valid, and whether an answer matches it. jsonschema is loaded only here, and only
        when needed.
fields  The concise form of a schema, `name, age int, bio: a short biography` -> JSON Schema. Pure.
format  `--schema` and `--schema-multi` -> `text.format` (API 5.1). Pure: files are read by the caller's
        `read`.
strict  A JSON Schema made strict: closed objects whose properties are all required (API 5.1). Pure: it
        returns a new schema.
"""
