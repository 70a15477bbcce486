"""What a journal says of one trading day, by replay: settlement file, statements, order records, presence of quotes.

Everything here reads a `JournalReader` and changes nothing.
"""
