# judged: GS04, GS05, GS06
