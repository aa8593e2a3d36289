"""A user's code in a process of its own: started, bounded, asked, ended whatever it does.

Must not know: models, how answers are judged.
"""
