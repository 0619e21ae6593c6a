"""Headwater: workflows whose every state change is an event you can read, replay and trust after a crash."""

from __future__ import annotations
