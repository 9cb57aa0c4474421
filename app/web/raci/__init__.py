"""The matrix of duties on the screen: who answers for each process, data domain and wave, and where nobody does."""
