"""Who must agree to this, have they, and who else may in the meantime?"""
