# judged: GS06
