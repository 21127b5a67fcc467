# judged: GS19
