"""The subcommands of `carbonbook`, one file a subject; `gateway.cli` loads each when it is asked for.

`common` errors, tables, JSON, progress · `serve` with `practice` · `client` with `connect` and `looking` · `operate` ·
`venue` · `journal` · `replay` with `moment` · `keys`.
"""
