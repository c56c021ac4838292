"""Chaos about money: clients who pay, spend and are refunded while parts of the product are killed at seeded times.

Everything that a client is told is in its journal, written before the request leaves and after the answer came. When
all has healed, what was confirmed must be there, once; what was refused must not; and every rule of the money must
prove. `python -m tests.chaos.money --seeds 5 --seconds 60`.
"""
