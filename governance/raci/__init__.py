"""Who does the work, who answers for it, who is asked and who is told: for each process, data domain and wave?"""
