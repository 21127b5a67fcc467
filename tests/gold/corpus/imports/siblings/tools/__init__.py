# judged: GS01
