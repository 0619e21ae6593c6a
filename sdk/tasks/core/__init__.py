"""The tasks that flows are made of without being asked: functions, constants, collections and operators."""
