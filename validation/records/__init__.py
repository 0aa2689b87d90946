"""Check records: the table, searching and showing it, exporting and erasing what it holds."""
