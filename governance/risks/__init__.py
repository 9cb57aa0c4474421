"""What may go wrong, is taken for granted, has gone wrong, or is waited for: who answers for it, until when, and who hears of it next?"""
