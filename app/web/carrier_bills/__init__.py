"""Bills of carriers: handed in, set against what was expected, decided on and posted."""
