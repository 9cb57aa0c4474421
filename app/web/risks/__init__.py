"""The RAID register on the screen: what may go wrong, is taken for granted, has gone wrong, or is waited for."""
