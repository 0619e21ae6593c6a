"""The public path of what is in `headwater.sdk.executors.main_program`."""

from __future__ import annotations

from headwater.sdk.executors.main_program import MainProgram, main_program

__all__ = ["MainProgram", "main_program"]
