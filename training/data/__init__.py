"""Grounded data from masks: scans with named structures and one to three synthetic lesions, questions of the paper's six
kinds, interleaved reasoning, and the Parquet layout in which UniMed-CoT is released. ``make_dataset.py`` is the command."""
