"""The agent itself: takes wake-ups, claims runs, supervises attempts and records how they end. It knows no process; a launcher does."""
