"""Be the process of the attempt that the environment names, in an interpreter of its own."""

import signal

from headwater.agents.run_process.main import main
from headwater.agents.run_process.run_exit import leave
from headwater.agents.run_process.run_start import ignore_terminals

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ignore_terminals()
    leave(main())
