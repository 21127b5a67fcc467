# judged: GS10
