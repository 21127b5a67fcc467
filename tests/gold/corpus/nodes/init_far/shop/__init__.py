# judged: GS08
