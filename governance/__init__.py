"""Who decided that things may be done this way: programme, processes, variants, decisions."""
