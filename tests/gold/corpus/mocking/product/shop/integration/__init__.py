# judged: GS16
