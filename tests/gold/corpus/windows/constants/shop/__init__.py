# judged: WIN01, WIN02
