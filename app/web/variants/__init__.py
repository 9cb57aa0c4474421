"""Screens of the register: the list of variants, one variant, and asking for one."""
