# judged: GS11
