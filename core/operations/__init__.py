"""What people and programs do with Headwater: `Headwater(log, actor)`, and rooms for projects, flows, runs, agents, queues, slots and keys.

The command line, the pages, GraphQL and `Client` stand on it. What is only read, without an actor, is in the modules `*_lookup`.
"""
