"""Schedules as pages and GraphQL show and change them: their next times, their words, the form that sets them, a month of them."""
