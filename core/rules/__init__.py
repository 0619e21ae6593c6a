"""The rules: for each aggregate what may happen (`decide`) and what it means (`evolve`). Pure: no clock, no ids, no I/O.

Each module holds the state of one aggregate, an `evolve` and a `decide`. `decide` returns the events that the command leads to, none
where what is asked already holds, and raises a `CommandRejected` where the rules do not allow it. `evolve` never fails on what `decide`
gave, and passes over events it does not know. A run's are in several modules, by who does what to it; `run` brings them together.
"""
