# judged: GS13
