"""Words everyone uses. Everything here is pure: no I/O, no clock, no chance."""
