# judged: GS01, GS02, GS03
