"""Monitoring in real time (Regulation (EU) 2017/584 art. 20: alerts within five seconds): a follower of the journal.

`alerts` is what is told and how often, `thresholds` from when on, `journal_watch` reads what happened at the venue,
`status_watch` the server's own counts and its machine.
"""
