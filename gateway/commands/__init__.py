"""The subcommands of `carbonbook`, one file a subject; `gateway.cli` loads each when it is asked for.

`serve` with `practice` · `client` and `operate` with `connect`, `looks`, `watching` · `journal` with `lines` · `replay`
with `moment` · `venue` · `keys` · `common`: failures, options, tables, JSON, progress.
"""
