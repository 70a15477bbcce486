"""`carbonbook demo`: one real day of the carbon market, on a real server, with two processes killed on the way.

The day is 2025-08-11 at the Shanghai Environment and Energy Exchange, on a clock that runs 300 times as fast. All of it
is what production would use: a server in a process of its own, CURVE keys, sockets, an fdatasync before every answer.

* `published` what the exchange published of that day · `script` trades that add up to it · `plan` who, when, how much
* `conductor` the day from beginning to end · `children` its processes · `screen` what is seen
  · `cli` the command
* client processes (`role` starts them): `traders` simulated firms (`flow` draws their orders) · `desk` the scripted
  trades · `provoker` and `rejects` every kind of refusal · `watch` the figures · `raw` frames no client would send.
  `member` is one session of such a process and a log of all it sent and received; `talk` is the
  line to the conductor.
* afterwards: `checks` clients' logs against the journal · `audit`, `replays` the journal once more, by each engine
  · `report` what is printed

No process here loads the matching engine; the server does, and `audit`, which replays the journal with each of the two.
"""
