"""One file per chapter: the record of an experiment -> its drawing; nothing is computed here."""
