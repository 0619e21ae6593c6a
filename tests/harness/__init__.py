"""What the tests stand on: real servers, a home, an agent, the views, a web site; and what happens in a log, told briefly."""
