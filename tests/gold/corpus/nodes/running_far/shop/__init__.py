# judged: GS05
