"""How is the work done, who answers for it, and which version of that was approved?"""
