"""The outside world of Wavegate: screens, API, command line, jobs, papers, importers, and the wiring."""
