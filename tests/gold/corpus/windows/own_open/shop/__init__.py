# judged: WIN03
