"""The core: events, commands, the rules that turn one into the other, and the log that keeps them. Imports no other room."""
