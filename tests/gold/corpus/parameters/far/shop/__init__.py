# judged: SEC01
